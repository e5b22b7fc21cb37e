// The functions that formulas may call, one entry each.
#include <algorithm>
#include <cmath>
#include <functional>

#include "compiler/layers/activations.h"
#include "compiler/layers/formula.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::layers {

namespace {

struct Function {
  std::string name;
  size_t least, most;  // operands without a name
  bool takes_axis;
  std::function<Operand(FormulaContext&, const Expression&)> build;
};

// ---- elementwise

Function elementwise(const std::string& name,
                     const std::function<ir::Value*(ir::Builder&, ir::Value*)>& build) {
  return {name, 1, 1, false, [build](FormulaContext& context, const Expression& call) {
            return Operand{build(context.b, build_number(context, *call.operands[0]))};
          }};
}

Function primitive(const std::string& name) {
  return elementwise(name, [name](ir::Builder& b, ir::Value* x) { return b.unary(name, x); });
}

ir::Value* step(ir::Builder& b, ir::Value* x) {
  ir::Value* reached = b.compare("ge", x, b.constant_like(0, x));
  return b.select(reached, b.constant_like(1, x), b.constant_like(0, x));
}

// The number behind an operand that must be constant (a slope, an axis).
double constant_operand(const Expression& e) {
  if (e.kind == Expression::Kind::number) return e.number;
  if (e.kind == Expression::Kind::unary && e.text == "-") return -constant_operand(*e.operands[0]);
  throw UserError(e.span, "this must be a plain number", "a number, such as -1");
}

double optional_constant(const Expression& call, size_t i, double otherwise) {
  return i < call.operands.size() ? constant_operand(*call.operands[i]) : otherwise;
}

// ---- along axes

std::vector<int64_t> axes_of(const Expression& call, const ir::Value* value) {
  const NamedOperand* named = nullptr;
  for (const NamedOperand& operand : call.named) {
    if (operand.name == "axis") named = &operand;
  }
  if (named == nullptr) return all_row_axes(value);
  std::vector<ExpressionPtr> items{named->value};
  if (named->value->kind == Expression::Kind::list) items = named->value->operands;
  std::vector<int64_t> axes;
  for (const ExpressionPtr& item : items) {
    const double number = constant_operand(*item);
    int64_t axis = 0;
    if (number != std::trunc(number) || std::fabs(number) > value->type.rank() ||
        !row_axis(value, static_cast<int64_t>(number), axis)) {
      throw UserError(item->span, "the value has no such axis",
                      "an axis of " + shape_text(row_shape(value)) +
                          ", counted from 0, or from the end with -1",
                      number_text(number));
    }
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) {
      throw UserError(item->span, "the axis is named twice");
    }
    axes.push_back(axis);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

Operand build_sum(FormulaContext& context, const Expression& call) {
  ir::Value* x = build_number(context, *call.operands[0]);
  return {context.b.sum(x, axes_of(call, x))};
}

Operand build_mean(FormulaContext& context, const Expression& call) {
  ir::Value* x = build_number(context, *call.operands[0]);
  return {mean(context.b, x, axes_of(call, x))};
}

// One operand: along axes; two: element by element.
Function extremum(const std::string& name) {
  return {
      name, 1, 2, true, [name](FormulaContext& context, const Expression& call) {
        ir::Value* x = build_number(context, *call.operands[0]);
        if (call.operands.size() == 2) {
          if (!call.named.empty()) {
            throw UserError(call.named[0].span, name + " of two values takes no axis");
          }
          return Operand{combine(context, name, x, build_number(context, *call.operands[1]), call)};
        }
        return Operand{context.b.reduce("reduce_" + name, x, axes_of(call, x))};
      }};
}

Function along_one_axis(const std::string& name,
                        ir::Value* (*build)(ir::Builder&, ir::Value*, int64_t)) {
  return {name, 1, 1, true, [name, build](FormulaContext& context, const Expression& call) {
            ir::Value* x = build_number(context, *call.operands[0]);
            if (row_shape(x).empty()) {
              throw UserError(call.span, name + " needs at least one axis", "a row of shape [n]",
                              "a single number per row");
            }
            if (call.named.empty()) return Operand{build(context.b, x, x->type.rank() - 1)};
            const std::vector<int64_t> axes = axes_of(call, x);
            if (axes.size() != 1) throw UserError(call.span, name + " works along one axis");
            return Operand{build(context.b, x, axes[0])};
          }};
}

// ---- others

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

Operand build_transpose(FormulaContext& context, const Expression& call) {
  ir::Value* x = build_number(context, *call.operands[0]);
  std::vector<int64_t> order;
  if (per_row(x)) order.push_back(0);
  const std::vector<int64_t> axes = all_row_axes(x);
  order.insert(order.end(), axes.rbegin(), axes.rend());
  return {context.b.transpose(x, order)};
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

std::vector<Function> make_functions() {
  std::vector<Function> all;
  for (const char* name :
       {"exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "atan", "tanh", "sigmoid",
        "erf", "relu", "floor", "round", "abs", "sign", "softplus", "stop_gradient"}) {
    all.push_back(primitive(name));
  }
  all.push_back(elementwise("tan", [](ir::Builder& b, ir::Value* x) {
    return b.div(b.unary("sin", x), b.unary("cos", x));
  }));
  all.push_back(elementwise("square", [](ir::Builder& b, ir::Value* x) { return b.mul(x, x); }));
  all.push_back(elementwise("step", step));
  // NaN alone is not itself.
  all.push_back(
      elementwise("missing", [](ir::Builder& b, ir::Value* x) { return b.compare("ne", x, x); }));
  for (const auto& [name, function] :
       std::vector<std::pair<std::string, ir::Value* (*)(ir::Builder&, ir::Value*)>>{
           {"selu", selu},
           {"mish", mish},
           {"softsign", softsign},
           {"log_sigmoid", log_sigmoid},
           {"relu6", relu6},
           {"hard_sigmoid", hard_sigmoid},
           {"hard_swish", hard_swish},
           {"hard_tanh", hard_tanh}}) {
    all.push_back(elementwise(name, function));
  }
  all.push_back(elementwise("gelu", gelu_exact));
  all.push_back(elementwise("swish", [](ir::Builder& b, ir::Value* x) { return swish(b, x, 1); }));
  all.push_back({"elu", 1, 2, false, [](FormulaContext& context, const Expression& call) {
                   ir::Value* x = build_number(context, *call.operands[0]);
                   return Operand{elu(context.b, x, optional_constant(call, 1, 1))};
                 }});
  all.push_back({"celu", 1, 2, false, [](FormulaContext& context, const Expression& call) {
                   ir::Value* x = build_number(context, *call.operands[0]);
                   return Operand{celu(context.b, x, optional_constant(call, 1, 1))};
                 }});
  all.push_back({"leaky_relu", 1, 2, false, [](FormulaContext& context, const Expression& call) {
                   ir::Value* x = build_number(context, *call.operands[0]);
                   return Operand{leaky_relu(context.b, x, optional_constant(call, 1, 0.01))};
                 }});
  all.push_back({"sum", 1, 1, true, build_sum});
  all.push_back({"mean", 1, 1, true, build_mean});
  all.push_back(extremum("max"));
  all.push_back(extremum("min"));
  all.push_back(along_one_axis("softmax", softmax));
  all.push_back(along_one_axis("log_softmax", log_softmax));
  all.push_back({"if", 3, 3, false, build_if});
  all.push_back({"transpose", 1, 1, false, build_transpose});
  all.push_back({"clip", 3, 3, false, build_clip});
  all.push_back({"inverse", 2, 2, false, build_inverse});
  // The value as the loss sees it: an output that is no bare name stays as it is.
  all.push_back(elementwise("prepared", [](ir::Builder&, ir::Value* x) { return x; }));
  return all;
}

const std::vector<Function>& functions() {
  static const std::vector<Function> table = make_functions();
  return table;
}

void check_operands(const Function& function, const Expression& call) {
  const size_t count = call.operands.size();
  if (count < function.least || count > function.most) {
    std::string expected = std::to_string(function.least);
    if (function.most > function.least) expected += " to " + std::to_string(function.most);
    throw UserError(call.span, "'" + function.name + "' is given the wrong number of values",
                    expected, std::to_string(count));
  }
  for (const NamedOperand& named : call.named) {
    if (named.name == "axis" && function.takes_axis) continue;
    throw UserError(named.span, "'" + function.name + "' takes no " + in_quotes(named.name),
                    function.takes_axis ? "axis=" : "values without names");
  }
}

}  // namespace

std::vector<std::string> formula_functions() {
  std::vector<std::string> names;
  for (const Function& function : functions()) names.push_back(function.name);
  return names;
}

Operand build_call(FormulaContext& context, const Expression& call) {
  for (const Function& function : functions()) {
    if (function.name != call.text) continue;
    check_operands(function, call);
    return function.build(context, call);
  }
  const auto near = nearest(call.text, formula_functions());
  throw UserError(call.span,
                  "there is no function " + in_quotes(call.text) +
                      (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                  near ? "" : "one of " + join(formula_functions(), "or"));
}

}  // namespace nnc::layers
