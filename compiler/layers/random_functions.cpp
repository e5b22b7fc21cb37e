// Random numbers in formulas. Each call in a formula draws from a stream of its own: the path of
// the formula and the number of the call in it.
#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

// One number per row, or the shape that the numbers have together.
std::vector<int64_t> common_shape(const std::vector<ir::Value*>& numbers, const Expression& call) {
  std::vector<int64_t> shape;
  for (const ir::Value* number : numbers) {
    std::vector<int64_t> both;
    if (!broadcast_rows(shape, row_shape(number), both)) {
      throw UserError(call.span, "the shapes of the two values do not fit",
                      "equal extents, or 1, in every axis counted from the last",
                      shape_text(shape) + " and " + shape_text(row_shape(number)));
    }
    shape = both;
  }
  return shape;
}

ir::Value* draw(FormulaContext& context, const std::string& op, const std::vector<int64_t>& shape,
                const Expression& call) {
  if (context.random == nullptr) {
    throw UserError(call.span, "random numbers cannot be drawn here",
                    "a formula of fields and numbers");
  }
  const std::string path = context.path + "#" + std::to_string(context.draws++);
  context.b.set_span(call.span);
  return context.random->draw(op, batch_shape(shape), path);
}

// start + width·drawn, where the call gives two numbers.
FormulaFunction drawing(const std::string& name, const std::string& op, const std::string& two,
                        const std::string& doc) {
  FormulaFunction function{
      .name = name, .operands = two + ", shape", .doc = doc, .least = 0, .most = 3};
  function.build = [name, op, two](FormulaContext& context, const Expression& call) {
    std::vector<ExpressionPtr> given = call.operands;
    ExpressionPtr shape;
    if (!given.empty() && is_shape(*given.back())) {
      shape = given.back();
      given.pop_back();
    }
    if (given.size() != 0 && given.size() != 2) {
      throw UserError(
          call.span, "'" + name + "' is given the wrong values",
          name + "(), " + name + "(" + two + "), or with a shape at the end: " + name + "([3])",
          to_string(call));
    }
    std::vector<ir::Value*> numbers;
    for (const ExpressionPtr& item : given) numbers.push_back(build_number(context, *item));
    ir::Value* drawn =
        draw(context, op, shape ? build_shape(context, *shape) : common_shape(numbers, call), call);
    if (numbers.empty()) return Operand{drawn};
    ir::Value* width =
        name == "normal" ? numbers[1] : combine(context, "sub", numbers[1], numbers[0], call);
    return Operand{
        combine(context, "add", numbers[0], combine(context, "mul", width, drawn, call), call)};
  };
  return function;
}

// 1 where a uniform number lies below p: no derivative flows to p.
Operand build_bernoulli(FormulaContext& context, const Expression& call) {
  ir::Value* p = build_number(context, *call.operands[0]);
  const std::vector<int64_t> shape =
      call.operands.size() == 2 ? build_shape(context, *call.operands[1]) : common_shape({p}, call);
  ir::Value* drawn = draw(context, "random_uniform", shape, call);
  ir::Value* below = combine(context, "lt", drawn, p, call);
  return {context.b.cast(below, context.dtype)};
}

}  // namespace

std::vector<FormulaFunction> random_functions() {
  return {
      drawing("normal", "random_normal", "mean, deviation",
              "normal random numbers; without mean and deviation 0 and 1"),
      drawing("uniform", "random_uniform", "low, high",
              "uniform random numbers, low <= x < high; without them between 0 and 1"),
      {.name = "bernoulli",
       .operands = "p, shape",
       .doc = "1 with probability p, else 0; in the shape of p, to which no derivative flows",
       .most = 2,
       .build = build_bernoulli},
  };
}

}  // namespace nnc::layers
