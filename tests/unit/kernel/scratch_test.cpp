// Scratch memory: what a kernel stores there at a place known in advance lies in the bytes that its
// slice asked for. The next thread's memory begins behind them.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "compiler/ir/builder.h"
#include "compiler/kernel/program.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_generator.h"
#include "tests/support/mlp_step.h"

namespace {

using namespace nnc;

// The end of the last store to `scratch` whose index is a constant.
class LastStore {
 public:
  explicit LastStore(int scratch) : scratch_(scratch) {}

  int64_t of(const kernel::Block& block) {
    for (const kernel::Instruction& instruction : block.instructions) {
      if (instruction.op == kernel::Op::constant)
        constants_[instruction.results[0].id] = instruction.imm;
      if (instruction.op == kernel::Op::store && instruction.operands[1].id == scratch_)
        take(instruction.type, instruction.operands[2].id);
      if (instruction.body) of(*instruction.body);
      if (instruction.other) of(*instruction.other);
    }
    return last_;
  }

 private:
  void take(kernel::Type type, int index) {
    const auto known = constants_.find(index);
    if (known == constants_.end()) return;
    last_ = std::max(last_, (known->second + type.lanes) * kernel::bytes_of(type.scalar));
  }

  int scratch_;
  std::map<int, int64_t> constants_;
  int64_t last_ = 0;
};

// How many kernels store in scratch memory at known places.
int check_scratch(const ir::Graph& original, kernel::Isa isa) {
  const auto graph = original.clone();
  passes::run_passes(*graph, passes::step_passes());
  std::map<std::string, size_t> offsets;
  for (const ir::Param& param : graph->params) offsets[param.external_name] = 0;
  const auto program = kernel::lower_program(*graph, offsets, kernel::target_for(isa));
  int checked = 0;
  for (size_t g = 0; g < program.groups.size(); ++g) {
    const kernel::Function& function = *program.module.find(program.groups[g].function);
    const auto& names = function.param_names;
    const auto scratch = std::find(names.begin(), names.end(), "scratch");
    if (scratch == names.end()) continue;
    const auto& params = function.body.params;
    const int64_t last =
        LastStore(params[static_cast<size_t>(scratch - names.begin())].id).of(function.body);
    CHECK(last <= program.plan.groups[g].facts.slice.scratch_bytes);
    checked += last > 0 ? 1 : 0;
  }
  return checked;
}

// elu, as a step that learns computes it: its gradient asks for the comparison, so that the first
// output of the group that sums is bool.
std::unique_ptr<ir::Graph> elu_of_product(ir::DType dtype) {
  auto graph = std::make_unique<ir::Graph>("step", 64);
  ir::Builder b(*graph);
  const auto weight = [&](const char* name, std::vector<int64_t> shape) {
    return graph->add_param(ir::ParamKind::state, name, {dtype, ir::fixed_shape(shape)}, name);
  };
  ir::Value *x = weight("x", {64, 33}), *w = weight("w", {33, 96});
  ir::Value* h = b.contract(x, w, {1}, {0});
  ir::Value* positive = b.compare("gt", h, b.constant(0, dtype, h->type.shape));
  ir::Value* below = b.sub(b.unary("exp", h), b.constant(1, dtype, h->type.shape));
  graph->add_output("y", b.select(positive, h, below));
  graph->add_output("positive", positive);
  b.assign(x, b.mul(x, b.constant(0.5, dtype, x->type.shape)));
  return graph;
}

constexpr kernel::Isa isas[] = {kernel::Isa::sse2, kernel::Isa::avx2, kernel::Isa::avx512};

}  // namespace

TEST_CASE("sums of doubles have their room, whatever else a group computes first") {
  for (const kernel::Isa isa : isas)
    for (const ir::DType dtype : {ir::DType::f32, ir::DType::f64})
      CHECK(check_scratch(*elu_of_product(dtype), isa) > 0);
}

TEST_CASE("stores to scratch memory stay in it") {
  int checked = 0;
  for (const kernel::Isa isa : isas) {
    for (const int64_t batch : {1, 16, 31, 128})
      checked += check_scratch(*test::mlp_step({20, 17, 64, 5}, batch), isa);
    for (uint64_t seed = 1; seed <= 60; ++seed)
      checked += check_scratch(*testing::generate_graph(seed, testing::random_options(seed)), isa);
  }
  CHECK(checked > 12);
}
