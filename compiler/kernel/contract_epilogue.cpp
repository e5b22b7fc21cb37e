#include "compiler/kernel/contract_epilogue.h"

namespace nnc::kernel {

ContractEpilogue::ContractEpilogue(KernelScope& s, const ContractionMap& map,
                                   const ContractSchedule& schedule)
    : s_(s),
      k_(s.k),
      map_(map),
      schedule_(schedule),
      tile_(schedule.tile),
      scalar_(scalar_of(s.shape.contract->result()->type.dtype)),
      roots_(schedule.between ? epilogue_roots(s.context) : std::vector<const ir::Value*>{}),
      places_(s, map) {}

void ContractEpilogue::fetch(const TileAt& tile) const {
  for (size_t p = 0; p < s_.region.params.size(); ++p) {
    if (!epilogue_operand(s_.context, map_, p)) continue;
    const ir::Value* param = s_.region.params[p].value.get();
    // A state that is read at the places of the result is what the result updates.
    const bool to_write = s_.context.updates && !s_.context.node.operands[p]->node;
    fetch(tile, operand_pointer(s_, param), param->type, to_write);
  }
  if (!schedule_.by_columns || !map_.m.extent.batch) return;
  // Another core has read what is written here, all of it; every line has to come back from there.
  for (size_t i = 0; i < s_.region.outputs.size(); ++i)
    if (const ir::Type& type = s_.region.outputs[i].value->type; type.shape == s_.shape.space)
      fetch(tile, s_.outputs[i].pointer, type, true);
}

void ContractEpilogue::fetch(const TileAt& tile, Value pointer, const ir::Type& type,
                             bool to_write) const {
  const auto bytes = static_cast<int64_t>(abi::size_of(type.dtype));
  for (const Spot& spot : spots(tile)) {
    const ir::View view = flattened_view(type.shape, spot.place.size());
    Value index = k_.i64(0);
    for (size_t d = 0; d < spot.place.size(); ++d)
      index = k_.add(index, scaled(s_, s_.e.scalar_coordinate(spot.place[d]), view.strides[d]));
    k_.prefetch(pointer, k_.mul(index, k_.i64(bytes)), to_write);
  }
}

void ContractEpilogue::finish(const TileAt& tile, std::vector<Value> sums) const {
  if (schedule_.looped && tile.rows > 1) {
    keep(sums);
    k_.loop(k_.i64(0), k_.i64(tile.rows), k_.i64(1),
            [&](Value row) { finish_kept_row(tile, row); });
    return;
  }
  const auto list = spots(tile);
  if (is_flat(tile.rows)) sums = flattened(sums, list.size());
  k_.side_by_side(static_cast<int64_t>(list.size()), vectors_at_once(s_.context), [&](int64_t i) {
    const auto v = static_cast<size_t>(i);
    s_.e.set_mask(list[v].mask);
    // One scope for the whole tile: a bias that was loaded for one row serves all rows.
    s_.e.bind(s_.shape.contract->result(), sums[v]);
    s_.store_outputs(s_.shape.space, list[v].place);
  });
  s_.e.set_mask({});
}

void ContractEpilogue::keep(const std::vector<Value>& sums) const {
  for (size_t v = 0; v < sums.size(); ++v)
    k_.store(sums[v], s_.scratch,
             k_.i64(schedule_.sums_place + static_cast<int64_t>(v) * tile_.lanes));
}

Value ContractEpilogue::kept(Value vector) const {
  return k_.load({scalar_, tile_.lanes}, s_.scratch,
                 k_.add(k_.i64(schedule_.sums_place), k_.mul(vector, k_.i64(tile_.lanes))));
}

void ContractEpilogue::finish_kept_row(const TileAt& tile, Value row) const {
  s_.e.open_scope();
  std::vector<Value> sums;
  for (int64_t j = 0; j < tile.vectors; ++j)
    sums.push_back(kept(k_.add(k_.mul(row, k_.i64(tile.vectors)), k_.i64(j))));
  TileAt part = tile;
  part.rows = part.multiple = 1;
  part.m = k_.add(tile.m, row);
  finish(part, sums);
  s_.e.close_scope();
}

TileAt ContractEpilogue::one_vector(const TileAt& tile, Value row, Value vector) const {
  const Value column =
      k_.add(s_.e.scalar_coordinate(tile.column), k_.mul(vector, k_.i64(tile_.lanes)));
  return {tile.outer, k_.add(tile.m, row), 1, {column, 0, false}, 1, {}, 1};
}

void ContractEpilogue::at_kept(const TileAt& tile, Value row, Value vector,
                               const std::function<void(const TileAt&, Value)>& body) const {
  s_.e.open_scope();
  body(one_vector(tile, row, vector), kept(k_.add(k_.mul(row, k_.i64(tile.vectors)), vector)));
  s_.e.close_scope();
}

// Behind the sums of a tile.
Value ContractEpilogue::root_place(size_t i) const {
  const int64_t vectors = tile_.rows * tile_.panels.front() + static_cast<int64_t>(i);
  return k_.i64(schedule_.sums_place + vectors * tile_.lanes);
}

void ContractEpilogue::take_roots(const TileAt& tile, Value row, Value vector) const {
  at_kept(tile, row, vector, [&](const TileAt& part, Value sum) {
    s_.e.bind(s_.shape.contract->result(), sum);
    for (size_t i = 0; i < roots_.size(); ++i)
      k_.store(s_.e.emit_vector(roots_[i], spots(part).front().place), s_.scratch, root_place(i));
  });
}

void ContractEpilogue::finish_kept(const TileAt& tile, Value row, Value vector) const {
  at_kept(tile, row, vector, [&](const TileAt& part, Value sum) {
    for (size_t i = 0; i < roots_.size(); ++i)
      s_.e.bind(roots_[i], k_.load({scalar_, tile_.lanes}, s_.scratch, root_place(i)));
    finish(part, {sum});
  });
}

// Narrow rows, put side by side.
std::vector<Value> ContractEpilogue::flattened(const std::vector<Value>& sums, size_t count) const {
  const int64_t columns = map_.n.extent.size, vectors = tile_.panels.front();
  const int64_t first = schedule_.sums_place;
  for (size_t v = 0; v < sums.size(); ++v) {
    // What a vector writes beyond its row is written over by the next row.
    const int64_t row = static_cast<int64_t>(v) / vectors, j = static_cast<int64_t>(v) % vectors;
    k_.store(sums[v], s_.scratch, k_.i64(first + row * columns + j * tile_.lanes));
  }
  std::vector<Value> flat;
  for (size_t v = 0; v < count; ++v)
    flat.push_back(k_.load({scalar_, tile_.lanes}, s_.scratch,
                           k_.i64(first + static_cast<int64_t>(v) * tile_.lanes)));
  return flat;
}

bool ContractEpilogue::is_flat(int64_t rows) const {
  return schedule_.flat && rows == tile_.rows && rows > 1;
}

std::vector<ContractEpilogue::Spot> ContractEpilogue::flat_spots(const TileAt& tile) const {
  std::vector<Spot> list;
  const int64_t elements = tile.rows * map_.n.extent.size;
  const Value first = k_.mul(tile.m, k_.i64(map_.n.extent.size));
  for (int64_t done = 0; done < elements; done += tile_.lanes)
    list.push_back({{{first, done, true}},
                    elements - done < tile_.lanes
                        ? first_lanes(k_, tile_.lanes, k_.i64(elements - done))
                        : Value{}});
  return list;
}

std::vector<ContractEpilogue::Spot> ContractEpilogue::spots(const TileAt& tile) const {
  if (is_flat(tile.rows)) return flat_spots(tile);
  std::vector<Spot> list;
  for (int64_t i = 0; i < tile.rows; ++i) {
    const Coordinates row = places_.row(tile.outer, {{tile.m, i, false}, tile.multiple});
    for (int64_t j = 0; j < tile.vectors; ++j) {
      Coordinate n = tile.column;
      n.offset += j * tile_.lanes;
      n.lane = tile_.lanes > 1;
      list.push_back({places_.at(row, n), j == tile.vectors - 1 ? tile.mask : Value{}});
    }
  }
  return list;
}

}  // namespace nnc::kernel
