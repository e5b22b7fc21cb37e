// 0·log(0) is 0, the limit of x·log(x): in entropies, divergences and cross entropies written with
// probabilities, where a target and its probability are both exactly 0. Only the logarithm is
// replaced, and only where it is infinite and all that it is multiplied with is 0; derivatives then
// take it for a choice that was not made, and other elements keep their bits.
//   o·X -> o·select(o = 0 and X is infinite, 0, X)    with X made of a logarithm
#include <functional>
#include <map>

#include "compiler/ir/op.h"
#include "compiler/passes/log_forms.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

// Builds a boolean of the shape of the value it belongs to; empty: never true.
using Condition = std::function<Value*(Builder&)>;

Condition either(const Condition& x, const Condition& y) {
  if (!x || !y) return x ? x : y;
  return [=](Builder& b) { return b.op("or", {x(b), y(b)}); };
}

Condition equals(Value* v, double number) {
  return [=](Builder& b) { return b.compare("eq", v, b.constant_like(number, v)); };
}

Condition moved(const Node* node, const Condition& inner) {
  if (!inner) return {};
  return [=](Builder& b) { return b.op(node->op->name, {inner(b)}, node->attributes); };
}

// Where log(v) is infinite or, as of 0/0, no number.
Condition log_is_infinite(Value* v) {
  if (v->node == nullptr) return equals(v, 0);
  const auto& in = v->node->operands;
  if (v->node->op->family == ir::Family::movement) return moved(v->node, log_is_infinite(in[0]));
  if (is_op(v, "div")) return either(equals(in[0], 0), equals(in[1], 0));
  return equals(v, 0);
}

// Where values that are made of logarithms are infinite because of these.
class Infinities {
 public:
  const Condition& of(Value* v) {
    if (const auto it = known_.find(v); it != known_.end()) return it->second;
    return known_.emplace(v, search(v)).first->second;
  }

 private:
  Condition search(Value* v) {
    const Node* node = v->node;
    if (node == nullptr || !v->type.is_float() || node->operands.empty()) return {};
    const auto& in = node->operands;
    // What is positive by the way it is made has a finite logarithm once safe_forms has been there.
    if (is_op(v, "log")) return forms_.log(in[0]) ? Condition{} : log_is_infinite(in[0]);
    if (is_op(v, "log1p")) return forms_.log1p(in[0]) ? Condition{} : equals(in[0], -1);
    if (node->op->family == ir::Family::movement) return moved(node, of(in[0]));
    if (is_op(v, "neg") || is_op(v, "cast") || is_op(v, "stop_gradient") || is_op(v, "div"))
      return of(in[0]);
    if (is_op(v, "mul") || is_op(v, "add") || is_op(v, "sub")) return either(of(in[0]), of(in[1]));
    return is_op(v, "select") ? of_choice(in) : Condition{};
  }

  Condition of_choice(const std::vector<Value*>& in) {
    const Condition yes = of(in[1]), no = of(in[2]);
    const auto when = [](const Condition& condition, Value* chosen, bool negated) -> Condition {
      if (!condition) return {};
      return [=](Builder& b) {
        return b.op("and", {condition(b), negated ? b.unary("not", chosen) : chosen});
      };
    };
    return either(when(yes, in[0], false), when(no, in[0], true));
  }

  LogForms forms_;
  std::map<const Value*, Condition> known_;
};

Value* guard(Node& node, Builder& b, Infinities& infinities) {
  if (!is_op(&node, "mul") || !node.result()->type.is_float()) return nullptr;
  for (size_t i = 0; i < 2; ++i) {
    Value* made = node.operands[i];
    Value* other = node.operands[1 - i];
    const Condition& infinite = infinities.of(made);
    double number = 0;
    if (!infinite || infinities.of(other)) continue;
    if (uniform_constant(other, number) && number != 0) continue;
    Value* both = b.op("and", {equals(other, 0)(b), infinite(b)});
    Value* finite = b.select(both, b.constant_like(0, made), made);
    return i == 0 ? b.mul(finite, other) : b.mul(other, finite);
  }
  return nullptr;
}

}  // namespace

bool take_limits(ir::Graph& graph) {
  Infinities infinities;
  return rewrite(graph, [&](Node& node, Builder& b) { return guard(node, b, infinities); });
}

}  // namespace nnc::passes
