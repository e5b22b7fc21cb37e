// Convolutions with few channels fill only a part of a vector when it runs along the channels.
// There the batch runs along vectors instead: every picture [b, H, W, C] of that part of the graph
// has its first and last dimensions exchanged, [C, H, W, b], so that a vector holds one element of
// 16 rows. Products then have weights on the left and pictures on the right; the order of their
// sums stays what it was. Where the part ends, values are written out in the other order.
#include <algorithm>
#include <set>

#include "compiler/passes/lanes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;
using namespace lanes;

namespace {

// Fewer rows than this leave vectors of rows half empty as well.
constexpr int64_t few_rows = 32;
// What the exchange has to win, for the copies at the border and the code that it adds.
constexpr double worth = 1.25;
constexpr int64_t vector_lanes = 16;

double padded(int64_t extent) {
  const int64_t vectors = (extent + vector_lanes - 1) / vector_lanes;
  return static_cast<double>(vectors * vector_lanes) / static_cast<double>(extent);
}

class Region {
 public:
  explicit Region(ir::Graph& graph) : graph_(graph), users_(ir::users_of(graph)) {
    for (const ir::Param& param : graph.params)
      if (param.kind == ir::ParamKind::input) fields_.insert(param.value.get());
  }

  bool find() {
    std::set<const Node*> seen;
    for (const auto& node : graph_.nodes) {
      if (!is_convolution(*node) || seen.count(node.get())) continue;
      std::set<const Node*> part = flood(*node);
      seen.insert(part.begin(), part.end());
      prune(part);
      if (pays(part)) members_.insert(part.begin(), part.end());
    }
    return !members_.empty();
  }

  bool has(const Node* node) const { return node && members_.count(node) > 0; }

  // Whether the value is read in its old order too.
  bool used_outside(const Value* value) const {
    for (const ir::Output& output : graph_.outputs)
      if (output.value == value) return true;
    auto it = users_.find(value);
    return it != users_.end() && std::any_of(it->second.begin(), it->second.end(),
                                             [&](const Node* user) { return !has(user); });
  }

 private:
  bool may_join(const Node& node) const {
    for (const Value* operand : node.operands)
      if (fields_.count(operand)) return false;
    return is_exchangeable(node);
  }

  // Everything that pictures connect with a convolution.
  std::set<const Node*> flood(const Node& seed) const {
    std::set<const Node*> part{&seed};
    std::vector<const Node*> open{&seed};
    const auto add = [&](const Node* node) {
      if (node && may_join(*node) && part.insert(node).second) open.push_back(node);
    };
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      for (const Value* operand : node->operands)
        if (is_picture(operand)) add(operand->node);
      if (!is_picture(node->result())) continue;
      if (auto it = users_.find(node->result()); it != users_.end())
        for (const Node* user : it->second) add(user);
    }
    return part;
  }

  // What stands between the outside and the first node that gains is as well done before: the
  // border then has one value to copy instead of several.
  void prune(std::set<const Node*>& part) const {
    for (const auto& node : graph_.nodes) {
      if (!part.count(node.get())) continue;
      if (node->op->family != ir::Family::elementwise) continue;
      const bool inside =
          std::any_of(node->operands.begin(), node->operands.end(),
                      [&](const Value* v) { return v->node && part.count(v->node) > 0; });
      if (!inside) part.erase(node.get());
    }
  }

  bool pays(const std::set<const Node*>& part) const {
    double now = 0, then = 0;
    for (const Node* node : part) {
      if (!is_op(node, "contract")) continue;
      const double work = multiplications(*node, graph_.batch);
      now += work * padded(node->result()->type.shape.back().size);
      then += work * padded(graph_.batch);
    }
    return now >= worth * then;
  }

  ir::Graph& graph_;
  const ir::Users users_;
  std::set<const Value*> fields_;
  std::set<const Node*> members_;
};

}  // namespace

bool put_batch_last(ir::Graph& graph) {
  if (graph.batch < few_rows) return false;
  Region region(graph);
  if (!region.find()) return false;
  Exchange exchange;
  rewrite(graph, [&](Node& node, Builder& b) -> Value* {
    if (!region.has(&node)) return nullptr;
    Value* value = exchange.node(node, b);
    if (!has_rows(node.result())) return value;
    exchange.known(node.result(), value);
    if (!region.used_outside(node.result())) return nullptr;
    Value* back = b.unary("copy", b.transpose(value, exchanged_order(value->type.rank())));
    exchange.known(back, value);
    return back;
  });
  graph.remove_dead();
  return true;
}

}  // namespace nnc::passes
