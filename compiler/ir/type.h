// Types of graph values: an element type and a shape whose dimensions may count batch rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/abi.h"

namespace nnc::ir {

using DType = abi::DType;

// A dimension is a constant, or a constant times the batch symbol. The symbol has one value per
// program (Graph::batch), printed as `128b` and `128b*16`; passes keep the tag, so that the same
// code serves every batch size.
struct Dim {
  int64_t size = 1;
  bool batch = false;
  bool operator==(const Dim&) const = default;
  int64_t extent(int64_t batch_rows) const { return batch ? size * batch_rows : size; }
};

using Shape = std::vector<Dim>;

struct Type {
  DType dtype = DType::f32;
  Shape shape;
  bool operator==(const Type&) const = default;
  int rank() const { return static_cast<int>(shape.size()); }
  int64_t elements(int64_t batch_rows) const;  // product of extents
  bool is_float() const {
    return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::bf16;
  }
};

// Product of dimensions. At most one factor may count the batch (InternalError otherwise).
Dim product(const Shape& shape);
bool has_batch(const Shape& shape);
// Of the dimensions from `first` on, none of which is the batch.
std::vector<int64_t> sizes_of(const Shape& shape, size_t first = 0);
Shape fixed_shape(const std::vector<int64_t>& sizes);

std::string name_of(DType dtype);  // "f32"
bool parse_dtype(const std::string& text, DType& dtype);
std::string to_string(const Dim& dim, int64_t batch);  // "128b*16"
std::string to_string(const Shape& shape, int64_t batch);
std::string to_string(const Type& type, int64_t batch);  // "f32[128b,784]"

}  // namespace nnc::ir
