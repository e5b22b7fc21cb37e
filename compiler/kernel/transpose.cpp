#include "compiler/kernel/transpose.h"

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

constexpr int64_t side = logical_lanes;

// What a copying group reads: its only output up to nodes that change nothing.
const ir::Value* copied_value(const ir::Graph& region) {
  const ir::Value* value = region.outputs.front().value;
  const auto nodes = compute_nodes(region);
  if (nodes.empty()) return value;
  const bool identity = nodes.size() == 1 && nodes[0]->operands.size() == 1 &&
                        nodes[0]->op->cost == 0 &&
                        nodes[0]->operands[0]->type == nodes[0]->result()->type;
  return identity ? nodes[0]->operands[0] : nullptr;
}

}  // namespace

// Exchanges blocks of halving size until rows have become columns.
void transpose_registers(Builder& k, std::vector<Value>& rows) {
  for (int distance = side / 2; distance >= 1; distance /= 2) {
    std::vector<int> low, high;
    for (int lane = 0; lane < side; ++lane) {
      const bool first = (lane & distance) == 0;
      low.push_back(first ? lane : lane - distance + side);
      high.push_back(first ? lane + distance : lane + side);
    }
    for (int r = 0; r < side; ++r) {
      if (r & distance) continue;
      const auto a = static_cast<size_t>(r), b = static_cast<size_t>(r + distance);
      const Value top = k.shuffle(rows[a], rows[b], low);
      rows[b] = k.shuffle(rows[a], rows[b], high);
      rows[a] = top;
    }
  }
}

bool is_transposed_copy(const GroupContext& context, const GroupShape& shape) {
  const ir::Graph& region = *context.node.region;
  if (region.outputs.size() != 1 || region.params.size() != 1 || shape.space.size() != 2)
    return false;
  const ir::Type& type = region.outputs[0].value->type;
  if (type.dtype != ir::DType::f32 && type.dtype != ir::DType::f64) return false;
  if (shape.space[1].batch || context.operands[0] != OperandKind::memory) return false;
  const ir::Value* value = copied_value(region);
  if (!value || base_of(value)->node) return false;
  const auto view = view_in_base(value);
  return view && view->strides[0] == ir::Dim{1, false} && view->strides[1].size > 1;
}

Value lower_transposed_tiles(KernelScope& s) {
  Builder& k = s.k;
  const ir::Value* value = copied_value(s.region);
  const ir::View view = *view_in_base(value);
  const Type type{scalar_of(value->type.dtype), static_cast<int>(side)};
  const Value source = k.function().body.params[0];
  const Value target = s.outputs[0].pointer;
  const Value stride = s.e.extent(view.strides[1]);
  const int64_t columns = s.shape.space[1].size;
  const Value rest = k.binary(Op::bit_and, k.sub(s.end, s.begin), k.i64(side - 1));
  const Value middle = k.sub(s.end, rest);

  // `count` columns from j0: what is missing of a tile is read as zeros and not stored.
  auto tile = [&](Value i0, Value j0, int64_t count) {
    const Value mask = count == side ? Value{} : first_lanes(k, side, k.i64(count));
    std::vector<Value> rows;
    for (int64_t r = 0; r < side; ++r) {
      if (r >= count) {
        rows.push_back(k.constant(type, 0.0));
        continue;
      }
      const Value at = k.add(k.mul(k.add(j0, k.i64(r)), stride), k.add(i0, k.i64(view.offset)));
      rows.push_back(k.load(type, source, at));
    }
    transpose_registers(k, rows);
    for (int64_t r = 0; r < side; ++r) {
      const Value at = k.add(k.mul(k.add(i0, k.i64(r)), k.i64(columns)), j0);
      k.store(rows[static_cast<size_t>(r)], target, at, mask);
    }
  };
  k.loop(s.begin, middle, k.i64(side), [&](Value i0) {
    const int64_t full = columns / side * side;
    if (full > 0) k.loop(k.i64(0), k.i64(full), k.i64(side), [&](Value j0) { tile(i0, j0, side); });
    if (columns > full) tile(i0, k.i64(full), columns - full);
  });
  return middle;
}

}  // namespace nnc::kernel
