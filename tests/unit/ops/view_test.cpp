// Views and placements say where elements lie. The reference moves numbers; give it the addresses
// as numbers, and both must agree.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "compiler/ops/record.h"
#include "tests/support/op_samples.h"

namespace nnc::testing {
namespace {

using namespace nnc::ir;

int64_t address(const View& view, const std::vector<int64_t>& index, int64_t batch) {
  int64_t place = view.offset;
  for (size_t i = 0; i < index.size(); ++i) place += index[i] * view.strides[i].extent(batch);
  return place;
}

// A buffer that holds the dimensions of `shape` in the given order, from outermost to innermost.
View strided(const Shape& shape, const std::vector<size_t>& order) {
  View view{5, std::vector<Dim>(shape.size())};
  Dim stride{1, false};
  for (size_t i = order.size(); i-- > 0;) {
    view.strides[order[i]] = stride;
    const Dim& dim = shape[order[i]];
    stride = {stride.size * dim.size, stride.batch || dim.batch};
  }
  return view;
}

std::vector<int64_t> extents(const Shape& shape, int64_t batch) {
  std::vector<int64_t> sizes;
  for (const Dim& dim : shape) sizes.push_back(dim.extent(batch));
  return sizes;
}

// The node of a sample's op with its operands as parameters, whatever their shape.
const Node* build(Graph& graph, const OpDef& op, const Sample& sample) {
  std::vector<Value*> operands;
  for (const Type& type : sample.operands) {
    operands.push_back(graph.add_param(ParamKind::state, "a", type));
  }
  return graph.add(&op, operands, sample.attributes);
}

Tensor addresses(const Type& type, const View& view, int64_t batch) {
  Tensor tensor{extents(type.shape, batch), {}};
  ops::for_each_index(tensor.shape, [&](const std::vector<int64_t>& index) {
    tensor.data.push_back(static_cast<double>(address(view, index, batch)));
  });
  return tensor;
}

Tensor evaluate_node(const Node& node, const std::vector<Tensor>& operands, int64_t batch) {
  const Type& type = node.result()->type;
  std::vector<Tensor> results = {{extents(type.shape, batch), {}}};
  results[0].data.resize(static_cast<size_t>(type.elements(batch)));
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : operands) pointers.push_back(&tensor);
  EvalContext context{node, pointers, results, batch};
  node.op->eval(context);
  return results[0];
}

}  // namespace

TEST_CASE("the view of a movement finds what the reference moves") {
  int views = 0, refusals = 0;
  for (const OpDef* op : all_ops()) {
    if (op->family != Family::movement) continue;
    const std::vector<Sample> samples = op->samples();
    for (size_t i = 0; i < samples.size(); ++i) {
      CAPTURE(describe(*op, samples[i], i));
      Graph graph("g", 3);
      const Node* node = build(graph, *op, samples[i]);
      const Type& type = samples[i].operands[0];
      std::vector<size_t> order(type.shape.size());
      std::iota(order.begin(), order.end(), 0);
      do {  // every way to lay out the operand's dimensions
        const View view = strided(type.shape, order);
        const std::optional<View> result = op->view(*node, view);
        const bool row_major = std::is_sorted(order.begin(), order.end());
        CHECK((result.has_value() || !row_major));
        (result ? views : refusals)++;
        if (!result) continue;
        for (int64_t batch : {1, 3, 7}) {
          const Tensor moved = evaluate_node(*node, {addresses(type, view, batch)}, batch);
          CHECK(moved.data == addresses(node->result()->type, *result, batch).data);
        }
      } while (std::next_permutation(order.begin(), order.end()));
    }
  }
  CHECK(views > 150);
  CHECK(refusals > 10);  // some reshapes of transposed values need a copy
}

namespace {

// The result as the record's placements say it.
std::vector<double> placed(const Node& node, const std::vector<Tensor>& operands,
                           const Tensor& expected) {
  const double fill =
      node.attributes.has("value") && !node.op->accumulates ? node.attributes.number("value") : 0;
  std::vector<double> out(expected.data.size(), fill);
  const std::vector<int64_t> strides = ops::row_major_strides(expected.shape);
  for (const Placement& part : node.op->placements(node)) {
    const Tensor& operand = operands[static_cast<size_t>(part.operand)];
    size_t next = 0;
    ops::for_each_index(operand.shape, [&](const std::vector<int64_t>& index) {
      const double x = operand.data[next++];
      int64_t place = 0;
      size_t d = 0;
      for (size_t i = 0; i < index.size(); ++i) {
        if (!part.fixed.empty() && part.fixed[i] >= 0) {
          if (index[i] != part.fixed[i]) return;
          continue;
        }
        const int64_t step = part.steps.empty() ? 1 : part.steps[d];
        place += (part.starts[d] + index[i] * step) * strides[d];
        ++d;
      }
      double& to = out.at(static_cast<size_t>(place));
      to = node.op->accumulates ? to + x : x;
    });
  }
  return out;
}

}  // namespace

TEST_CASE("placements put operands where the reference puts them") {
  for (const OpDef* op : all_ops()) {
    if (op->family != Family::placement) continue;
    const std::vector<Sample> samples = op->samples();
    for (size_t i = 0; i < samples.size(); ++i) {
      CAPTURE(describe(*op, samples[i], i));
      Graph graph("g", 3);
      const Node* node = build(graph, *op, samples[i]);
      std::vector<Tensor> operands;
      double next = 100;
      for (const Type& type : samples[i].operands) {
        Tensor tensor{extents(type.shape, 3), {}};
        tensor.data.resize(static_cast<size_t>(type.elements(3)));
        for (double& x : tensor.data) x = next++;
        operands.push_back(tensor);
      }
      const Tensor expected = evaluate_node(*node, operands, 3);
      CHECK(placed(*node, operands, expected) == expected.data);
    }
  }
}

}  // namespace nnc::testing
