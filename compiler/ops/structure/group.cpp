#include "compiler/ops/record.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ops {
namespace {

std::vector<Type> infer_group(const InferInput& input) {
  internal_check(input.region != nullptr, "a group needs a region");
  const auto& params = input.region->params;
  bool fits = params.size() == input.operands.size();
  for (size_t i = 0; fits && i < params.size(); ++i) {
    fits = params[i].value->type == input.operands[i];
  }
  if (!fits) {
    reject(input, "a group has operands that are not those of its region",
           "one operand of the same type for each parameter");
  }
  std::vector<Type> results;
  for (const ir::Output& output : input.region->outputs) results.push_back(output.value->type);
  return results;
}

const Registration group({
    .name = "group",
    .family = Family::structure,
    .operands = -1,
    .doc = "Runs its region once: operands are its parameters, its outputs are the results. Fusion "
           "makes groups; each becomes one kernel.",
    .infer = infer_group,
    .eval =
        [](EvalContext& c) {
          c.results = ir::evaluate_region(*c.node.region, c.operands, {c.batch, c.seed, c.step});
        },
    .cost = 0,
});

}  // namespace
}  // namespace nnc::ops
