// Functions of formulas that work along axes of a row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/layers/activations.h"
#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::layers {

namespace {

bool keeps(const Expression& call) {
  const NamedOperand* keep = named_operand(call, "keepdims");
  return keep != nullptr && constant_operand(*keep->value) != 0;
}

using Fold = std::function<ir::Value*(ir::Builder&, ir::Value*, const std::vector<int64_t>&, bool)>;

Operand fold(FormulaContext& context, const Expression& call, const Fold& build) {
  ir::Value* x = build_number(context, *call.operands[0]);
  return {build(context.b, x, axes_of(call, x), keeps(call))};
}

FormulaFunction folding(const std::string& name, const std::string& doc, const Fold& build) {
  return {.name = name,
          .operands = "x, axis=",
          .doc = doc,
          .named = {"axis", "keepdims"},
          .build = [build](FormulaContext& context, const Expression& call) {
            return fold(context, call, build);
          }};
}

// One operand: along axes; two: element by element.
FormulaFunction extremum(const std::string& name, const std::string& what) {
  FormulaFunction function =
      folding(name, "the " + what + " along axes; " + name + "(a, b): element by element",
              [name](ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes, bool keep) {
                return b.reduce("reduce_" + name, x, axes, keep);
              });
  function.most = 2;
  function.build = [name, along = function.build](FormulaContext& context, const Expression& call) {
    if (call.operands.size() == 1) return along(context, call);
    if (!call.named.empty()) {
      throw UserError(call.named[0].span,
                      name + " of two values takes no " + in_quotes(call.named[0].name));
    }
    ir::Value* first = build_number(context, *call.operands[0]);
    ir::Value* second = build_number(context, *call.operands[1]);
    return Operand{combine(context, name, first, second, call)};
  };
  return function;
}

// `folded`, from which the axes are gone, in the shape of `x` again.
ir::Value* spread_back(ir::Builder& b, ir::Value* folded, const ir::Value* x,
                       const std::vector<int64_t>& axes) {
  std::vector<int64_t> left;
  for (int64_t axis = 0; axis < x->type.rank(); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) left.push_back(axis);
  }
  return b.broadcast(folded, x->type.shape, left);
}

ir::Value* variance(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes, bool keep) {
  ir::Value* rest = b.sub(x, spread_back(b, mean(b, x, axes), x, axes));
  return mean(b, b.mul(rest, rest), axes, keep);
}

// The square root of a sum of squares; at 0, where it has a kink, its slope counts as 0.
ir::Value* root(ir::Builder& b, ir::Value* squares) {
  ir::Value* zero = b.constant_like(0, squares);
  ir::Value* nothing = b.compare("eq", squares, zero);
  ir::Value* safe = b.select(nothing, b.constant_like(1, squares), squares);
  return b.select(nothing, zero, b.unary("sqrt", safe));
}

ir::Value* norm(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes, bool keep) {
  return root(b, b.sum(b.mul(x, x), axes, keep));
}

// The largest value is taken out in front of exp; an infinite one stays in.
ir::Value* log_sum_exp(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes, bool keep) {
  ir::Value* top = b.stop_gradient(b.reduce("reduce_max", x, axes));
  ir::Value* infinity = b.constant_like(std::numeric_limits<double>::infinity(), top);
  ir::Value* finite = b.compare("lt", b.unary("abs", top), infinity);
  top = b.select(finite, top, b.constant_like(0, top));
  ir::Value* e = b.unary("exp", b.sub(x, spread_back(b, top, x, axes)));
  ir::Value* sum = b.add(b.unary("log", b.sum(e, axes)), top);
  if (!keep) return sum;
  ir::Shape shape = x->type.shape;
  for (const int64_t axis : axes) shape[static_cast<size_t>(axis)] = {1, false};
  return b.reshape(sum, shape);
}

FormulaFunction along_one_axis(
    const std::string& name, const std::string& doc,
    const std::function<ir::Value*(FormulaContext&, ir::Value*, int64_t)>& build) {
  return {.name = name,
          .operands = "x, axis=-1",
          .doc = doc,
          .named = {"axis"},
          .build = [name, build](FormulaContext& context, const Expression& call) {
            ir::Value* x = build_number(context, *call.operands[0]);
            if (row_shape(x).empty()) {
              throw UserError(call.span, name + " needs at least one axis", "a row of shape [n]",
                              "a single number per row");
            }
            if (call.named.empty()) return Operand{build(context, x, x->type.rank() - 1)};
            const std::vector<int64_t> axes = axes_of(call, x);
            if (axes.size() != 1) throw UserError(call.span, name + " works along one axis");
            return Operand{build(context, x, axes[0])};
          }};
}

int64_t axis_of(const Expression& item, const ir::Value* value) {
  const double number = constant_operand(item);
  int64_t axis = 0;
  if (number != std::trunc(number) || std::fabs(number) > value->type.rank() ||
      !row_axis(value, static_cast<int64_t>(number), axis)) {
    const std::vector<int64_t> row = row_shape(value);
    throw UserError(
        item.span, "the value has no such axis",
        row.empty() ? "no axis: the value is a single number per row"
                    : "an axis of " + shape_text(row) + ", counted from 0, or from the end with -1",
        number_text(number));
  }
  return axis;
}

}  // namespace

std::vector<int64_t> axes_of(const Expression& call, const ir::Value* value) {
  const NamedOperand* named = named_operand(call, "axis");
  if (named == nullptr) return all_row_axes(value);
  std::vector<ExpressionPtr> items{named->value};
  if (named->value->kind == Expression::Kind::list) items = named->value->operands;
  std::vector<int64_t> axes;
  for (const ExpressionPtr& item : items) {
    const int64_t axis = axis_of(*item, value);
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) {
      throw UserError(item->span, "the axis is named twice");
    }
    axes.push_back(axis);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

std::vector<FormulaFunction> axis_functions() {
  return {
      folding("sum", "the sum along axes",
              [](ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes, bool keep) {
                return b.sum(x, axes, keep);
              }),
      folding("mean", "the mean along axes", mean),
      folding("var", "the mean squared distance from the mean along axes", variance),
      folding("std", "the square root of the variance; its slope at 0 counts as 0",
              [](ir::Builder& b, ir::Value* x, const std::vector<int64_t>& axes, bool keep) {
                return root(b, variance(b, x, axes, keep));
              }),
      extremum("max", "largest value"),
      extremum("min", "smallest value"),
      folding("norm", "the Euclidean length along axes; its slope at 0 counts as 0", norm),
      folding("logsumexp", "log(sum(exp(x))) along axes without overflow", log_sum_exp),
      along_one_axis("softmax", "exp(x) divided by its sum along the axis",
                     [](FormulaContext& context, ir::Value* x, int64_t axis) {
                       return softmax(context.b, x, axis);
                     }),
      along_one_axis("log_softmax", "log(softmax(x)) without overflow",
                     [](FormulaContext& context, ir::Value* x, int64_t axis) {
                       return log_softmax(context.b, x, axis);
                     }),
      along_one_axis("argmax", "where along the axis the largest value stands, counted from 0",
                     [](FormulaContext& context, ir::Value* x, int64_t axis) {
                       return context.b.cast(context.b.argmax(x, axis), context.dtype);
                     }),
  };
}

}  // namespace nnc::layers
