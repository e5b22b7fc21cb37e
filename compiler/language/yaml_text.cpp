#include "compiler/language/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/language/yaml.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

// \x9b, \u202e: one character by its number. YAML's texts are well-formed UTF-8.
std::string escaped(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  unsigned number = byte(0);
  if (character.size() > 1) number &= 0xFFu >> (character.size() + 1);
  for (size_t i = 1; i < character.size(); ++i) number = number << 6 | (byte(i) & 0x3Fu);
  if (number > 0xFFFF) return fmt::format("\\U{:08x}", number);
  return number > 0xFF ? fmt::format("\\u{:04x}", number) : fmt::format("\\x{:02x}", number);
}

std::string in_double_quotes(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const std::string_view character = text.substr(0, byte_of(text, 1));
    text.remove_prefix(character.size());
    if (character == "\"" || character == "\\") result += '\\';
    if (character == "\n") {
      result += "\\n";
    } else if (printable(character) != character) {
      result += escaped(character);
    } else {
      result += character;
    }
  }
  return result + "\"";
}

// Whether a text means itself when it stands without quotes, in block and flow alike.
bool is_safe(const std::string& text) {
  const auto safe = [](char c) {
    return is_identifier(std::string("_") + c) || c == '/' || c == '.' || c == '-';
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), safe)) return false;
  if (text[0] == '-' || core_number(text) || core_non_finite(text)) return false;
  for (const char* word : {"true", "false", "null", "Null", "NULL"}) {
    if (text == word) return false;
  }
  return true;
}

std::string array_text(const ArrayValue& array, size_t level, size_t& at) {
  if (level == array.shape.size()) return number_text(array.numbers[at++]);
  std::string result = "[";
  for (int64_t i = 0; i < array.shape[level]; ++i) {
    if (i > 0) result += ", ";
    result += array_text(array, level + 1, at);
  }
  return result + "]";
}

std::string map_text(const MapValue& map, bool defaults) {
  std::string result;
  for (const auto& [name, value] : map) {
    if (!value.given && !defaults) continue;
    if (!result.empty()) result += ", ";
    result += name.text + ": " + flow_text(value, defaults);
  }
  return result;
}

std::string list_text(const ListValue& list, bool defaults) {
  std::string result;
  for (const Value& item : list) {
    if (!result.empty()) result += ", ";
    result += flow_text(item, defaults);
  }
  return "[" + result + "]";
}

std::string entry_value_text(const EntryValue& entry, bool defaults) {
  const std::string own = entry_text(entry.kind.text, *entry.args, defaults);
  const std::string beside = entry.siblings ? map_text(entry.siblings->values(), defaults) : "";
  if (beside.empty()) return own == entry.kind.text ? own : "{" + own + "}";
  const std::string colon = own == entry.kind.text ? ": {}" : "";
  return "{" + own + colon + ", " + beside + "}";
}

}  // namespace

std::string scalar_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '$' ? "$$" : std::string(1, c);
  return is_safe(escaped) ? escaped : in_double_quotes(escaped);
}

std::string formula_scalar(const Formula& formula) { return in_double_quotes(formula.text); }

std::string flow_text(const Value& value, bool defaults) {
  if (value.is_boolean()) return value.boolean() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.integer());
  if (value.is_number()) return number_text(value.number());
  if (value.is_text()) return scalar_text(value.text());
  if (value.is_formula()) return formula_scalar(value.formula());
  if (value.is_entry()) return entry_value_text(value.entry(), defaults);
  if (value.is_list()) return list_text(value.list(), defaults);
  if (value.is_map()) return "{" + map_text(value.map(), defaults) + "}";
  if (value.is_array()) {
    size_t at = 0;
    return array_text(value.array(), 0, at);
  }
  const auto* duration = std::get_if<Duration>(&value.data);
  if (duration == nullptr) return "null";
  return number_text(duration->amount) + (duration->steps ? " steps" : "");
}

std::string arguments_text(const Args& args, bool defaults) {
  const std::string inside = map_text(args.values(), defaults);
  return inside.empty() ? "" : "{" + inside + "}";
}

std::string entry_text(const std::string& kind, const Args& args, bool defaults) {
  const std::string arguments = arguments_text(args, defaults);
  return arguments.empty() ? kind : kind + ": " + arguments;
}

}  // namespace nnc::language
