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
      const std::vector<int64_t> strides = ops::row_major_strides(expected.shape);
      size_t placed = 0;
      for (const Placement& part : op->placements(*node)) {
        const Tensor& operand = operands[static_cast<size_t>(part.operand)];
        const int64_t base = ops::flat_index(part.starts, strides);
        size_t k = 0;
        ops::for_each_index(operand.shape, [&](const std::vector<int64_t>& index) {
          const int64_t place = base + ops::flat_index(index, strides);
          CHECK(expected.data.at(static_cast<size_t>(place)) == operand.data[k++]);
        });
        placed += k;
      }
      for (double x : expected.data) placed -= x >= 100 ? 1 : 0;
      CHECK(placed == 0);  // nothing else of the operands is in the result
    }
  }
}

}  // namespace nnc::testing
