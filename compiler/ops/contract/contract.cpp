#include <algorithm>

#include "compiler/ops/record.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ops {
namespace {

using Axes = std::vector<int64_t>;

// The axes of one operand by their role. Those of `lhs` and `rhs` correspond pairwise.
struct Side {
  Axes batch, summed, free;
};

Side side_of(const Attributes& attributes, const std::string& name, size_t rank) {
  Side side{attributes.integers(name + "_batch"), attributes.integers(name), {}};
  for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis) {
    const bool batch = std::find(side.batch.begin(), side.batch.end(), axis) != side.batch.end();
    const bool summed =
        std::find(side.summed.begin(), side.summed.end(), axis) != side.summed.end();
    if (!batch && !summed) side.free.push_back(axis);
  }
  return side;
}

Side side_of(const Node& node, int operand) {
  return side_of(node.attributes, operand == 0 ? "lhs" : "rhs",
                 node.operands[static_cast<size_t>(operand)]->type.shape.size());
}

bool valid(const Side& side, size_t rank) {
  Axes all = side.batch;
  all.insert(all.end(), side.summed.begin(), side.summed.end());
  all.insert(all.end(), side.free.begin(), side.free.end());
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i] != static_cast<int64_t>(i)) return false;
  }
  return all.size() == rank;
}

std::vector<Type> infer_contract(const InferInput& input) {
  const Type& a = input.operands[0];
  const Type& b = input.operands[1];
  require(input, "contract", a, Accept::floats);
  const Side left = side_of(input.attributes, "lhs", a.shape.size());
  const Side right = side_of(input.attributes, "rhs", b.shape.size());
  if (a.dtype != b.dtype || !valid(left, a.shape.size()) || !valid(right, b.shape.size()) ||
      left.batch.size() != right.batch.size() || left.summed.size() != right.summed.size()) {
    reject(input, "contract has axes or types that do not fit its operands",
           "one element type, and distinct axes given in pairs");
  }
  const auto dim = [](const Type& type, int64_t axis) {
    return type.shape[static_cast<size_t>(axis)];
  };
  Type result{a.dtype, {}};
  if (input.attributes.has("parts")) {
    if (left.summed.empty()) reject(input, "a sum of nothing has no parts", "a summed axis");
    result.shape.push_back({input.attributes.integer("parts"), false});
  }
  for (size_t i = 0; i < left.summed.size(); ++i) {
    if (dim(a, left.summed[i]) == dim(b, right.summed[i])) continue;
    reject(input, "a product sums over dimensions of two sizes",
           "dimension " + std::to_string(left.summed[i]) +
               " of the first operand equal to dimension " + std::to_string(right.summed[i]) +
               " of the second");
  }
  for (size_t i = 0; i < left.batch.size(); ++i) {
    result.shape.push_back(dim(a, left.batch[i]));
    if (dim(a, left.batch[i]) != dim(b, right.batch[i])) {
      reject(input, "a batched product has operands of two batch sizes", "equal batch dimensions");
    }
  }
  for (int64_t axis : left.free) result.shape.push_back(dim(a, axis));
  for (int64_t axis : right.free) result.shape.push_back(dim(b, axis));
  return {result};
}

Axes range(size_t begin, size_t count) {
  Axes axes(count);
  for (size_t i = 0; i < count; ++i) axes[i] = static_cast<int64_t>(begin + i);
  return axes;
}

// Puts the dimensions of `value`, which are the operand's axes in the given order, in the operand's
// own order.
ir::Value* restore(ir::Builder& b, ir::Value* value, const Axes& axes) {
  Axes permutation(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    permutation[static_cast<size_t>(axes[i])] = static_cast<int64_t>(i);
  }
  return b.transpose(value, permutation);
}

// The axes of `own` that were summed, in the order of their partners' positions.
Axes summed_by_partner(const Side& own, const Side& partner) {
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (size_t i = 0; i < own.summed.size(); ++i) {
    pairs.push_back({partner.summed[i], own.summed[i]});
  }
  std::sort(pairs.begin(), pairs.end());
  Axes axes;
  for (const auto& pair : pairs) axes.push_back(pair.second);
  return axes;
}

// dA = g · B over B's free axes and dB = A · g over A's free axes (in this order the gradient of an
// ordinary weight needs no transposition). Result axes: batch, lhs free, rhs free.
Gradients vjp_contract(VjpContext& c) {
  const Side left = side_of(c.node, 0), right = side_of(c.node, 1);
  const size_t batch = left.batch.size();
  internal_check(!c.node.attributes.has("parts"), "the derivative of a sum in parts");
  const Axes g_batch = range(0, batch);
  const Axes g_left = range(batch, left.free.size());
  const Axes g_right = range(batch + left.free.size(), right.free.size());
  ir::Value* g = c.gradients[0];

  ir::Value* da = c.b.contract(g, c.operand(1), g_right, right.free, g_batch, right.batch);
  Axes da_axes = left.batch;
  da_axes.insert(da_axes.end(), left.free.begin(), left.free.end());
  for (int64_t axis : summed_by_partner(left, right)) da_axes.push_back(axis);

  ir::Value* db = c.b.contract(c.operand(0), g, left.free, g_left, left.batch, g_batch);
  Axes db_axes = right.batch;
  for (int64_t axis : summed_by_partner(right, left)) db_axes.push_back(axis);
  db_axes.insert(db_axes.end(), right.free.begin(), right.free.end());
  return {restore(c.b, da, da_axes), restore(c.b, db, db_axes)};
}

// The part of a flat index that `index` contributes through `axes`.
int64_t part(const Axes& axes, const std::vector<int64_t>& strides,
             const std::vector<int64_t>& index, size_t first) {
  int64_t flat = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    flat += index[first + i] * strides[static_cast<size_t>(axes[i])];
  }
  return flat;
}

void eval_contract(EvalContext& c) {
  const Side left = side_of(c.node, 0), right = side_of(c.node, 1);
  const Tensor &a = *c.operands[0], &b = *c.operands[1];
  const std::vector<int64_t> a_strides = row_major_strides(a.shape);
  const std::vector<int64_t> b_strides = row_major_strides(b.shape);
  std::vector<int64_t> summed;
  for (int64_t axis : left.summed) summed.push_back(a.shape[static_cast<size_t>(axis)]);
  std::vector<std::pair<int64_t, int64_t>> terms;  // offsets of each term in a and b
  const bool in_parts = c.node.attributes.has("parts");
  const int64_t parts = in_parts ? c.node.attributes.integer("parts") : 1;
  const int64_t length = in_parts ? c.node.attributes.integer("part_length") : 1;
  std::vector<int64_t> part_of;  // of each term
  for_each_index(summed, [&](const std::vector<int64_t>& index) {
    terms.push_back(
        {part(left.summed, a_strides, index, 0), part(right.summed, b_strides, index, 0)});
    part_of.push_back(in_parts ? std::min(index.back() / length, parts - 1) : 0);
  });
  const size_t first = in_parts ? 1 : 0, batch = left.batch.size();
  size_t next = 0;
  for_each_index(c.results[0].shape, [&](const std::vector<int64_t>& index) {
    const int64_t a0 = part(left.batch, a_strides, index, first) +
                       part(left.free, a_strides, index, first + batch);
    const int64_t b0 = part(right.batch, b_strides, index, first) +
                       part(right.free, b_strides, index, first + batch + left.free.size());
    double sum = 0;
    for (size_t t = 0; t < terms.size(); ++t) {
      if (in_parts && part_of[t] != index[0]) continue;
      const auto& [i, k] = terms[t];
      sum += a.data[static_cast<size_t>(a0 + i)] * b.data[static_cast<size_t>(b0 + k)];
    }
    c.results[0].data[next++] = sum;
  });
}

std::vector<Sample> samples() {
  struct Case {
    Shape a, b;
    Axes lhs, rhs, lhs_batch, rhs_batch;
  };
  const std::vector<Case> cases = {
      {{{5}}, {{5}}, {0}, {0}, {}, {}},
      {{{3}}, {{4}}, {}, {}, {}, {}},
      {{{1}, {1}}, {{1}, {1}}, {1}, {0}, {}, {}},
      {{{1, true}, {7}}, {{7}, {13}}, {1}, {0}, {}, {}},
      {{{1, true}, {7}}, {{13}, {7}}, {1}, {1}, {}, {}},
      {{{1, true}, {7}}, {{1, true}, {13}}, {0}, {0}, {}, {}},
      {{{7}, {1, true}}, {{7}, {3}}, {0}, {0}, {}, {}},
      {{{3}, {1, true}}, {{5}, {3}}, {0}, {1}, {}, {}},
      {{{65}, {131}}, {{131}, {67}}, {1}, {0}, {}, {}},
      {{{17}, {1}}, {{1}, {33}}, {1}, {0}, {}, {}},
      {{{33}, {600}}, {{600}, {1}}, {1}, {0}, {}, {}},
      {{{2}, {3}, {5}}, {{2}, {5}, {4}}, {2}, {1}, {0}, {0}},
      {{{1, true}, {3}, {5}}, {{1, true}, {4}, {5}}, {2}, {2}, {0}, {0}},
      {{{3}, {2}, {5}}, {{5}, {4}, {2}}, {2}, {0}, {1}, {2}},
      {{{2}, {3}, {4}, {5}}, {{2}, {3}, {5}, {7}}, {3}, {2}, {0, 1}, {0, 1}},
      {{{2}, {3}, {5}}, {{5}, {3}, {4}}, {1, 2}, {1, 0}, {}, {}},
      {{{1, true}, {2}, {3}}, {{3}, {2}, {4}}, {2, 1}, {0, 1}, {}, {}},
  };
  std::vector<Sample> list;
  for (const Case& item : cases) {
    for (DType dtype : {DType::f32, DType::f64}) {
      Sample sample{.operands = {{dtype, item.a}, {dtype, item.b}},
                    .attributes = {{"lhs", item.lhs}, {"rhs", item.rhs}}};
      if (!item.lhs_batch.empty()) sample.attributes.set("lhs_batch", item.lhs_batch);
      if (!item.rhs_batch.empty()) sample.attributes.set("rhs_batch", item.rhs_batch);
      list.push_back(sample);
    }
  }
  return list;
}

const Registration contract({
    .name = "contract",
    .family = Family::contraction,
    .operands = 2,
    .doc =
        "The sum of products over axes {lhs} of the first and {rhs} of the second operand, taken "
        "in pairs, for each index of the paired axes {lhs_batch} and {rhs_batch}. Result: batch "
        "axes, remaining axes of the first, remaining axes of the second operand. "
        "[m,k]·[k,n] is {lhs=[1], rhs=[0]}. With {parts}, a first axis counts sums over so many "
        "parts of the last summed axis, each of {part_length} entries, the last one of the rest.",
    .infer = infer_contract,
    .vjp = vjp_contract,
    .eval = eval_contract,
    .cost = 2,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
