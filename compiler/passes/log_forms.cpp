#include "compiler/passes/log_forms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "compiler/ir/op.h"
#include "compiler/passes/log_builders.h"
#include "compiler/passes/log_patterns.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Value;

namespace {

LogForm constant_form(double logarithm, double number, const Value* like) {
  return {[=](Builder& b) { return b.constant_like(logarithm, like); },
          rounds_to(number, 0, like->type.dtype),
          rounds_to(number, std::numeric_limits<double>::infinity(), like->type.dtype)};
}

LogForm scaled(const LogForm& of, double factor) {
  if (!of) return {};
  const bool inverted = factor < 0;
  return {
      [=](Builder& b) { return factor == -1 ? b.neg(of.build(b)) : b.mul(of.build(b), factor); },
      inverted ? of.overflows : of.vanishes, inverted ? of.vanishes : of.overflows};
}

LogForm product(const LogForm& x, const LogForm& y) {
  if (!x || !y) return {};
  return {[=](Builder& b) { return b.add(x.build(b), y.build(b)); }, x.vanishes || y.vanishes,
          x.overflows || y.overflows};
}

LogForm quotient(const LogForm& x, const LogForm& y) {
  if (!x || !y) return {};
  return {[=](Builder& b) { return b.sub(x.build(b), y.build(b)); }, x.vanishes || y.overflows,
          x.overflows || y.vanishes};
}

LogForm sum(const LogForm& x, const LogForm& y) {
  if (!x || !y) return {};
  return {[=](Builder& b) { return log_add(b, x.build(b), y.build(b)); }, x.vanishes && y.vanishes,
          x.overflows || y.overflows};
}

LogForm sum_over(const LogForm& x, const std::vector<int64_t>& axes) {
  if (!x) return {};
  return {[=](Builder& b) { return log_sum_exp(b, x.build(b), axes); }, x.vanishes, x.overflows};
}

LogForm extremum(const std::string& op, const LogForm& x, const LogForm& y) {
  if (!x || !y) return {};
  const bool max = op == "max";
  const auto joined = [](bool all, bool p, bool q) { return all ? p && q : p || q; };
  return {[=](Builder& b) { return b.binary(op, x.build(b), y.build(b)); },
          joined(max, x.vanishes, y.vanishes), joined(!max, x.overflows, y.overflows)};
}

LogForm chosen(Value* condition, const LogForm& x, const LogForm& y) {
  if (!x || !y) return {};
  return {[=](Builder& b) { return b.select(condition, x.build(b), y.build(b)); },
          x.vanishes || y.vanishes, x.overflows || y.overflows};
}

LogForm joined(const std::vector<LogForm>& parts, int64_t axis) {
  LogForm result;
  for (const LogForm& part : parts) {
    if (!part) return {};
    result.vanishes = result.vanishes || part.vanishes;
    result.overflows = result.overflows || part.overflows;
  }
  result.build = [=](Builder& b) {
    std::vector<Value*> values;
    for (const LogForm& part : parts) values.push_back(part.build(b));
    return b.concat(values, axis);
  };
  return result;
}

}  // namespace

const LogForm& LogForms::find(Value* v, What what, LogForm (LogForms::*search)(Value*)) {
  const auto key = std::pair<const Value*, What>(v, what);
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  LogForm found = (this->*search)(v);
  if (found) {  // built once for all its readers
    found.build = [build = found.build, built = std::make_shared<Value*>(nullptr)](Builder& b) {
      if (*built == nullptr) *built = build(b);
      return *built;
    };
  }
  return known_.emplace(key, std::move(found)).first->second;
}

const LogForm& LogForms::log(Value* v) { return find(v, What::log, &LogForms::search_log); }
const LogForm& LogForms::complement(Value* v) {
  return find(v, What::complement, &LogForms::search_complement);
}
const LogForm& LogForms::log1p(Value* v) { return find(v, What::log1p, &LogForms::search_log1p); }

// Ops that do the same to a logarithm as to its number: they move elements, choose, or round.
LogForm LogForms::through(Value* v, const LogForm& (LogForms::*of)(Value*)) {
  Node* node = v->node;
  const auto& in = node->operands;
  const auto form = [&](size_t i) -> const LogForm& { return (this->*of)(in[i]); };
  if (node->op->family == ir::Family::movement || is_op(node, "cast")) {
    const LogForm& inner = form(0);
    if (!inner || !in[0]->type.is_float()) return {};
    return {[=](Builder& b) { return b.op(node->op->name, {inner.build(b)}, node->attributes); },
            inner.vanishes, inner.overflows};
  }
  if (is_op(node, "select")) return chosen(in[0], form(1), form(2));
  if (!is_op(node, "concat")) return {};
  std::vector<LogForm> parts;
  for (size_t i = 0; i < in.size(); ++i) parts.push_back(form(i));
  return joined(parts, node->attributes.integer("axis"));
}

LogForm LogForms::search_log(Value* v) {
  double number = 0;
  if (uniform_constant(v, number))
    return number > 0 ? constant_form(std::log(number), number, v) : LogForm{};
  if (v->node == nullptr || !v->type.is_float()) return {};
  if (LogForm moved = through(v, &LogForms::log)) return moved;
  if (Softmax softmax; match_softmax(v, softmax))
    return {[=](Builder& b) { return log_softmax(b, softmax); }, true, false};
  if (const Argument z = argument_of_sigmoid(v))
    return {[=](Builder& b) { return log_sigmoid(b, z(b)); }, true, false};
  const auto& in = v->node->operands;
  if (is_op(v, "exp")) {
    Value* x = in[0];
    return {[=](Builder&) { return x; }, true, !is_shifted(x)};
  }
  if (is_op(v, "softplus")) return {[=](Builder& b) { return log_softplus(b, v); }, true, false};
  if (Value* rest = complement_of(v)) return complement(rest);
  if (is_op(v, "add") || is_op(v, "reduce_sum")) return log_of_sum(v);
  if (is_op(v, "max") || is_op(v, "min"))
    return extremum(v->node->op->name, log(in[0]), log(in[1]));
  if (LogForm power = log_of_power(v)) return power;
  return log_of_pair(v);
}

LogForm LogForms::log_of_pair(Value* v) {
  if (is_op(v, "mul")) return product(log(v->node->operands[0]), log(v->node->operands[1]));
  if (is_op(v, "div")) return quotient(log(v->node->operands[0]), log(v->node->operands[1]));
  return {};
}

LogForm LogForms::log_of_power(Value* v) {
  if (is_op(v, "sqrt")) return scaled(log(v->node->operands[0]), 0.5);
  if (is_op(v, "rsqrt")) return scaled(log(v->node->operands[0]), -0.5);
  if (is_op(v, "reciprocal")) return scaled(log(v->node->operands[0]), -1);
  if (!is_op(v, "pow")) return {};
  const LogForm& base = log(v->node->operands[0]);
  Value* exponent = v->node->operands[1];
  if (!base) return {};
  const bool either = base.vanishes || base.overflows;
  return {[=](Builder& b) { return b.mul(exponent, base.build(b)); }, either, either};
}

LogForm LogForms::log_of_sum(Value* v) {
  const auto& in = v->node->operands;
  if (is_op(v, "add")) {
    for (size_t i = 0; i < 2; ++i) {
      Value* angle = is_op(in[i], "tanh") ? in[i]->node->operands[0] : nullptr;
      if (angle == nullptr || !is_constant(in[1 - i], 1)) continue;
      return {[=](Builder& b) {  // 1 + tanh(a) = 2·sigmoid(2a)
                return b.add(log_sigmoid(b, b.mul(angle, 2)), std::log(2.0));
              },
              true, false};
    }
    return sum(log(in[0]), log(in[1]));
  }
  // A sum that contains exp(0) by construction is what a stable form ends in: nothing to improve.
  if (is_op(in[0], "exp") && is_shifted(in[0]->node->operands[0]))
    return {[=](Builder& b) { return b.unary("log", v); }, false, false};
  return sum_over(log(in[0]), v->node->attributes.integers("axes"));
}

LogForm LogForms::search_complement(Value* v) {
  double number = 0;
  if (uniform_constant(v, number)) {
    if (number >= 1) return {};
    LogForm form = constant_form(std::log1p(-number), 1 - number, v);
    form.vanishes = rounds_to(number, 1, v->type.dtype);
    return form;
  }
  if (v->node == nullptr || !v->type.is_float()) return {};
  if (LogForm moved = through(v, &LogForms::complement)) return moved;
  const auto& in = v->node->operands;
  if (Softmax softmax; match_softmax(v, softmax))
    return {[=](Builder& b) { return log_other_classes(b, softmax); }, true, false};
  if (const Argument z = argument_of_sigmoid(v))
    return {[=](Builder& b) { return b.neg(b.unary("softplus", z(b))); }, true, false};
  if (is_op(v, "tanh")) {  // 1 - tanh(a) = 2·sigmoid(-2a)
    return {[a = in[0]](Builder& b) {
              return b.add(b.neg(b.unary("softplus", b.mul(a, 2))), std::log(2.0));
            },
            true, false};
  }
  if (Value* rest = complement_of(v)) return log(rest);
  if (is_op(v, "max")) return extremum("min", complement(in[0]), complement(in[1]));
  if (is_op(v, "min")) return extremum("max", complement(in[0]), complement(in[1]));
  if (LogForm mean = complement_of_mean(v)) return mean;
  return is_op(v, "mul") ? complement_of_product(v) : LogForm{};
}

// 1 - p·q = (1 - p) + p·(1 - q).
LogForm LogForms::complement_of_product(Value* v) {
  Value* p = v->node->operands[0];
  Value* q = v->node->operands[1];
  return sum(complement(p), product(log(p), complement(q)));
}

// 1 - Σp_i/n = Σ(1 - p_i)/n.
LogForm LogForms::complement_of_mean(Value* v) {
  double factor = 0;
  Value* total = scaled_by_constant(v, factor);
  if (total == nullptr || !(factor > 0)) return {};
  double terms = 1;
  const LogForm missing = shortfall(total, terms);
  if (!missing || terms == 1 || std::fabs(factor * terms - 1) > 1e-12) return {};
  return product(missing, constant_form(std::log(factor), factor, v));
}

// log Σ(1 - p_i) for the terms p_i of a sum, and their number.
LogForm LogForms::shortfall(Value* v, double& terms) {
  if (v->node == nullptr) return {};
  const auto& in = v->node->operands;
  if (v->node->op->family == ir::Family::movement) {
    const LogForm inner = shortfall(in[0], terms);
    if (!inner) return {};
    return {[=, node = v->node](Builder& b) {
              return b.op(node->op->name, {inner.build(b)}, node->attributes);
            },
            inner.vanishes, inner.overflows};
  }
  if (is_op(v, "add")) {
    double left = 1, right = 1;
    const LogForm x = shortfall(in[0], left), y = shortfall(in[1], right);
    terms = left + right;
    return sum(x, y);
  }
  if (!is_op(v, "reduce_sum")) return complement(v);
  const auto& axes = v->node->attributes.integers("axes");
  for (int64_t axis : axes) {
    const ir::Dim& dim = in[0]->type.shape[static_cast<size_t>(axis)];
    if (dim.batch) return {};  // the number of rows is not known
    terms *= static_cast<double>(dim.size);
  }
  return sum_over(complement(in[0]), axes);
}

LogForm LogForms::search_log1p(Value* v) {
  if (is_op(v, "neg")) return complement(v->node->operands[0]);
  double number = 0;
  if (is_op(v, "mul") && (is_constant(v->node->operands[1], -1)))
    return complement(v->node->operands[0]);
  if (uniform_constant(v, number) || !v->type.is_float()) return {};
  return sum(constant_form(0, 1, v), log(v));
}

LogForm LogForms::partial_log(Value* v) {
  if (v->node == nullptr || !v->type.is_float()) return {};
  const auto& in = v->node->operands;
  if (Value* rest = complement_of(v); rest != nullptr && is_op(rest, "exp"))
    return {[=](Builder& b) {  // 1 - exp(s) of a small s
              return b.unary("log", b.neg(b.unary("expm1", rest->node->operands[0])));
            },
            true, false};
  if (v->node->op->family == ir::Family::movement) {
    const LogForm inner = partial_log(in[0]);
    if (!inner) return {};
    return {[=, node = v->node](Builder& b) {
              return b.op(node->op->name, {inner.build(b)}, node->attributes);
            },
            inner.vanishes, inner.overflows};
  }
  if (!is_op(v, "mul") && !is_op(v, "div")) return {};
  const LogForm x = log(in[0]), y = log(in[1]);
  if (!x.needed() && !y.needed()) return {};
  const auto plain = [](Value* of) {
    return LogForm{[=](Builder& b) { return b.unary("log", of); }, true, true};
  };
  const LogForm left = x ? x : plain(in[0]), right = y ? y : plain(in[1]);
  return is_op(v, "mul") ? product(left, right) : quotient(left, right);
}

}  // namespace nnc::passes
