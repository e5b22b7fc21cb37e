#include "compiler/ir/attributes.h"

#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

template <typename T>
const T& get(const std::map<std::string, Attribute>& items, const std::string& key) {
  const auto it = items.find(key);
  if (it == items.end()) throw InternalError("internal error: attribute '" + key + "' is absent");
  if (const T* value = std::get_if<T>(&it->second)) return *value;
  throw InternalError("internal error: attribute '" + key + "' is of another type");
}

}  // namespace

int64_t Attributes::integer(const std::string& key) const { return get<int64_t>(items_, key); }
double Attributes::number(const std::string& key) const { return get<double>(items_, key); }
bool Attributes::boolean(const std::string& key) const { return get<bool>(items_, key); }
const std::string& Attributes::text(const std::string& key) const {
  return get<std::string>(items_, key);
}
const std::vector<int64_t>& Attributes::integers(const std::string& key) const {
  static const std::vector<int64_t> none;
  return has(key) ? get<std::vector<int64_t>>(items_, key) : none;
}
const std::vector<double>& Attributes::numbers(const std::string& key) const {
  return get<std::vector<double>>(items_, key);
}
const Shape& Attributes::shape(const std::string& key) const { return get<Shape>(items_, key); }
DType Attributes::dtype(const std::string& key) const { return get<DType>(items_, key); }

}  // namespace nnc::ir
