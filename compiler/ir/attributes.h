// Attributes of a node: a small ordered map from names to typed values.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "compiler/ir/type.h"

namespace nnc::ir {

// Printed as: 3, 0.5 (always with a point or exponent, exact), true, "text", [1,2], [1.0,2.0],
// shape [32b,784] (a list of dims, always printed with key `shape`), f32.
using Attribute = std::variant<int64_t, double, bool, std::string, std::vector<int64_t>,
                               std::vector<double>, Shape, DType>;

class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, Attribute>> items)
      : items_(items) {}

  bool has(const std::string& key) const { return items_.count(key) > 0; }
  void set(const std::string& key, Attribute value) { items_[key] = std::move(value); }
  void erase(const std::string& key) { items_.erase(key); }

  // Typed access; InternalError when absent or of another type. Only `integers` may be absent: an
  // empty list is not written, so that `contract` without batch dimensions prints short.
  int64_t integer(const std::string& key) const;
  double number(const std::string& key) const;
  bool boolean(const std::string& key) const;
  const std::string& text(const std::string& key) const;
  const std::vector<int64_t>& integers(const std::string& key) const;
  const std::vector<double>& numbers(const std::string& key) const;
  const Shape& shape(const std::string& key) const;
  DType dtype(const std::string& key) const;

  const std::map<std::string, Attribute>& items() const { return items_; }
  bool operator==(const Attributes&) const = default;

 private:
  std::map<std::string, Attribute> items_;
};

}  // namespace nnc::ir
