// What every record must have, and what holds for every op's samples.
#include <doctest/doctest.h>

#include <set>

#include "compiler/ir/builder.h"
#include "tests/support/op_samples.h"

namespace nnc::testing {

using namespace nnc::ir;

TEST_CASE("records are complete") {
  for (const OpDef* op : all_ops()) {
    CAPTURE(op->name);
    CHECK(op->doc.size() > 3);
    CHECK(op->infer);
    CHECK(op->eval);
    CHECK((op->samples || op->family == Family::structure));
    switch (op->family) {
      case Family::elementwise:
      case Family::reduction: CHECK(op->lower); break;
      case Family::generator: CHECK(op->lower_index); break;
      case Family::movement: CHECK(op->view); break;
      case Family::placement: CHECK(op->placements); break;
      case Family::contraction:
      case Family::state:
      case Family::structure: break;
    }
  }
  CHECK(all_ops().size() > 50);
}

TEST_CASE("samples cover the ranks from 0 to 4, both float types and batch rows") {
  for (const OpDef* op : all_ops()) {
    if (!op->samples || op->family != Family::elementwise) continue;
    CAPTURE(op->name);
    const std::vector<Sample> samples = op->samples();
    CHECK(samples.size() >= 3);
    std::set<int> ranks;
    bool batch = false;
    for (const Sample& sample : samples) {
      ranks.insert(sample.operands[0].rank());
      batch = batch || has_batch(sample.operands[0].shape);
    }
    CHECK(ranks.count(0) == 1);
    CHECK(batch);
  }
}

TEST_CASE("every sample builds, verifies, evaluates and survives its text form") {
  std::mt19937_64 random(3);
  for (const OpDef* op : all_ops()) {
    if (!op->samples) continue;
    const std::vector<Sample> samples = op->samples();
    for (size_t i = 0; i < samples.size(); ++i) {
      CAPTURE(describe(*op, samples[i], i));
      const SampleGraph sample = sample_graph(*op, samples[i], random);
      CHECK_NOTHROW(verify(*sample.graph));
      const std::string text = print(*sample.graph);
      const auto again = parse(text);
      CHECK(print(*again) == text);
      const Tensors results = evaluate(*sample.graph, sample.values);
      const Tensors repeated = evaluate(*again, sample.values);
      CHECK(results.size() >= 1);
      for (const auto& [name, tensor] : results) {
        CHECK(tensor.data == repeated.at(name).data);
        for (double x : tensor.data) CHECK_FALSE(std::isnan(x));
      }
    }
  }
}

}  // namespace nnc::testing
