#include "compiler/language/describe.h"

#include <algorithm>

#include "compiler/support/text.h"

namespace nnc::language {

namespace {

void collect(const Expression& e, std::vector<Name>& result) {
  if (e.kind == Expression::Kind::name) result.push_back({e.text, e.span});
  for (const ExpressionPtr& operand : e.operands) collect(*operand, result);
  for (const NamedOperand& named : e.named) collect(*named.value, result);
}

void collect(const Value& value, std::vector<Name>& result) {
  if (value.is_reference()) result.push_back(value.reference());
  if (value.is_formula()) collect(*value.formula().root, result);
  if (value.is_list()) {
    for (const Value& item : value.list()) collect(item, result);
  }
  if (value.is_map()) {
    for (const auto& [key, item] : value.map()) collect(item, result);
  }
  if (value.is_entry()) {
    for (const auto& [key, item] : value.entry().args->values()) collect(item, result);
  }
}

}  // namespace

const Value* get(const MapValue& map, const std::string& key) {
  for (const auto& [name, value] : map) {
    const bool read = !std::holds_alternative<std::monostate>(value.data);
    if (name.text == key) return read ? &value : nullptr;
  }
  return nullptr;
}

bool stands(const MapValue& map, const std::string& key) {
  for (const auto& [name, value] : map) {
    if (name.text == key) return true;
  }
  return false;
}

SourceSpan span_of(const MapValue& map, const std::string& key, const SourceSpan& otherwise) {
  const Value* value = get(map, key);
  return value != nullptr && value->given ? value->span : otherwise;
}

Penalty penalty_of(const Value& value) {
  Penalty penalty;
  penalty.span = value.span;
  if (const Value* l1 = get(value.map(), "l1")) penalty.l1 = l1->number();
  if (const Value* l2 = get(value.map(), "l2")) penalty.l2 = l2->number();
  return penalty;
}

std::vector<Name> names_in(const Expression& expression) {
  std::vector<Name> result;
  collect(expression, result);
  return result;
}

std::vector<Name> names_in(const Args& args) {
  std::vector<Name> result;
  for (const auto& [key, value] : args.values()) collect(value, result);
  return result;
}

void check_terms_named(const std::vector<Name>& names, const std::vector<std::string>& terms,
                       Diagnostics& diagnostics) {
  for (const Name& name : names) {
    if (std::find(terms.begin(), terms.end(), name.text) != terms.end()) continue;
    const auto near = nearest(name.text, terms);
    diagnostics.error(name.span,
                      "there is no loss term " + in_quotes(name.text) +
                          (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                      join(terms, "or"));
  }
}

const Split* Data::split(const std::string& name) const {
  for (const Split& split : splits) {
    if (split.name.text == name) return &split;
  }
  return nullptr;
}

const Field* Data::field(const std::string& name) const {
  for (const Field& field : fields) {
    if (field.name.text == name) return &field;
  }
  return nullptr;
}

const Layer* Model::layer(const std::string& name) const {
  for (const Layer& layer : layers) {
    if (layer.name == name) return &layer;
  }
  return nullptr;
}

std::string Model::head_of(const std::string& name) const {
  for (size_t end = name.size(); end != std::string::npos; end = name.rfind('.', end - 1)) {
    const std::string part = name.substr(0, end);
    if (layer(part) != nullptr) return part;
    if (end == 0) break;
  }
  return name.substr(0, name.find('.'));
}

}  // namespace nnc::language
