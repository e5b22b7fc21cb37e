#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

std::vector<Type> infer_reshape(const InferInput& input) {
  const Type& type = input.operands[0];
  const Shape& shape = input.attributes.shape("shape");
  int tags = 0;
  for (const Dim& dim : shape) tags += dim.batch ? 1 : 0;
  if (tags > 1 || product(shape) != product(type.shape)) {
    reject(input, "reshape cannot change the number of elements",
           "a value that fills " + to_string(shape, input.batch));
  }
  return {{type.dtype, shape}};
}

Dim times(const Dim& a, const Dim& b) {
  return {a.size * b.size, (a.batch || b.batch) && a.size * b.size != 0};
}

// Whether `a` holds fewer elements than `b` for sure: a factor that counts the batch is the larger.
bool behind(const Dim& a, const Dim& b) { return a.batch != b.batch ? b.batch : a.size < b.size; }

// Runs of old dimensions whose product is that of a run of new dimensions can be viewed if each old
// run is contiguous in itself; the new strides then count up from the run's last stride. This is
// NumPy's rule for reshaping without a copy, with dimensions that may count batch rows.
std::optional<ir::View> view_reshape(const Node& node, const ir::View& view) {
  Shape old_dims;
  std::vector<Dim> old_strides;
  const Shape& from = node.operands[0]->type.shape;
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == Dim{}) continue;
    old_dims.push_back(from[i]);
    old_strides.push_back(view.strides[i]);
  }
  const Shape& to = node.result()->type.shape;
  ir::View result{view.offset, std::vector<Dim>(to.size(), Dim{0, false})};
  std::vector<size_t> places;  // the new dimensions other than 1
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] != Dim{}) places.push_back(i);
  }
  size_t o = 0, n = 0;
  while (o < old_dims.size() && n < places.size()) {
    size_t o_end = o + 1, n_end = n + 1;
    Dim old_product = old_dims[o], new_product = to[places[n]];
    while (old_product != new_product) {
      if (behind(old_product, new_product)) {
        if (o_end == old_dims.size()) return std::nullopt;
        old_product = times(old_product, old_dims[o_end++]);
      } else {
        if (n_end == places.size()) return std::nullopt;
        new_product = times(new_product, to[places[n_end++]]);
      }
    }
    for (size_t i = o; i + 1 < o_end; ++i) {
      if (old_strides[i] != times(old_strides[i + 1], old_dims[i + 1])) return std::nullopt;
    }
    Dim stride = old_strides[o_end - 1];
    for (size_t i = n_end; i-- > n;) {
      result.strides[places[i]] = stride;
      stride = times(stride, to[places[i]]);
    }
    o = o_end;
    n = n_end;
  }
  return result;
}

std::vector<Sample> samples() {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{}, {{1}, {1}}},
      {{{1}, {1}}, {}},
      {{{6}}, {{2}, {3}}},
      {{{7}}, {{7}, {1}}},
      {{{3}, {5}, {4}}, {{15}, {4}}},
      {{{4}, {6}}, {{3}, {8}}},
      {{{1, true}, {4}, {7}}, {{1, true}, {28}}},
      {{{1, true}, {12}}, {{1, true}, {3}, {2}, {2}}},
      {{{1, true}, {5}}, {{5, true}}},
      {{{6, true}}, {{2, true}, {3}}},
      {{{13}, {66}}, {{26}, {33}}},
  };
  std::vector<Sample> list;
  for (const auto& [from, to] : cases) {
    const DType dtype = list.size() % 2 == 0 ? DType::f32 : DType::f64;
    list.push_back({.operands = {{dtype, from}}, .attributes = {{"shape", to}}});
  }
  return list;
}

const Registration reshape({
    .name = "reshape",
    .family = Family::movement,
    .doc = "The same elements in row-major order under another {shape} of as many elements.",
    .infer = infer_reshape,
    .vjp =
        [](VjpContext& c) {
          return Gradients{c.b.reshape(c.gradients[0], c.operand(0)->type.shape)};
        },
    .eval = [](EvalContext& c) { c.results[0].data = c.operands[0]->data; },
    .view = view_reshape,
    .cost = 0,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
