#include "tools/workbench/culprit.h"

#include <cmath>
#include <limits>

namespace nnc::workbench {

namespace {

// The reference computes in f64: what f32 could not hold counts as infinite.
bool is_bad(double value, ir::DType dtype) {
  if (dtype == ir::DType::f32) {
    return !(std::fabs(value) <= static_cast<double>(std::numeric_limits<float>::max()));
  }
  return dtype == ir::DType::f64 && !std::isfinite(value);
}

double largest(const ir::Tensor& tensor) {
  double result = 0;
  for (double x : tensor.data) {
    if (std::isnan(x) || std::fabs(x) > std::fabs(result)) result = x;
  }
  return result;
}

class Search {
 public:
  Search(const ir::Graph& graph, const std::map<std::string, ir::Tensor>& inputs,
         const ir::EvalOptions& options) {
    const auto all = graph.clone();
    all->outputs.clear();
    for (const auto& node : all->nodes)
      for (const auto& result : node->results) all->add_output(result->name, result.get());
    values_ = ir::evaluate(*all, inputs, options);
    for (const ir::Param& param : graph.params) {
      const auto given = inputs.find(param.external_name);
      if (given != inputs.end()) values_.emplace(param.value->name, given->second);
    }
  }

  bool is_bad(const ir::Value* value) const { return first_bad(value) >= 0; }

  // The node that made the first bad number of `value`.
  const ir::Node* source(const ir::Value* value) const {
    const ir::Node* node = value->node;
    while (node != nullptr) {
      const ir::Value* next = bad_operand(*node);
      if (next == nullptr || next->node == nullptr) return node;
      node = next->node;
    }
    return nullptr;
  }

  Culprit describe(const ir::Node* node) const {
    const ir::Value* result = node->result();
    const auto element = static_cast<size_t>(std::max<int64_t>(first_bad(result), 0));
    Culprit culprit{node, tensor(result)->data.at(element), {}, false};
    for (const ir::Value* operand : node->operands) {
      const ir::Tensor* given = tensor(operand);
      if (given == nullptr) continue;
      const bool same = node->op->family == ir::Family::elementwise;
      culprit.inputs.push_back(same ? given->data.at(element) : largest(*given));
    }
    return culprit;
  }

 private:
  const ir::Tensor* tensor(const ir::Value* value) const {
    const auto found = values_.find(value->name);
    return found == values_.end() ? nullptr : &found->second;
  }

  int64_t first_bad(const ir::Value* value) const {
    const ir::Tensor* numbers = tensor(value);
    if (numbers == nullptr) return -1;
    for (size_t i = 0; i < numbers->data.size(); ++i)
      if (workbench::is_bad(numbers->data[i], value->type.dtype)) return static_cast<int64_t>(i);
    return -1;
  }

  const ir::Value* bad_operand(const ir::Node& node) const {
    if (node.op->name == "select") return bad_choice(node);
    for (const ir::Value* operand : node.operands)
      if (is_bad(operand)) return operand;
    return nullptr;
  }

  // The branch that gave a select its bad number.
  const ir::Value* bad_choice(const ir::Node& node) const {
    const int64_t element = first_bad(node.result());
    if (element < 0) return nullptr;
    const bool yes = tensor(node.operands[0])->data.at(static_cast<size_t>(element)) != 0;
    return node.operands[yes ? 1 : 2];
  }

  std::map<std::string, ir::Tensor> values_;
};

const ir::Node* find_node(const ir::Graph& graph, const Search& search, const std::string& from) {
  for (const ir::Output& output : graph.outputs)
    if (output.name == from)
      return search.is_bad(output.value) ? search.source(output.value) : nullptr;
  for (const auto& node : graph.nodes)
    for (const auto& result : node->results)
      if (search.is_bad(result.get())) return search.source(result.get());
  return nullptr;
}

}  // namespace

Culprit find_culprit(const ir::Graph& graph, const std::string& from,
                     const std::map<std::string, ir::Tensor>& inputs, ir::EvalOptions options) {
  for (const bool rounded : {false, true}) {
    options.rounded = rounded;
    const Search search(graph, inputs, options);
    const ir::Node* node = find_node(graph, search, from);
    if (node == nullptr) continue;
    Culprit culprit = search.describe(node);
    culprit.rounded = rounded;
    return culprit;
  }
  return {};
}

}  // namespace nnc::workbench
