#include "compiler/kernel/contract_schedule.h"

#include <algorithm>

#include "compiler/kernel/contract_chains.h"
#include "compiler/kernel/lower_lanes.h"
#include "compiler/kernel/views.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;

namespace {

// Of the sums; an output of the group may be anything, such as the bool that a gradient asks for.
const ir::Type& type_of_sums(const GroupContext& context) {
  for (const auto& node : context.node.region->nodes)
    if (node->op->family == ir::Family::contraction) return node->result()->type;
  throw InternalError("internal error: a schedule of sums for a group without any");
}

}  // namespace

int bytes_of_element(const GroupContext& context) {
  return type_of_sums(context).dtype == ir::DType::f64 ? 8 : 4;
}

bool epilogue_operand(const GroupContext& context, const ContractionMap& map, size_t parameter) {
  const ir::Graph& region = *context.node.region;
  const ir::Value* value = region.params[parameter].value.get();
  return context.operands[parameter] == OperandKind::memory && value != map.a && value != map.b &&
         value->type.shape == region.outputs.front().value->type.shape;
}

std::vector<const ir::Value*> epilogue_roots(const GroupContext& context) {
  const ir::Graph& region = *context.node.region;
  const ir::DType dtype = type_of_sums(context).dtype;
  const ir::Shape& shape = region.outputs.front().value->type.shape;
  std::vector<const ir::Value*> roots;
  for (const auto& node : region.nodes)
    if (node->op->name == "sqrt" && node->result()->type == ir::Type{dtype, shape})
      roots.push_back(node->result());
  return roots;
}

namespace {

// What it costs for each element; a power is hundreds of instructions.
constexpr double is_long = 10, is_very_long = 40;

double epilogue_cost(const GroupContext& context) {
  double cost = 0;
  for (const auto& node : context.node.region->nodes)
    if (node->op->family == ir::Family::elementwise) cost += node->op->cost;
  return cost;
}

}  // namespace

bool epilogue_loops(const GroupContext& context, const ContractionMap& map, int64_t vectors) {
  constexpr int64_t few_vectors = 4, short_sum = 16;
  if (vectors <= few_vectors) return false;
  const double cost = epilogue_cost(context);
  if (cost >= is_very_long) return true;
  return context.updates && cost >= is_long && summed(map, context.batch) >= short_sum;
}

int64_t vectors_at_once(const GroupContext& context) {
  if (epilogue_cost(context) < is_long) return 1;
  return context.target.side_by_side();
}

int64_t expected_rows(const Dim& m, int64_t batch, int64_t threads) {
  const int64_t rows = m.extent(batch);
  return rows >= 16 ? (rows + threads - 1) / threads : rows;
}

namespace {

// Sharing columns keeps the right side (and what is updated) with one core, and makes every core
// read all of the left side: it pays unless that is much larger, or the barriers that it needs cost
// more than small weights that go back and forth.
constexpr int64_t left_side_limit = 2, small_weights = 8192;
constexpr double worse_tile = 1.1;  // tiles of panels that can be shared may cost so much more

// Bytes of a row that one thread updates, from where the hardware's fetching ahead does not get in
// the way of the other threads.
constexpr int64_t streamed_run = 1024;

int sharers(const GroupContext& context) { return std::max(2, context.target.threads); }

// Whether sharing columns suits the product at all, whatever its tile.
bool columns_suit(const GroupContext& context, const ContractionMap& map) {
  if (!context.updates || !map.outer.empty()) return false;
  const int64_t columns = map.n.extent.size;
  int64_t rows = 1, weights = columns;
  for (const MapDim* dim : {&map.m, &map.k.back()})
    (dim->extent.batch ? rows : weights) *= dim->extent.extent(context.batch);
  return rows <= left_side_limit * columns && weights > small_weights;
}

bool columns_pay(const GroupContext& context, const ContractionMap& map, const TileShape& shape) {
  if (context.in_block || !columns_suit(context, map)) return false;
  const Tile best = choose_tile(shape, context.target);
  TileShape shared = shape;
  shared.sharers = sharers(context);
  if (can_be_shared(shared, best.panels, best.lanes)) return true;
  if (tile_candidates(shared, context.target).empty()) return false;
  const auto cycles = [&](const TileShape& of, const Tile& tile) {
    return tile_cycles(of, tile, context.target);
  };
  return cycles(shared, choose_tile(shared, context.target)) <= worse_tile * cycles(shape, best);
}

// An update of weights that lie in panels (or in others of this shape): the outermost loop goes
// through these.
bool updates_panels(const GroupContext& context, const ContractionMap& map) {
  if (!context.updates || map.outer.size() != 1 || map.m.extent.batch) return false;
  const MapDim& panels = map.outer[0];
  return !panels.extent.batch && panels.a.size == 0 && panels.b == Dim{panel_width, false} &&
         map.n.extent == Dim{panel_width, false};
}

// What the epilogue reads (weights and moments) comes from behind the second cache: it is then best
// read along its rows, where the hardware fetches ahead.
bool streams(const GroupContext& context, const ContractionMap& map) {
  int64_t bytes = 0;
  const auto& params = context.node.region->params;
  for (size_t p = 0; p < params.size(); ++p)
    if (epilogue_operand(context, map, p))
      bytes += params[p].value->type.elements(context.batch) *
               static_cast<int64_t>(abi::size_of(params[p].value->type.dtype));
  const int64_t threads = context.target.threads;
  const int64_t run = map.n.extent.size / threads * bytes_of_element(context);
  return bytes / threads > context.target.l2_bytes && run >= streamed_run;
}

bool epilogue_reads(const GroupContext& context, const ContractionMap& map) {
  const auto& params = context.node.region->params;
  for (size_t p = 0; p < params.size(); ++p)
    if (epilogue_operand(context, map, p)) return true;
  return false;
}

// Rows of less than a vector that a program updates: as one run of elements they make fewer
// vectors, and none is read while a part of its line is being written. Nothing in the epilogue may
// ask in which row or column it is.
bool flat_pays(const GroupContext& context, const ContractionMap& map, const Tile& tile) {
  const ir::Graph& region = *context.node.region;
  const ir::Shape& shape = region.outputs.front().value->type.shape;
  const bool plain = map.outer.empty() && shape == ir::Shape{map.m.extent, map.n.extent};
  if (!plain || tile.rows == 1 || tile.lanes == 1 || tile.panels.size() != 1 ||
      map.n.extent.size >= tile.lanes)
    return false;
  for (size_t p = 0; p < region.params.size(); ++p) {
    const ir::Value* value = region.params[p].value.get();
    if (value == map.a || value == map.b || value->type.rank() == 0) continue;
    if (!epilogue_operand(context, map, p)) return false;
  }
  const auto flat = [&](const auto& node) {
    const ir::Value* result = node->result();
    return result->type.rank() == 0 || node->op->family == ir::Family::elementwise ||
           node->op->family == ir::Family::contraction || node->op->uniform ||
           base_of(result)->type.rank() == 0;
  };
  return epilogue_reads(context, map) &&
         std::all_of(region.nodes.begin(), region.nodes.end(), flat);
}

// Roots and divisions between the sums of the next tile, if there are enough of these.
bool between_pays(const GroupContext& context, const ContractionMap& map, const Tile& tile) {
  const int64_t vectors = tile.rows * tile.panels.front();
  const bool full = can_be_shared({.n = map.n.extent.size}, tile.panels, tile.lanes);
  const bool plain = map.outer.empty() || updates_panels(context, map);
  return context.target.divides_beside && context.updates && plain && map.k.size() == 1 &&
         tile.rows > 1 && full && summed(map, context.batch) >= 2 * vectors &&
         epilogue_reads(context, map) && epilogue_cost(context) >= is_long;
}

int64_t packed_elements(const GroupContext& context, const ContractionMap& map, const Tile& tile) {
  if (!tile.packed) return 0;
  return map.k.front().extent.extent(context.batch) * tile.panels.front() * tile.lanes;
}

Chains chains_of(const GroupContext& context, const ContractionMap& map) {
  std::vector<Dim> loops;
  for (const MapDim& dim : map.k) loops.push_back(dim.extent);
  return kernel::chains_of(loops, context.batch, longest_sum, longest_chain);
}

bool counts_rows(const MapDim& dim) { return dim.extent.batch; }

// The weight gradient of a convolution reads pictures of the whole batch, and every tile reads them
// again: they are taken so few rows at a time, or so few lines of one, that these stay in the first
// cache, and the sums in the second.
bool blocks_pay(const GroupContext& context, const ContractionMap& map) {
  const MapDim& rows = map.k.front();
  const bool fixed =
      !counts_rows(map.m) && std::none_of(map.outer.begin(), map.outer.end(), counts_rows);
  if (!counts_rows(rows) || map.k.size() < 2 || !fixed || map.n.extent.size == 1) return false;
  if (rows.a.batch || rows.b.batch || chains_of(context, map).loop > 1) return false;
  const int64_t bytes = bytes_of_element(context), small = context.target.l2_bytes / 2;
  const int64_t count = rows.extent.extent(context.batch);
  return (rows.a.size + rows.b.size) * bytes * count > small &&
         elements_of_result(map) * bytes <= small;
}

// No block reaches from one chain into the next.
void end_with_chains(ContractSchedule& schedule, const Chains& chains) {
  schedule.chains = chains;
  if (!chains.several()) return;
  if (chains.loop == 0) {
    schedule.block = std::min(schedule.block, chains.steps);
  } else {
    schedule.block = 1;
    schedule.part = schedule.part > 0 ? std::min(schedule.part, chains.steps) : chains.steps;
  }
}

ContractSchedule blocked_schedule(const GroupContext& context, const ContractionMap& map) {
  const int64_t cache = context.target.l1_bytes, bytes = bytes_of_element(context);
  const int64_t row_bytes = (map.k[0].a.size + map.k[0].b.size) * bytes;
  ContractSchedule schedule;
  schedule.block = std::clamp<int64_t>(cache / row_bytes, 1, map.k[0].extent.extent(context.batch));
  if (2 * row_bytes > 3 * cache) {
    const int64_t parts = (row_bytes + cache - 1) / cache;
    schedule.part = (map.k[1].extent.size + parts - 1) / parts;
  }
  end_with_chains(schedule, chains_of(context, map));
  int64_t k = schedule.part > 0 ? schedule.part : schedule.block * map.k[1].extent.size;
  for (size_t d = 2; d < map.k.size(); ++d) k *= map.k[d].extent.size;
  TileShape shape{map.m.extent.size, map.n.extent.size, k, 0, bytes_of_element(context)};
  shape.b_stride = map.k.back().b.size;
  shape.a_rows_contiguous = map.m.a == Dim{1, false};
  shape.equal = true;
  if (tile_candidates(shape, context.target).empty()) return {};
  schedule.tile = choose_tile(shape, context.target);
  return schedule;
}

// What the epilogue keeps of a tile.
int64_t sums_elements(const GroupContext& context, const ContractionMap& map,
                      const ContractSchedule& schedule) {
  const Tile& tile = schedule.tile;
  int64_t elements = 0;
  if (schedule.flat) elements += tile.rows * map.n.extent.size + tile.lanes;
  if (schedule.looped || schedule.between) elements += tile_vectors(schedule) * tile.lanes;
  if (schedule.between)
    elements += static_cast<int64_t>(epilogue_roots(context).size()) * tile.lanes;
  return elements;
}

}  // namespace

ContractSchedule schedule_of(const GroupContext& context, const ContractionMap& map) {
  if (blocks_pay(context, map))
    if (auto schedule = blocked_schedule(context, map); schedule.block > 0) return schedule;
  const int64_t k = summed(map, context.batch);
  const int bytes = bytes_of_element(context);
  const auto epilogue = static_cast<int64_t>(context.node.region->nodes.size());
  const int64_t stride = map.k.back().b.size;
  const bool contiguous = map.m.a == Dim{1, false};
  const bool packable =
      map.panel_stride == 0 && map.outer.empty() && map.k.size() == 1 && map.n.extent.size > 1;
  TileShape shape{map.m.extent.extent(context.batch),
                  map.n.extent.size,
                  k,
                  epilogue,
                  bytes,
                  stride,
                  contiguous,
                  packable};
  shape.in_panels = map.panel_stride > 0;
  shape.turned = map.turned;
  ContractSchedule schedule;
  schedule.by_columns = columns_pay(context, map, shape);
  if (schedule.by_columns) {
    shape.sharers = sharers(context);
    schedule.along_rows = !map.turned && k <= longest_unpacked_sum && streams(context, map);
    shape.packable = packable && !schedule.along_rows;
  } else if (updates_panels(context, map)) {
    schedule.by_panels = true;
  } else if (map.outer.empty()) {
    shape.m = expected_rows(map.m.extent, context.batch, context.target.threads);
  }
  schedule.tile = choose_tile(shape, context.target);
  schedule.chains = chains_of(context, map);
  schedule.flat =
      !schedule.by_columns && map.outer.empty() && flat_pays(context, map, schedule.tile);
  const Tile& tile = schedule.tile;
  schedule.between =
      !schedule.flat && !schedule.chains.several() && between_pays(context, map, tile);
  schedule.looped = !schedule.flat && tile.rows > 1 &&
                    epilogue_loops(context, map, tile.rows * tile.panels.front());
  schedule.sums_place = packed_elements(context, map, tile);
  schedule.chains_place = schedule.sums_place + sums_elements(context, map, schedule);
  return schedule;
}

int64_t tile_vectors(const ContractSchedule& schedule) {
  return schedule.tile.rows * schedule.tile.panels.front();
}

int64_t elements_of_result(const ContractionMap& map) {
  int64_t count = map.m.extent.size * map.n.extent.size;
  for (const MapDim& dim : map.outer) count *= dim.extent.size;
  return count;
}

int64_t block_units(const ContractSchedule& schedule, const ContractionMap& map) {
  const int64_t rows = elements_of_result(map) / map.n.extent.size;
  return rows / schedule.tile.rows * static_cast<int64_t>(schedule.tile.panels.size());
}

Slice contract_slice(const GroupContext& context, const GroupShape& shape) {
  const auto map = map_contraction(*shape.contract);
  internal_check(map.has_value(), "a contraction that was not laid out");
  if (map->form == ContractionForm::lanes) return lanes_slice(context, *map);
  if (map->form == ContractionForm::dot) return dot_slice(context, *map);
  const ContractSchedule schedule = schedule_of(context, *map);
  if (schedule.block > 0) {
    // Each thread keeps its sums where they belong in a result of its own.
    Slice slice{{block_units(schedule, *map), false}, 1};
    const int64_t elements = elements_of_result(*map);
    const int64_t all = schedule.chains.several() ? 3 * totals_apart(*map) : elements;
    slice.scratch_bytes = all * bytes_of_element(context);
    return slice;
  }
  Slice slice{map->m.extent, map->m.extent.batch ? 1 : schedule.tile.rows};
  if (!map->outer.empty() && !schedule.by_panels) slice = {map->outer[0].extent, 1};
  int64_t scratch = schedule.chains_place;
  if (schedule.chains.several())
    scratch += TileChains::elements({scalar_of(type_of_sums(context).dtype), schedule.tile.lanes},
                                    tile_vectors(schedule));
  slice.scratch_bytes = scratch * bytes_of_element(context);
  if (schedule.by_panels) {
    slice.panels = map->outer[0].extent.size;
    slice.panel_width = 1;
  }
  if (schedule.by_columns) {
    slice.panels = static_cast<int64_t>(schedule.tile.panels.size());
    slice.panel_width = schedule.tile.panels.front() * schedule.tile.lanes;
  }
  return slice;
}

}  // namespace nnc::kernel
