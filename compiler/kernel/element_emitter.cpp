#include "compiler/kernel/element_emitter.h"

#include <algorithm>

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;
using ir::DType;
using ir::Family;
using ir::View;

namespace {
constexpr Type i64_type{Scalar::i64, 1};
}

Scalar scalar_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return Scalar::f32;
    case DType::f64: return Scalar::f64;
    case DType::bf16: return Scalar::bf16;
    case DType::i32: return Scalar::i32;
    case DType::i64: return Scalar::i64;
    case DType::u8: return Scalar::u8;
    case DType::boolean: return Scalar::i1;
  }
  return Scalar::f32;
}

Scalar stored_scalar(DType dtype) {
  return dtype == DType::boolean ? Scalar::u8 : scalar_of(dtype);
}

View flattened_view(const ir::Shape& shape, size_t coordinates) {
  View view = row_major(shape);
  if (shape.size() <= coordinates) return view;
  view.strides.resize(coordinates);
  view.strides.back() = Dim{1, false};
  return view;
}

Value ElementEmitter::extent(const Dim& dim) {
  if (!dim.batch) return k_.i64(dim.size);
  return dim.size == 1 ? rows_ : k_.mul(rows_, k_.i64(dim.size));
}

Value ElementEmitter::scalar_coordinate(const Coordinate& c) {
  if (!c.base) return k_.i64(c.offset);
  return c.offset == 0 ? c.base : k_.add(c.base, k_.i64(c.offset));
}

// Fixed until the innermost scope ends, whatever the coordinates.
void ElementEmitter::bind(const ir::Value* value, Value code) {
  scopes_.back()[Key{value, {}}] = code;
}

void ElementEmitter::bind_at(const ir::Value* value, const Coordinates& at, Value code) {
  scopes_.back()[key_of(value, at)] = code;
}

ElementEmitter::Key ElementEmitter::key_of(const ir::Value* value, const Coordinates& at) const {
  Key key{value, {}};
  for (const Coordinate& c : at) key.second.push_back(c.key());
  key.second.emplace_back(-2, mask_.id, lanes_ > 0);
  return key;
}

const Value* ElementEmitter::known(const Key& key) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    auto it = scope->find(key);
    if (it != scope->end()) return &it->second;
  }
  return nullptr;
}

Value ElementEmitter::emit(const ir::Value* value, const Coordinates& at) {
  if (const Value* bound = known(Key{value, {}})) return *bound;
  const Key key = key_of(value, at);
  if (const Value* done = known(key)) return *done;
  Value code = emit_new(value, at);
  scopes_.back()[key] = code;
  return code;
}

Value ElementEmitter::emit_vector(const ir::Value* value, const Coordinates& at) {
  return k_.splat(emit(value, at), lanes_);
}

Value ElementEmitter::emit_new(const ir::Value* value, const Coordinates& at) {
  if (!value->node) return load(value, flattened_view(value->type.shape, at.size()), at, value);
  switch (value->node->op->family) {
    case Family::elementwise: return elementwise(*value->node, at);
    case Family::generator: return generator(*value->node, at);
    case Family::movement: return moved(value, at);
    default:
      throw InternalError("internal error: '" + value->node->op->name +
                          "' has no element code of its own");
  }
}

Value ElementEmitter::elementwise(const ir::Node& node, const Coordinates& at) {
  std::vector<Value> arguments;
  int lanes = 1;
  for (const ir::Value* operand : node.operands) {
    arguments.push_back(emit(operand, at));
    lanes = std::max(lanes, arguments.back().type.lanes);
  }
  for (Value& argument : arguments) argument = k_.splat(argument, lanes);
  ir::LowerContext context{k_, node, scalar_of(node.result()->type.dtype), lanes};
  return node.op->lower(context, arguments);
}

Value ElementEmitter::index_value(const Coordinate& c) {
  Value scalar = scalar_coordinate(c);
  if (!c.lane) return scalar;
  return k_.add(k_.splat(scalar, lanes_), k_.iota({Scalar::i64, lanes_}));
}

Value ElementEmitter::generator(const ir::Node& node, const Coordinates& at) {
  const bool along = std::any_of(at.begin(), at.end(), [](const Coordinate& c) { return c.lane; });
  const int lanes = along ? lanes_ : 1;
  std::vector<Value> indices, operands;
  if (!node.op->uniform)
    for (const Coordinate& c : at) indices.push_back(k_.splat(index_value(c), lanes));
  for (const ir::Value* operand : node.operands) operands.push_back(emit(operand, {}));
  ir::LowerContext context{k_, node, scalar_of(node.result()->type.dtype), lanes};
  return node.op->lower_index(context, indices, operands);
}

// A chain of movement ops down to a buffer is a view of it; a chain down to a value of the group
// moves the coordinates.
Value ElementEmitter::moved(const ir::Value* value, const Coordinates& at) {
  const ir::Value* base = base_of(value);
  if (base->type.rank() == 0) return emit(base, {});
  if (const Value* bound = known(Key{base, {}})) return *bound;
  if (base->node) {
    const auto inner = moved_coordinates(value, base, at);
    internal_check(inner.has_value(), "a movement that moves no coordinates: " + value->name);
    return emit(base, *inner);
  }
  internal_check(at.size() == value->type.shape.size(), "flattened coordinates of a moved value");
  if (const Value* done = loaded_before(value, base, at)) return *done;
  const auto view = view_in_base(value);
  internal_check(view.has_value(), "a movement that no view expresses: " + value->name);
  return load(base, *view, at, value);
}

// One number of each row, however often it is asked for along the row.
const Value* ElementEmitter::loaded_before(const ir::Value* value, const ir::Value* base,
                                           const Coordinates& at) {
  if (base->type.rank() != 1) return nullptr;
  const auto inner = moved_coordinates(value, base, at);
  return inner ? known(key_of(base, *inner)) : nullptr;
}

// Where in `base` the element of `value` lies, which is reached from it by movement ops.
std::optional<Coordinates> ElementEmitter::moved_coordinates(const ir::Value* value,
                                                             const ir::Value* base,
                                                             const Coordinates& at) {
  Coordinates inner;
  for (size_t d = 0; d < base->type.shape.size(); ++d) {
    const auto map = coordinate_map(value, base, d);
    if (!map) return std::nullopt;
    for (const Dim& factor : map->strides)
      if (factor.size != 0 && factor != Dim({1, false})) return std::nullopt;
    inner.push_back(combine(*map, at));
  }
  return inner;
}

Coordinate ElementEmitter::combine(const View& map, const Coordinates& at) {
  Coordinate result;
  result.offset = map.offset;
  for (size_t j = 0; j < map.strides.size(); ++j) {
    const Dim& factor = map.strides[j];
    if (factor.size == 0) continue;
    result.offset += at[j].offset;
    result.lane = result.lane || at[j].lane;
    if (!at[j].base) continue;
    result.base = result.base ? k_.add(result.base, at[j].base) : at[j].base;
  }
  return result;
}

void ElementEmitter::add_term(Address& address, const Dim& stride, const Coordinate& c) {
  if (stride.size == 0) return;
  if (c.lane) {
    if (stride.batch) {
      address.lane_stride_value = extent(stride);
    } else {
      address.lane_stride += stride.size;
    }
  }
  if (!stride.batch) address.constant += c.offset * stride.size;
  Value position = stride.batch ? scalar_coordinate(c) : c.base;
  if (!position) return;
  Value term = position;
  if (stride.batch || stride.size != 1) term = k_.mul(position, extent(stride));
  address.scalar = address.scalar ? k_.add(address.scalar, term) : term;
}

ElementEmitter::Address ElementEmitter::address(const View& view, const Coordinates& at) {
  Address result;
  result.constant = view.offset;
  for (size_t i = 0; i < at.size(); ++i) add_term(result, view.strides[i], at[i]);
  return result;
}

Value ElementEmitter::from_memory(Value loaded, DType dtype) {
  if (dtype != DType::boolean) return loaded;
  return k_.compare(Op::ne, loaded, k_.constant_int(loaded.type, 0));
}

Value ElementEmitter::load_at(Scalar type, Value pointer, const Address& a) {
  Value index = a.scalar ? a.scalar : k_.i64(a.constant);
  if (a.scalar && a.constant != 0) index = k_.add(a.scalar, k_.i64(a.constant));
  const bool strided = a.lane_stride_value || a.lane_stride > 1 || a.lane_stride < 0;
  if (!strided && a.lane_stride == 0) return k_.load({type, 1}, pointer, index);
  if (!strided) return k_.load({type, lanes_}, pointer, index, mask_);
  Value stride = a.lane_stride_value ? a.lane_stride_value : k_.i64(a.lane_stride);
  Value lanes = k_.mul(k_.iota({Scalar::i64, lanes_}), k_.splat(stride, lanes_));
  return k_.gather({type, lanes_}, pointer, k_.add(k_.splat(index, lanes_), lanes), mask_);
}

Value ElementEmitter::load(const ir::Value* param, const View& view, const Coordinates& at,
                           const ir::Value* moved_value) {
  auto it = buffers_.find(param);
  internal_check(it != buffers_.end(), "no buffer for " + param->name);
  const Buffer& buffer = it->second;
  if (buffer.scalar) return k_.convert(buffer.scalar, scalar_of(param->type.dtype));
  if (buffer.index) return load_indexed(param, view, at, moved_value, buffer);
  const DType dtype = param->type.dtype;
  return from_memory(load_at(stored_scalar(dtype), buffer.pointer, address(view, at)), dtype);
}

// A field of the data set: dimension 0 of the parameter goes through the order of the batch.
Value ElementEmitter::load_indexed(const ir::Value* param, const View& view, const Coordinates& at,
                                   const ir::Value* moved_value, const Buffer& buffer) {
  View rest = view;
  Coordinate row;
  if (param == moved_value) {
    row = at[0];
    rest.strides[0] = Dim{0, false};
  } else {
    const auto map = coordinate_map(moved_value, param, 0);
    internal_check(map.has_value(), "rows of a field cannot be mixed: " + param->name);
    row = combine(*map, at);
    for (size_t j = 0; j < map->strides.size(); ++j)
      if (map->strides[j].size != 0) rest.strides[j] = Dim{0, false};
    int64_t row_size = 1;
    for (size_t d = 1; d < param->type.shape.size(); ++d) row_size *= param->type.shape[d].size;
    rest.offset -= map->offset * row_size;
  }
  int64_t row_elements = 1;
  for (size_t d = 1; d < param->type.shape.size(); ++d) row_elements *= param->type.shape[d].size;
  const Scalar type = stored_scalar(param->type.dtype);
  Address inner = address(rest, at);
  const Value position = scalar_coordinate(row);
  if (row.lane) {
    Value stored =
        k_.convert(k_.load({Scalar::i32, lanes_}, buffer.index, position, mask_), Scalar::i64);
    return from_memory(gather_rows(type, buffer, stored, row_elements, inner), param->type.dtype);
  }
  Value stored = k_.convert(k_.load({Scalar::i32, 1}, buffer.index, position), Scalar::i64);
  Value start = k_.mul(stored, k_.i64(row_elements));
  inner.scalar = inner.scalar ? k_.add(inner.scalar, start) : start;
  return from_memory(load_at(type, buffer.pointer, inner), param->type.dtype);
}

Value ElementEmitter::gather_rows(Scalar type, const Buffer& buffer, Value lane_rows,
                                  int64_t row_elements, const Address& rest) {
  Value indices = k_.mul(lane_rows, k_.splat(k_.i64(row_elements), lanes_));
  Value more = k_.i64(rest.constant);
  if (rest.scalar) more = k_.add(rest.scalar, more);
  return k_.gather({type, lanes_}, buffer.pointer, k_.add(indices, k_.splat(more, lanes_)), mask_);
}

Value ElementEmitter::stored(const ir::Type& type, const Buffer& buffer, const Coordinates& at) {
  return load_at(stored_scalar(type.dtype), buffer.pointer,
                 address(flattened_view(type.shape, at.size()), at));
}

void ElementEmitter::store(Value code, const ir::Type& type, const Buffer& buffer,
                           const Coordinates& at) {
  if (type.dtype == DType::boolean) code = k_.convert(code, Scalar::u8);
  const Address a = address(flattened_view(type.shape, at.size()), at);
  Value index = k_.i64(a.constant);
  if (a.scalar) index = a.constant == 0 ? a.scalar : k_.add(a.scalar, index);
  if (a.lane_stride == 0 && !a.lane_stride_value) {
    internal_check(code.type.lanes == 1, "a vector stored to one place");
    k_.store(code, buffer.pointer, index);
    return;
  }
  internal_check(a.lane_stride == 1 && !a.lane_stride_value, "a strided store");
  k_.store(k_.splat(code, lanes_), buffer.pointer, index, mask_);
}

}  // namespace nnc::kernel
