// The reference: every op's naive `eval` in f64, node by node.
#include <cmath>
#include <limits>

#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

using Values = std::map<const Value*, Tensor>;

Tensor empty_tensor(const Type& type, int64_t batch) {
  Tensor tensor;
  for (const Dim& dim : type.shape) tensor.shape.push_back(dim.extent(batch));
  tensor.data.assign(static_cast<size_t>(type.elements(batch)), 0.0);
  return tensor;
}

// Integers wrap as they do in kernels.
void wrap(const Type& type, Tensor& tensor) {
  const bool bytes = type.dtype == DType::u8;
  if (!bytes && type.dtype != DType::i32) return;
  for (double& x : tensor.data) {
    const auto wide = static_cast<int64_t>(x);
    x = bytes ? static_cast<double>(static_cast<uint8_t>(wide))
              : static_cast<double>(static_cast<int32_t>(wide));
  }
}

void round_to_single(const Type& type, Tensor& tensor) {
  if (type.dtype != DType::f32) return;
  for (double& x : tensor.data) {
    const auto single = static_cast<float>(x);
    x = std::fabs(single) < std::numeric_limits<float>::min() ? 0.0 : static_cast<double>(single);
  }
}

// Runs all nodes; `assigned` collects the new value of each state.
void run(const Graph& graph, Values& values, const EvalOptions& options,
         std::map<const Value*, Tensor>& assigned) {
  for (const auto& node : graph.nodes) {
    std::vector<const Tensor*> operands;
    for (const Value* operand : node->operands) operands.push_back(&values.at(operand));
    if (node->op->family == Family::state) {
      assigned[node->operands[0]] = *operands[1];
      continue;
    }
    std::vector<Tensor> results;
    for (const auto& result : node->results) {
      results.push_back(empty_tensor(result->type, options.batch));
    }
    EvalContext context{*node, operands, results, options.batch, options.seed, options.step};
    node->op->eval(context);
    for (size_t i = 0; i < results.size(); ++i) {
      const Value* result = node->results[i].get();
      wrap(result->type, results[i]);
      if (options.rounded) round_to_single(result->type, results[i]);
      values[result] = std::move(results[i]);
    }
  }
}

void check_shape(const Value* value, const Tensor& tensor, int64_t batch) {
  const Tensor wanted = empty_tensor(value->type, batch);
  internal_check(tensor.shape == wanted.shape && tensor.data.size() == wanted.data.size(),
                 "evaluate: the value for %" + value->name + " has not the shape " +
                     to_string(value->type, batch));
}

}  // namespace

std::map<std::string, Tensor> evaluate(const Graph& graph,
                                       const std::map<std::string, Tensor>& params,
                                       const EvalOptions& given) {
  EvalOptions options = given;
  if (options.batch == 0) options.batch = graph.batch;
  Values values;
  for (const Param& param : graph.params) {
    auto it = params.find(param.external_name);
    if (it == params.end()) it = params.find(param.value->name);
    internal_check(it != params.end(), "evaluate: no value for %" + param.value->name);
    check_shape(param.value.get(), it->second, options.batch);
    values[param.value.get()] = it->second;
  }
  std::map<const Value*, Tensor> assigned;
  run(graph, values, options, assigned);
  std::map<std::string, Tensor> results;
  for (const Output& output : graph.outputs) results[output.name] = values.at(output.value);
  for (const Param& param : graph.params) {
    const auto it = assigned.find(param.value.get());
    if (it != assigned.end()) results["state:" + param.external_name] = it->second;
  }
  return results;
}

std::vector<Tensor> evaluate_region(const Graph& region, const std::vector<const Tensor*>& params,
                                    const EvalOptions& options) {
  internal_check(params.size() == region.params.size(), "a region has other parameters");
  Values values;
  for (size_t i = 0; i < params.size(); ++i) values[region.params[i].value.get()] = *params[i];
  std::map<const Value*, Tensor> assigned;
  run(region, values, options, assigned);
  std::vector<Tensor> results;
  for (const Output& output : region.outputs) results.push_back(values.at(output.value));
  return results;
}

}  // namespace nnc::ir
