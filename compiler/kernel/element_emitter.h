// Writes the scalar or vector code of one element of a fused group: values are asked for at
// coordinates, and everything that leads to them is written on demand, once.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/ir/op.h"
#include "compiler/kernel/builder.h"
#include "compiler/kernel/views.h"

namespace nnc::kernel {

// One coordinate of a value: base + offset, plus the lane number if `lane`.
struct Coordinate {
  Value base;  // i64 scalar; absent: 0
  int64_t offset = 0;
  bool lane = false;
  auto key() const { return std::tuple(base.id, offset, lane); }
};
using Coordinates = std::vector<Coordinate>;

// Where a parameter of the region lies.
struct Buffer {
  Value pointer;
  Value index;  // i32 row numbers: row r of the value is stored row index[r]; absent: rows in order
  Value scalar;  // a run-time scalar (f64): no memory at all
};

Scalar scalar_of(ir::DType dtype);
// Booleans are bytes in memory.
Scalar stored_scalar(ir::DType dtype);

class ElementEmitter {
 public:
  ElementEmitter(Builder& k, int lanes, Value rows) : k_(k), lanes_(lanes), rows_(rows) {}

  void bind_buffer(const ir::Value* param, Buffer buffer) { buffers_[param] = buffer; }
  const Buffer& buffer(const ir::Value* param) const { return buffers_.at(param); }
  // A value computed elsewhere (accumulators of a contraction, a finished reduction), for the
  // coordinates at which it is asked for until the scope is closed.
  void bind(const ir::Value* value, Value code);
  // The same for these coordinates only.
  void bind_at(const ir::Value* value, const Coordinates& at, Value code);

  // The element (a scalar if no coordinate runs along lanes and nothing else does, else a vector).
  Value emit(const ir::Value* value, const Coordinates& at);
  // As emit, but always a vector of `lanes` where `vector`.
  Value emit_vector(const ir::Value* value, const Coordinates& at);

  // Stores element(s) of a row-major value of the given shape.
  void store(Value code, const ir::Type& type, const Buffer& buffer, const Coordinates& at);
  // What lies now where `store` would write (in its type in memory).
  Value stored(const ir::Type& type, const Buffer& buffer, const Coordinates& at);

  // What is written inside a loop body is unknown after it.
  void open_scope() { scopes_.emplace_back(); }
  void close_scope() { scopes_.pop_back(); }

  // Lanes that are in range; absent: all.
  void set_mask(Value mask) { mask_ = mask; }
  Value mask() const { return mask_; }
  void set_lanes(int lanes) { lanes_ = lanes; }

  // Dimension with the batch tag counted out: size · rows as i64.
  Value extent(const ir::Dim& dim);
  Value scalar_coordinate(const Coordinate& c);  // without the lane
  Builder& builder() { return k_; }
  int lanes() const { return lanes_; }

 private:
  using Key = std::pair<const ir::Value*, std::vector<std::tuple<int, int64_t, bool>>>;
  struct Address {
    Value scalar;  // i64; absent: 0
    int64_t constant = 0;
    int64_t lane_stride = 0;
    Value lane_stride_value;  // when it counts batch rows
  };

  Key key_of(const ir::Value* value, const Coordinates& at) const;
  Value emit_new(const ir::Value* value, const Coordinates& at);
  Value elementwise(const ir::Node& node, const Coordinates& at);
  Value generator(const ir::Node& node, const Coordinates& at);
  Value moved(const ir::Value* value, const Coordinates& at);
  Value load(const ir::Value* param, const ir::View& view, const Coordinates& at,
             const ir::Value* moved_value);
  Value load_at(Scalar type, Value pointer, const Address& address);
  Value load_indexed(const ir::Value* param, const ir::View& view, const Coordinates& at,
                     const ir::Value* moved_value, const Buffer& buffer);
  Value from_memory(Value loaded, ir::DType dtype);
  Value gather_rows(Scalar type, const Buffer& buffer, Value lane_rows, int64_t row_elements,
                    const Address& rest);
  Address address(const ir::View& view, const Coordinates& at);
  void add_term(Address& address, const ir::Dim& stride, const Coordinate& c);
  const Value* loaded_before(const ir::Value* value, const ir::Value* base, const Coordinates& at);
  std::optional<Coordinates> moved_coordinates(const ir::Value* value, const ir::Value* base,
                                               const Coordinates& at);
  Coordinate combine(const ir::View& map, const Coordinates& at);
  Value index_value(const Coordinate& c);
  const Value* known(const Key& key) const;

  Builder& k_;
  int lanes_;
  Value rows_;
  Value mask_;
  std::map<const ir::Value*, Buffer> buffers_;
  std::vector<std::map<Key, Value>> scopes_{1};
};

// Coordinates flattened: a value whose trailing dimensions lie row-major may be addressed with
// fewer coordinates than it has dimensions; the last one then counts all trailing elements.
ir::View flattened_view(const ir::Shape& shape, size_t coordinates);

}  // namespace nnc::kernel
