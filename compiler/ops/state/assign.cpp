#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

const Registration assign({
    .name = "assign",
    .family = Family::state,
    .operands = 2,
    .doc =
        "Gives a state (the first operand) a new value (the second, of its type). All readers of "
        "the state in the same program see the old value. No result.",
    .infer =
        [](const InferInput& input) {
          if (input.operands[0] != input.operands[1]) {
            reject(input, "a state cannot take this value", "a value of the state's own type");
          }
          return std::vector<Type>{};
        },
    .eval = [](EvalContext&) {},  // the evaluator keeps the new value aside until the end
    .cost = 0,
    .pure = false,
    .samples = [] { return typed_samples(2, DType::f32, -2, 2); },
});

}  // namespace
}  // namespace nnc::ops
