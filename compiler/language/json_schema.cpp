#include <nlohmann/json.hpp>

#include "compiler/language/file_schema.h"
#include "compiler/language/reference.h"

namespace nnc::language {

namespace {

// ordered: editors offer keys in the order of the reference.
using Json = nlohmann::ordered_json;

Json schema_of(const schema::Type& type);

// Numbers and booleans may come from settings; numbers may be arithmetic.
Json or_text(Json value, const std::string& pattern) {
  return Json{{"anyOf", {std::move(value), Json{{"type", "string"}, {"pattern", pattern}}}}};
}

Json number(const schema::Type& type) {
  Json json = {{"type", type.kind == schema::Kind::integer ? "integer" : "number"}};
  if (type.minimum) json[type.minimum_excluded ? "exclusiveMinimum" : "minimum"] = *type.minimum;
  if (type.maximum) json[type.maximum_excluded ? "exclusiveMaximum" : "maximum"] = *type.maximum;
  return or_text(std::move(json), "[$0-9]");
}

Json list(const schema::Type& type) {
  Json json = {{"type", "array"}, {"items", schema_of(*type.element)}};
  if (type.minimum_size) json["minItems"] = *type.minimum_size;
  if (type.maximum_size) json["maxItems"] = *type.maximum_size;
  return json;
}

Json documented(const schema::Key& key) {
  Json json = schema_of(key.type);
  json["description"] = key.doc + (key.default_yaml ? " (default " + *key.default_yaml + ")" : "");
  return json;
}

Json record(const std::vector<schema::Key>& keys, const schema::Type* others) {
  Json json = {{"type", "object"}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const schema::Key& key : keys) {
    json["properties"][key.name] = documented(key);
    if (key.is_required) required.push_back(key.name);
  }
  if (!required.empty()) json["required"] = required;
  json["additionalProperties"] = others != nullptr ? schema_of(*others) : Json(false);
  return json;
}

std::string group_name(schema::Group group) {
  std::string name = schema::noun(group) + "_arguments";
  for (char& c : name) {
    if (c == ' ') c = '_';
  }
  return name;
}

// The words of a group are in `definitions`; the keys beside them are the type's own.
Json entry(const schema::Type& written) {
  const schema::Type& type = with_siblings(written);
  const std::string base = "#/definitions/" + group_name(type.group);
  Json object = {{"type", "object"}, {"minProperties", 1}};
  Json properties = Json::object();
  for (const schema::Key& key : type.keys) properties[key.name] = documented(key);
  object["allOf"] = {Json{{"$ref", base}}};
  object["properties"] = properties;
  Json beside = Json::array();
  for (const schema::Key& key : type.keys) beside.push_back(key.name);
  Json names = {Json{{"$ref", base + "_names"}}};
  if (!beside.empty()) names.push_back(Json{{"enum", beside}});
  object["propertyNames"] = Json{{"anyOf", names}};
  Json words = {{"$ref", base + "_words"}};
  Json alternatives = {words, object};
  if (!type.number_means.empty()) alternatives.push_back({{"type", "number"}});
  return Json{{"anyOf", alternatives}};
}

Json schema_of(const schema::Type& type) {
  using schema::Kind;
  switch (type.kind) {
    case Kind::integer:
    case Kind::number: return number(type);
    case Kind::boolean: return or_text(Json{{"type", "boolean"}}, "^\\$");
    case Kind::choice: {
      Json values = type.choices;
      return or_text(Json{{"enum", values}}, "^\\$");
    }
    case Kind::text: return Json{{"type", {"string", "number", "boolean"}}};
    case Kind::name: return Json{{"type", "string"}, {"pattern", "^[A-Za-z_][A-Za-z0-9_.]*$"}};
    case Kind::reference:
      return Json{{"type", "string"}, {"pattern", "^[A-Za-z_$][A-Za-z0-9_.{}]*$"}};
    case Kind::path: return Json{{"type", "string"}};
    case Kind::formula:
    case Kind::duration: return Json{{"type", {"string", "number"}}};
    case Kind::array: return Json{{"type", {"number", "array", "string"}}};
    case Kind::list: return list(type);
    case Kind::map:
      return Json{{"type", "object"}, {"additionalProperties", schema_of(*type.element)}};
    case Kind::record: return record(type.keys, nullptr);
    case Kind::entry: return entry(type);
    case Kind::one_of: break;
  }
  Json alternatives = Json::array();
  for (const schema::Type& alternative : type.alternatives) {
    alternatives.push_back(schema_of(alternative));
  }
  return Json{{"anyOf", alternatives}};
}

// What may stand behind the word: nothing, the principal argument, or a map of arguments.
Json arguments(const schema::Entry& entry) {
  Json alternatives = Json::array();
  Json map = record(entry.keys, entry.other_keys.get());
  if (entry.merges) {
    const Json inputs = schema_of(schema::list_of(schema::reference()));
    map["properties"]["inputs"] = inputs;
    alternatives.push_back(inputs);
  }
  alternatives.push_back(map);
  bool needs_arguments = entry.other_keys != nullptr;
  for (const schema::Key& key : entry.keys) {
    if (key.name == entry.principal) alternatives.push_back(schema_of(key.type));
    needs_arguments = needs_arguments || key.is_required;
  }
  if (!needs_arguments) alternatives.push_back({{"type", "null"}});
  Json json = {{"description", entry.doc}};
  if (!entry.example.empty()) json["examples"] = {entry.example};
  json["anyOf"] = alternatives;
  return json;
}

}  // namespace

std::string json_schema(const schema::Catalogue& catalogue) {
  Json json = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "nnc model file"}};
  Json definitions = Json::object();
  for (const auto& [group, entries] : all_entries(catalogue)) {
    Json properties = Json::object();
    Json words = Json::array();
    for (const schema::Entry* entry : entries) {
      properties[entry->name] = arguments(*entry);
      words.push_back(entry->name);
    }
    definitions[group_name(group)] = Json{{"properties", properties}};
    definitions[group_name(group) + "_names"] = Json{{"enum", words}};
    definitions[group_name(group) + "_words"] = or_text(Json{{"enum", words}}, "^\\$");
  }
  json.update(schema_of(file_type()));
  json["definitions"] = definitions;
  return json.dump(2) + "\n";
}

}  // namespace nnc::language
