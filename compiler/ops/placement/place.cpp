#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

using List = std::vector<int64_t>;

List steps_of(const Attributes& attributes) {
  return attributes.has("steps") ? attributes.integers("steps")
                                 : List(attributes.shape("shape").size(), 1);
}

// Whether `count` elements from `start` on, `step` apart, are elements of a dimension.
bool within(const Dim& count, const Dim& whole, int64_t start, int64_t step) {
  if (count.batch || whole.batch) return count == whole && start == 0 && step == 1;
  const int64_t last = start + (count.size - 1) * step;
  return step != 0 && start >= 0 && start < whole.size && last >= 0 && last < whole.size;
}

std::vector<Type> infer_place(const InferInput& input) {
  const Shape& shape = input.attributes.shape("shape");
  const List& starts = input.attributes.integers("starts");
  const List steps = steps_of(input.attributes);
  bool fits = !input.operands.empty() && steps.size() == shape.size() &&
              starts.size() == input.operands.size() * shape.size();
  size_t next = 0;
  for (const Type& type : input.operands) {
    fits = fits && type.dtype == input.operands[0].dtype && type.shape.size() == shape.size();
    for (size_t d = 0; fits && d < shape.size(); ++d) {
      fits = within(type.shape[d], shape[d], starts[next++], steps[d]);
    }
  }
  if (!fits) {
    reject(input, "place does not fit its operands",
           "operands of one element type that lie within " + to_string(shape, input.batch) +
               ", whole in dimensions of batch rows");
  }
  return {{input.operands[0].dtype, shape}};
}

std::vector<ir::Placement> placements(const Node& node) {
  const List& starts = node.attributes.integers("starts");
  const auto rank = static_cast<std::ptrdiff_t>(node.result()->type.shape.size());
  std::vector<ir::Placement> list;
  for (size_t i = 0; i < node.operands.size(); ++i) {
    const auto begin = starts.begin() + static_cast<std::ptrdiff_t>(i) * rank;
    list.push_back({.operand = static_cast<int>(i),
                    .starts = {begin, begin + rank},
                    .steps = steps_of(node.attributes)});
  }
  return list;
}

Gradients vjp_place(VjpContext& c) {
  Gradients gradients;
  for (const ir::Placement& part : placements(c.node)) {
    gradients.push_back(
        c.b.slice(c.gradients[0], part.starts, c.operand(part.operand)->type.shape, part.steps));
  }
  return gradients;
}

void eval_place(EvalContext& c) {
  Tensor& out = c.results[0];
  for (double& x : out.data) x = c.node.attributes.number("value");
  const List strides = row_major_strides(out.shape);
  for (const ir::Placement& part : placements(c.node)) {
    const Tensor& a = *c.operands[static_cast<size_t>(part.operand)];
    size_t next = 0;
    for_each_index(a.shape, [&](List index) {
      for (size_t d = 0; d < index.size(); ++d)
        index[d] = part.starts[d] + index[d] * part.steps[d];
      out.data[static_cast<size_t>(flat_index(index, strides))] = a.data[next++];
    });
  }
}

std::vector<Sample> samples() {
  struct Case {
    std::vector<Shape> operands;
    Shape shape;
    List starts, steps;
  };
  const std::vector<Case> cases = {
      {{{{3}}}, {{11}}, {1}, {4}},
      {{{{4}}, {{3}}}, {{7}}, {0, 1}, {2}},
      {{{{5}}}, {{5}}, {4}, {-1}},
      {{{{1, true}, {3}, {2}}, {{1, true}, {2}, {2}}},
       {{1, true}, {5}, {2}},
       {0, 0, 0, 0, 1, 0},
       {1, 2, 1}},
      {{{{1, true}, {2}, {4}, {3}}}, {{1, true}, {6}, {4}, {3}}, {0, 5, 0, 0}, {1, -3, 1, 1}},
      {{{{2}, {3}}, {{2}, {2}}}, {{5}, {6}}, {0, 0, 3, 1}, {1, 2}},
      {{{{17}, {33}}, {{16}, {33}}}, {{33}, {35}}, {0, 1, 1, 1}, {2, 1}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    for (DType dtype : {DType::f32, DType::f64}) {
      Sample sample{.operands = {},
                    .attributes = {{"shape", item.shape},
                                   {"starts", item.starts},
                                   {"steps", item.steps},
                                   {"value", list.size() % 3 == 0 ? 0.5 : 0.0}}};
      for (const Shape& shape : item.operands) sample.operands.push_back({dtype, shape});
      list.push_back(sample);
    }
  }
  return list;
}

const Registration place({
    .name = "place",
    .family = Family::placement,
    .operands = -1,
    .doc = "The operands at places of a result of {shape} that is {value} elsewhere. Element i of "
           "a dimension goes to start + i·step: {starts} holds one start for each dimension of "
           "the first operand, then of the second …; {steps} (1 if left out, negative: backwards) "
           "one step for each dimension. No two elements go to one place.",
    .infer = infer_place,
    .vjp = vjp_place,
    .eval = eval_place,
    .placements = placements,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
