// The memory plan and the barriers, checked by brute force: what lives at the same time may not
// overlap, and threads that run one after the other from barrier to barrier, in both orders, see
// what they should (the random graphs in unit/passes do the same over odd graphs).
#include <doctest/doctest.h>

#include <algorithm>

#include "compiler/kernel/plan.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_generator.h"
#include "tests/support/graph_runner.h"
#include "tests/support/mlp_step.h"

namespace {

using namespace nnc;

struct Planned {
  std::unique_ptr<ir::Graph> graph;
  kernel::Plan plan;
};

Planned plan_of(const ir::Graph& original) {
  Planned result{original.clone(), {}};
  passes::run_passes(*result.graph, passes::step_passes());
  std::map<std::string, size_t> offsets;
  size_t next = 0;
  for (const ir::Param& param : result.graph->params) {
    offsets[param.external_name] = next;
    next += static_cast<size_t>(param.value->type.elements(original.batch)) * 8 + 64;
  }
  result.plan = kernel::make_plan(*result.graph, offsets, kernel::Target{});
  return result;
}

// Barrier intervals in which each arena value is written or read, counted from the plan alone.
struct Life {
  int first = 0, last = 0;
  size_t begin = 0, end = 0;
};

std::map<const ir::Value*, Life> lives_of(const Planned& planned) {
  std::map<const ir::Value*, Life> lives;
  int now = 0;
  for (const kernel::PlannedGroup& group : planned.plan.groups) {
    now += group.barrier_before ? 1 : 0;
    for (const auto& result : group.facts.node->results) {
      const kernel::Place& place = planned.plan.places.at(result.get());
      if (place.kind != kernel::Place::Kind::arena) continue;
      const auto bytes = static_cast<size_t>(result->type.elements(planned.graph->batch)) *
                         abi::size_of(result->type.dtype);
      lives[result.get()] = {now, now, place.offset, place.offset + bytes};
    }
    for (const ir::Value* operand : group.facts.node->operands)
      if (auto it = lives.find(operand); it != lives.end()) it->second.last = now;
  }
  return lives;
}

void check_no_overlap(const Planned& planned) {
  const auto lives = lives_of(planned);
  for (auto a = lives.begin(); a != lives.end(); ++a) {
    CHECK(a->second.begin % 64 == 0);
    CHECK(a->second.end <= planned.plan.arena_bytes);
    for (auto b = std::next(a); b != lives.end(); ++b) {
      const Life &x = a->second, &y = b->second;
      const bool same_time = x.first <= y.last && y.first <= x.last;
      const bool same_place = x.begin < y.end && y.begin < x.end;
      CHECK_MESSAGE(!(same_time && same_place), a->first->name << " lies over " << b->first->name);
    }
  }
}

// Every state is assigned by one group, and groups that read the old value come before it.
void check_states(const Planned& planned) {
  for (const auto& node : planned.graph->nodes) {
    if (node->op->family != ir::Family::state) continue;
    bool written = false;
    for (const kernel::PlannedGroup& group : planned.plan.groups) {
      const ir::Node& now = *group.facts.node;
      if (written)
        for (const ir::Value* operand : now.operands) CHECK(operand != node->operands[0]);
      written = written || &now == node->operands[1]->node;
    }
    CHECK(written);
  }
}

TEST_CASE("values that live at the same time do not overlap") {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const auto planned = plan_of(*testing::generate_graph(seed, testing::random_options(seed)));
    check_no_overlap(planned);
    check_states(planned);
    for (int threads : {1, 2, 5})
      CHECK(kernel::arena_bytes(planned.plan, threads) >=
            kernel::live_bytes(planned.plan, threads));
  }
}

TEST_CASE("the step of a multilayer perceptron needs little memory and few barriers") {
  const std::vector<std::vector<int64_t>> networks = {
      {784, 32, 10}, {784, 128, 128, 128, 10}, {20, 17, 5}, {3, 64, 64, 64, 64, 2}};
  for (const auto& sizes : networks)
    for (int64_t batch : {1, 32, 128}) {
      CAPTURE(sizes.size());
      CAPTURE(sizes[0]);
      CAPTURE(batch);
      const auto planned = plan_of(*test::mlp_step(sizes, batch));
      check_no_overlap(planned);
      check_states(planned);
      // In pages, as the system gives it.
      const size_t page = 4096;
      const size_t allowed =
          (kernel::live_bytes(planned.plan, 1) * 115 / 100 + page - 1) / page * page;
      CHECK(kernel::arena_bytes(planned.plan, 1) <= allowed);
      // One before the weight gradients, which need all rows; one before weights are overwritten
      // that other groups read; one more for transposed weights. Layers that are cut by columns
      // wait for the whole of what comes before and after.
      int64_t by_columns = 0;
      for (const kernel::PlannedGroup& group : planned.plan.groups)
        by_columns += group.facts.slice.by_columns() && !group.facts.writes.empty() ? 1 : 0;
      CHECK(planned.plan.barriers <= 3 + 2 * by_columns);
    }
}

TEST_CASE(
    "the step of a multilayer perceptron is what the reference says, in any order of threads") {
  const auto graph = test::mlp_step({13, 20, 17, 5}, 21);
  auto params = test::random_params(*graph, 3, -0.5, 0.5);
  for (double& label : params["t"].data)
    label = static_cast<double>((&label - &params["t"].data[0]) % 5);
  params["rate"].data = {0.125};
  const auto expected = ir::evaluate(*graph, params);
  for (kernel::Isa isa : test::runnable_isas()) {
    const auto got = test::run_native(*graph, params, {.isa = isa, .same_bits_threads = {2, 3, 4}});
    for (const auto& [name, tensor] : expected) {
      CAPTURE(name);
      CHECK(test::distance(got.at(name), tensor) < 1e-5);
    }
  }
}

}  // namespace
