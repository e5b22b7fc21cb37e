// A value written out again: layout asks for it where kernels need an operand in another order.
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

const Registration copy({
    .name = "copy",
    .doc = "The operand itself, written to memory of its own in row-major order.",
    .infer = infer_elementwise("copy", Accept::any),
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.operand(0)->type.is_float() ? c.gradients[0] : nullptr};
        },
    .eval = eval_unary([](double a) { return a; }),
    .lower = [](LowerContext&, const std::vector<kernel::Value>& v) { return v[0]; },
    .cost = 0,
    .samples = [] { return float_samples(1); },
});

}  // namespace
}  // namespace nnc::ops
