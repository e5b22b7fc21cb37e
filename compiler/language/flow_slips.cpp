#include "compiler/language/flow_slips.h"

#include <algorithm>

#include "compiler/support/text.h"

namespace nnc::language {

namespace {

bool is_missing(const YamlEntry& entry) { return entry.value.is_null() && entry.value.absent; }

bool has_open_bracket(const YamlNode& node) {
  const auto count = [&](char c) { return std::count(node.text.begin(), node.text.end(), c); };
  return node.is_plain() && (count('(') > count(')') || count('[') > count(']'));
}

// Where "rate:0.1" lacks its space: the colon; npos if there is none inside.
size_t glued_colon(const std::string& key) {
  const size_t colon = key.find(':');
  const bool inside =
      colon != std::string::npos && is_identifier(key.substr(0, colon)) && colon + 1 < key.size();
  return inside ? colon : std::string::npos;
}

bool is_digits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// rate: 0,1
bool is_decimal_comma(const YamlEntry& before, const YamlEntry& entry) {
  const int end = before.value.span.column + before.value.span.length;
  return before.value.is_plain() && is_digits(before.value.text) && is_digits(entry.key.text) &&
         before.value.span.line == entry.key.span.line && entry.key.span.column == end + 1;
}

// `shape: 8, 8, 3` and `kernel: (3, 3)` inside braces: the numbers, where the value and the keys
// behind it are nothing else.
std::string unbracketed_list(const YamlEntry& before, const std::vector<YamlEntry>& entries,
                             size_t first) {
  std::string numbers = before.value.text;
  for (size_t i = first; i < entries.size() && is_missing(entries[i]); ++i)
    numbers += ", " + entries[i].key.text;
  numbers = without_parentheses(numbers);
  const bool plain = numbers.find_first_not_of("0123456789, ") == std::string::npos;
  return before.value.is_plain() && plain && is_digits(numbers.substr(0, 1)) ? numbers : "";
}

void report(const YamlEntry& entry, bool cut_formula, const YamlEntry* before,
            Diagnostics& diagnostics) {
  const std::string& key = entry.key.text;
  if (cut_formula) {
    diagnostics.error(entry.key.span,
                      "the comma ends the value inside { }, so that " + in_quotes(key) +
                          " is a key without a value",
                      "quotes around a formula with a comma: \"…\"");
  } else if (before != nullptr && is_decimal_comma(*before, entry)) {
    diagnostics.error(entry.key.span, "a number is written with a decimal point, not a comma",
                      before->value.text + "." + key, before->value.text + "," + key);
  } else {
    diagnostics.error(entry.key.span, "the key " + in_quotes(key) + " has no value",
                      key + ": and its value; or " + key + " without braces, if it stands alone");
  }
}

// "rate:0.1" as the entry that was meant.
YamlEntry separated(const YamlEntry& glued, size_t colon, Diagnostics& diagnostics) {
  const std::string& text = glued.key.text;
  diagnostics.error(glued.key.span, "a space is missing after the colon",
                    text.substr(0, colon + 1) + " " + text.substr(colon + 1), text);
  YamlEntry entry = glued;
  entry.value = glued.key;
  entry.value.text = text.substr(colon + 1);
  entry.key.text = text.substr(0, colon);
  return entry;
}

void repair_map(YamlNode& map, Diagnostics& diagnostics) {
  std::vector<YamlEntry> kept;
  bool cut = false;
  for (size_t i = 0; i < map.entries.size(); ++i) {
    YamlEntry& entry = map.entries[i];
    if (!is_missing(entry)) {
      cut = has_open_bracket(entry.value);
      kept.push_back(std::move(entry));
      continue;
    }
    if (!kept.empty() && !is_decimal_comma(kept.back(), entry)) {
      const std::string numbers = unbracketed_list(kept.back(), map.entries, i);
      if (!numbers.empty()) {
        map.damaged = true;
        diagnostics.error(kept.back().value.span, "a list needs brackets", "[" + numbers + "]");
        kept.pop_back();
        while (i + 1 < map.entries.size() && is_missing(map.entries[i + 1])) ++i;
        cut = false;
        continue;
      }
    }
    const size_t colon = glued_colon(entry.key.text);
    if (colon != std::string::npos && !cut) {
      kept.push_back(separated(entry, colon, diagnostics));
      continue;
    }
    map.damaged = true;
    if (cut && !kept.empty() && has_open_bracket(kept.back().value)) {
      kept.pop_back();
      report(entry, true, nullptr, diagnostics);
    } else if (!cut) {
      report(entry, false, kept.empty() ? nullptr : &kept.back(), diagnostics);
    }
    // A further part of the same formula is not reported again.
  }
  map.entries = std::move(kept);
}

}  // namespace

std::string without_parentheses(const std::string& text) {
  const bool round = text.size() > 2 && text.front() == '(' && text.back() == ')';
  return round ? text.substr(1, text.size() - 2) : text;
}

void repair_flow_slips(YamlNode& root, Diagnostics& diagnostics) {
  if (root.is_map() && root.flow) repair_map(root, diagnostics);
  for (YamlNode& item : root.items) repair_flow_slips(item, diagnostics);
  for (YamlEntry& entry : root.entries) repair_flow_slips(entry.value, diagnostics);
}

}  // namespace nnc::language
