#include "compiler/ir/type.h"

#include <array>
#include <utility>

#include "compiler/support/diagnostics.h"
#include "runtime/shape.h"

namespace nnc::ir {
namespace {

constexpr std::array<std::pair<DType, const char*>, 7> kDtypeNames = {{
    {DType::f32, "f32"},
    {DType::f64, "f64"},
    {DType::bf16, "bf16"},
    {DType::i32, "i32"},
    {DType::i64, "i64"},
    {DType::u8, "u8"},
    {DType::boolean, "bool"},
}};

}  // namespace

int64_t Type::elements(int64_t batch_rows) const {
  int64_t n = 1;
  for (const Dim& dim : shape) {
    n = checked_product(n, checked_product(dim.size, dim.batch ? batch_rows : 1));
  }
  return n;
}

Dim product(const Shape& shape) {
  Dim result;
  for (const Dim& dim : shape) {
    internal_check(!(result.batch && dim.batch), "a product counts the batch twice");
    result.size = checked_product(result.size, dim.size);
    result.batch = result.batch || dim.batch;
  }
  return result;
}

bool has_batch(const Shape& shape) {
  for (const Dim& dim : shape) {
    if (dim.batch) return true;
  }
  return false;
}

std::vector<int64_t> sizes_of(const Shape& shape, size_t first) {
  std::vector<int64_t> sizes;
  for (size_t i = first; i < shape.size(); ++i) sizes.push_back(shape[i].size);
  return sizes;
}

Shape fixed_shape(const std::vector<int64_t>& sizes) {
  Shape shape;
  for (int64_t size : sizes) shape.push_back({size, false});
  return shape;
}

std::string name_of(DType dtype) {
  for (const auto& [type, name] : kDtypeNames) {
    if (type == dtype) return name;
  }
  throw InternalError("internal error: element type without a name");
}

bool parse_dtype(const std::string& text, DType& dtype) {
  for (const auto& [type, name] : kDtypeNames) {
    if (text != name) continue;
    dtype = type;
    return true;
  }
  return false;
}

std::string to_string(const Dim& dim, int64_t batch) {
  if (!dim.batch) return std::to_string(dim.size);
  std::string text = std::to_string(batch) + "b";
  return dim.size == 1 ? text : text + "*" + std::to_string(dim.size);
}

std::string to_string(const Shape& shape, int64_t batch) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i ? "," : "") + to_string(shape[i], batch);
  }
  return text + "]";
}

std::string to_string(const Type& type, int64_t batch) {
  return name_of(type.dtype) + to_string(type.shape, batch);
}

}  // namespace nnc::ir
