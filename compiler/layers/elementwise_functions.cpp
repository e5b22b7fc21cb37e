// Functions of formulas that work element by element.
#include <cmath>
#include <numbers>

#include "compiler/layers/activations.h"
#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using Unary = std::function<ir::Value*(ir::Builder&, ir::Value*)>;

FormulaFunction of_one(const std::string& name, const std::string& doc, const Unary& build) {
  return {.name = name,
          .operands = "x",
          .doc = doc,
          .build = [build](FormulaContext& context, const Expression& call) {
            return Operand{build(context.b, build_number(context, *call.operands[0]))};
          }};
}

// An op of the graph under its own name.
FormulaFunction primitive(const std::string& name, const std::string& doc) {
  return of_one(name, doc, [name](ir::Builder& b, ir::Value* x) { return b.unary(name, x); });
}

// A function with a slope or the like behind x, which must be a plain number.
FormulaFunction with_number(const std::string& name, const std::string& operands,
                            const std::string& doc, double otherwise,
                            ir::Value* (*build)(ir::Builder&, ir::Value*, double)) {
  return {.name = name,
          .operands = operands,
          .doc = doc,
          .most = 2,
          .build = [=](FormulaContext& context, const Expression& call) {
            ir::Value* x = build_number(context, *call.operands[0]);
            const bool given = call.operands.size() == 2;
            return Operand{
                build(context.b, x, given ? constant_operand(*call.operands[1]) : otherwise)};
          }};
}

FormulaFunction of_two(const std::string& name, const std::string& operands,
                       const std::string& doc) {
  return {.name = name,
          .operands = operands,
          .doc = doc,
          .least = 2,
          .most = 2,
          .build = [name](FormulaContext& context, const Expression& call) {
            ir::Value* first = build_number(context, *call.operands[0]);
            ir::Value* second = build_number(context, *call.operands[1]);
            return Operand{combine(context, name, first, second, call)};
          }};
}

ir::Value* step(ir::Builder& b, ir::Value* x) {
  ir::Value* reached = b.compare("ge", x, b.constant_like(0, x));
  return b.select(reached, b.constant_like(1, x), b.constant_like(0, x));
}

// Both parts keep their digits near 0.
ir::Value* sinh(ir::Builder& b, ir::Value* x) {
  return b.mul(b.sub(b.unary("expm1", x), b.unary("expm1", b.neg(x))), 0.5);
}

ir::Value* cosh(ir::Builder& b, ir::Value* x) {
  return b.mul(b.add(b.unary("exp", x), b.unary("exp", b.neg(x))), 0.5);
}

// The other side of the triangle with sides x and 1.
ir::Value* opposite(ir::Builder& b, ir::Value* x) {
  ir::Value* one = b.constant_like(1, x);
  return b.unary("sqrt", b.mul(b.sub(one, x), b.add(x, 1)));
}

std::vector<FormulaFunction> plain() {
  return {
      primitive("exp", "e to the power of x"),
      primitive("expm1", "exp(x) - 1, accurate near 0"),
      primitive("log", "natural logarithm"),
      of_one("log2", "logarithm to the base 2",
             [](ir::Builder& b, ir::Value* x) {
               return b.mul(b.unary("log", x), std::numbers::log2e);
             }),
      of_one("log10", "logarithm to the base 10",
             [](ir::Builder& b, ir::Value* x) {
               return b.mul(b.unary("log", x), std::numbers::log10e);
             }),
      primitive("log1p", "log(1 + x), accurate near 0"),
      primitive("sqrt", "square root"),
      primitive("rsqrt", "1 / sqrt(x)"),
      of_one("square", "x·x", [](ir::Builder& b, ir::Value* x) { return b.mul(x, x); }),
      primitive("abs", "|x|; its slope at 0 is 0"),
      primitive("sign", "-1, 0 or 1; its slope is 0"),
      primitive("floor", "the largest whole number that is not above x; its slope is 0"),
      of_one("ceil", "the smallest whole number that is not below x; its slope is 0",
             [](ir::Builder& b, ir::Value* x) { return b.neg(b.unary("floor", b.neg(x))); }),
      primitive("round", "the nearest whole number, halves to the even one; its slope is 0"),
      of_one("step", "1 where x >= 0, else 0", step),
      // NaN alone is not itself.
      of_one("missing", "whether x is a missing value (NaN)",
             [](ir::Builder& b, ir::Value* x) { return b.compare("ne", x, x); }),
      primitive("stop_gradient", "x itself, but no derivative flows back through it"),
      // An output that is no bare name stays as it is.
      of_one("prepared", "x as the loss sees it, not in the units of its field",
             [](ir::Builder&, ir::Value* x) { return x; }),
  };
}

std::vector<FormulaFunction> waves() {
  return {
      primitive("sin", "sine of an angle in radians"),
      primitive("cos", "cosine of an angle in radians"),
      of_one(
          "tan", "tangent of an angle in radians",
          [](ir::Builder& b, ir::Value* x) { return b.div(b.unary("sin", x), b.unary("cos", x)); }),
      of_one("asin", "the angle in [-π/2, π/2] whose sine is x",
             [](ir::Builder& b, ir::Value* x) {
               return b.op("atan2", {x, opposite(b, x)});
             }),
      of_one("acos", "the angle in [0, π] whose cosine is x",
             [](ir::Builder& b, ir::Value* x) {
               return b.op("atan2", {opposite(b, x), x});
             }),
      primitive("atan", "the angle in (-π/2, π/2) whose tangent is x"),
      of_two("atan2", "y, x", "the angle in [-π, π] of the point (x, y)"),
      of_one("sinh", "hyperbolic sine", sinh),
      of_one("cosh", "hyperbolic cosine", cosh),
      primitive("tanh", "hyperbolic tangent"),
      primitive("erf", "error function"),
  };
}

std::vector<FormulaFunction> activation_functions() {
  return {
      primitive("relu", "max(x, 0)"),
      primitive("sigmoid", "1 / (1 + exp(-x))"),
      of_one("log_sigmoid", "log(sigmoid(x)) without overflow", log_sigmoid),
      primitive("softplus", "log(1 + exp(x)) without overflow"),
      of_one("softsign", "x / (1 + |x|)", softsign),
      of_one("gelu", "x·Φ(x), Φ the distribution function of the normal distribution", gelu_exact),
      of_one("swish", "x·sigmoid(x)", [](ir::Builder& b, ir::Value* x) { return swish(b, x, 1); }),
      of_one("mish", "x·tanh(softplus(x))", mish),
      of_one("selu", "elu scaled so that it keeps mean 0 and variance 1", selu),
      of_one("relu6", "min(max(x, 0), 6)", relu6),
      of_one("hard_sigmoid", "sigmoid in straight lines: relu6(x + 3) / 6", hard_sigmoid),
      of_one("hard_swish", "x·hard_sigmoid(x)", hard_swish),
      of_one("hard_tanh", "x between -1 and 1, else the nearer bound", hard_tanh),
      with_number("elu", "x, alpha=1", "x above 0, alpha·(exp(x) - 1) below", 1, elu),
      with_number("celu", "x, alpha=1", "x above 0, alpha·(exp(x/alpha) - 1) below", 1, celu),
      with_number("leaky_relu", "x, slope=0.01", "x above 0, slope·x below", 0.01, leaky_relu),
  };
}

Operand build_if(FormulaContext& context, const Expression& call) {
  ir::Value* condition = build_condition(context, *call.operands[0]);
  ir::Value* yes = build_number(context, *call.operands[1]);
  ir::Value* no = build_number(context, *call.operands[2]);
  std::vector<int64_t> row;
  std::vector<int64_t> all;
  if (!broadcast_rows(row_shape(yes), row_shape(no), row) ||
      !broadcast_rows(row_shape(condition), row, all)) {
    throw UserError(call.span, "the shapes of the three values do not fit",
                    "equal extents, or 1, in every axis counted from the last",
                    shape_text(row_shape(condition)) + ", " + shape_text(row_shape(yes)) + " and " +
                        shape_text(row_shape(no)));
  }
  const bool batch = per_row(condition) || per_row(yes) || per_row(no);
  return {context.b.select(spread(context.b, condition, all, batch),
                           spread(context.b, yes, all, batch), spread(context.b, no, all, batch))};
}

Operand build_clip(FormulaContext& context, const Expression& call) {
  ir::Value* x = build_number(context, *call.operands[0]);
  ir::Value* low = build_number(context, *call.operands[1]);
  ir::Value* high = build_number(context, *call.operands[2]);
  return {combine(context, "min", combine(context, "max", x, low, call), high, call)};
}

Operand build_inverse(FormulaContext& context, const Expression& call) {
  const Expression& field = *call.operands[1];
  if (field.kind != Expression::Kind::name) {
    throw UserError(field.span, "inverse needs the name of a field", "inverse(value, field)");
  }
  if (context.units == nullptr) {
    throw UserError(call.span, "inverse cannot be called here", "outputs, losses or metrics");
  }
  return {
      context.units->inverse(build_number(context, *call.operands[0]), {field.text, field.span})};
}

std::vector<FormulaFunction> of_several() {
  return {
      {.name = "if",
       .operands = "condition, a, b",
       .doc = "a where the condition holds, else b",
       .least = 3,
       .most = 3,
       .build = build_if},
      {.name = "clip",
       .operands = "x, low, high",
       .doc = "x between low and high, else the nearer bound",
       .least = 3,
       .most = 3,
       .build = build_clip},
      {.name = "pow",
       .operands = "a, b",
       .doc = "a to the power of b, as a^b",
       .least = 2,
       .most = 2,
       .build =
           [](FormulaContext& context, const Expression& call) {
             return Operand{build_power(context, *call.operands[0], *call.operands[1], call)};
           }},
      {.name = "inverse",
       .operands = "x, field",
       .doc = "x in the units of the field: what its prepare steps did is undone",
       .least = 2,
       .most = 2,
       .build = build_inverse},
  };
}

}  // namespace

std::vector<FormulaFunction> elementwise_functions() {
  std::vector<FormulaFunction> all;
  for (auto family : {plain, waves, gamma_functions, activation_functions, of_several}) {
    for (FormulaFunction& function : family()) all.push_back(std::move(function));
  }
  return all;
}

}  // namespace nnc::layers
