#include "compiler/language/decode.h"

#include <algorithm>

#include "compiler/language/file_schema.h"
#include "compiler/language/flow_slips.h"
#include "compiler/language/synonyms.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

Value value_of(const YamlNode& node, decltype(Value::data) data) {
  Value value;
  value.data = std::move(data);
  value.span = node.span;
  return value;
}

std::vector<std::string> names(const std::vector<schema::Key>& keys) {
  std::vector<std::string> result;
  for (const schema::Key& key : keys) result.push_back(key.name);
  return result;
}

const schema::Key* find_key(const std::vector<schema::Key>& keys, const std::string& name) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const schema::Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

// What the keys of a value are said to belong to: "'clip' of train" is "clip".
std::string owner_of(const std::string& what) {
  const size_t end = what.find('\'', 1);
  const bool is_quoted = what[0] == '\'' && end != std::string::npos;
  return is_quoted ? what.substr(1, end - 1) : what;
}

// A default in YAML as a tree that stands where the whole stands.
YamlNode default_node(const std::string& yaml, const SourceSpan& whole) {
  YamlNode node;
  if (yaml.find_first_of("[{\"'") == std::string::npos) {
    node.kind = YamlNode::Kind::scalar;
    node.text = yaml;
  } else {
    Diagnostics problems;
    const auto file = source_from_text(yaml, "default", problems);
    auto parsed = file ? parse_yaml(file, problems) : std::nullopt;
    internal_check(parsed.has_value() && !problems.has_errors(), "a default is not YAML: " + yaml);
    node = std::move(*parsed);
  }
  node.span = whole;
  return node;
}

}  // namespace

Value Decoder::decode(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (node.refused) return value_of(node, std::monostate{});
  switch (type.kind) {
    case schema::Kind::array: return array(node, type, what);
    case schema::Kind::list: return list(node, type, what);
    case schema::Kind::map: return map(node, type, what);
    case schema::Kind::record: return record(node, type, what);
    case schema::Kind::entry: return entry(node, with_siblings(type), what);
    case schema::Kind::one_of: return one_of(node, type, what);
    default: return scalar(node, type, what);
  }
}

Value Decoder::array(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (!node.is_list()) {
    if (!node.is_scalar()) return wrong_kind(node, type, what);
    const Value single = number(node, schema::number(), what);
    if (!is_read(&single)) return single;
    return value_of(node, ArrayValue{{}, {single.number()}});
  }
  ArrayValue result;
  result.shape = {static_cast<int64_t>(node.items.size())};
  bool good = true;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const YamlNode& item = node.items[i];
    const Value value = array(item, type, what);
    if (!is_read(&value)) {
      good = false;
      continue;
    }
    const ArrayValue& inner = value.array();
    if (result.shape.size() == 1) {
      result.shape.insert(result.shape.end(), inner.shape.begin(), inner.shape.end());
    }
    const bool same = std::equal(result.shape.begin() + 1, result.shape.end(), inner.shape.begin(),
                                 inner.shape.end());
    if (!same && good) {
      diagnostics_.error(
          item.span, what + ": the rows of nested lists must have equal lengths",
          describe(node.items[0]) + " like the first",
          item.is_list() ? "a list of " + std::to_string(item.items.size()) : describe(item));
      good = false;
    }
    if (good)
      result.numbers.insert(result.numbers.end(), inner.numbers.begin(), inner.numbers.end());
  }
  return good ? value_of(node, std::move(result)) : value_of(node, std::monostate{});
}

Value Decoder::list(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (!node.is_list()) {
    const bool one = node.is_scalar() && !node.is_null() && fit(node, *type.element) > 1;
    if (one || (node.is_scalar() && node.text.find(',') != std::string::npos)) {
      diagnostics_.error(node.span, what + ": a list needs brackets",
                         "[" + without_parentheses(node.text) + "]", node.text);
      return value_of(node, std::monostate{});
    }
    return wrong_kind(node, type, what);
  }
  const size_t size = node.items.size();
  if ((type.minimum_size && size < *type.minimum_size) ||
      (type.maximum_size && size > *type.maximum_size)) {
    diagnostics_.error(node.span, what + " has the wrong length", schema::describe(type),
                       size == 0 ? "an empty list" : "a list of " + std::to_string(size));
    return value_of(node, std::monostate{});
  }
  ListValue items;
  for (const YamlNode& item : node.items) {
    if (item.is_null() && item.absent) {
      diagnostics_.error(item.span, what + ": an item of the list is empty",
                         schema::describe(*type.element));
      items.push_back(value_of(item, std::monostate{}));
    } else {
      items.push_back(decode(item, *type.element, what));
    }
  }
  return value_of(node, std::move(items));
}

Value Decoder::map(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (!node.is_map()) return wrong_kind(node, type, what);
  MapValue result;
  for (const YamlEntry& entry : node.entries) {
    const Name name{entry.key.text, entry.key.span};
    if (!is_identifier(name.text)) {
      diagnostics_.error(name.span,
                         in_quotes(name.text) +
                             " is not a name: letters, digits and _, not starting with a digit");
      continue;
    }
    result.emplace_back(name, decode(entry.value, *type.element, "'" + name.text + "'"));
  }
  return value_of(node, std::move(result));
}

Value Decoder::record(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (!node.is_map()) return wrong_kind(node, type, what);
  Args args;
  args.whole = node.span;
  keys(node, type.keys, nullptr, owner_of(what), args);
  return value_of(node, MapValue(args.values()));
}

Value Decoder::one_of(const YamlNode& written, const schema::Type& type, const std::string& what) {
  // A setting is what it stands for: a word, a number.
  const bool is_setting =
      written.is_scalar() && written.text.starts_with("$") && is_identifier(written.text.substr(1));
  const std::optional<YamlNode> filled = is_setting ? settings_.fill(written) : written;
  if (!filled) return value_of(written, std::monostate{});
  const YamlNode& node = *filled;
  const schema::Type* best = nullptr;
  int best_fit = 0;
  for (const schema::Type& alternative : type.alternatives) {
    const int fits = fit(node, alternative);
    if (fits > best_fit) {
      best = &alternative;
      best_fit = fits;
    }
  }
  // A word is no number: all that could stand there is what was expected.
  const bool word = best != nullptr && best_fit == 1 && node.is_scalar() &&
                    (best->kind == schema::Kind::integer || best->kind == schema::Kind::number);
  return best != nullptr && !word ? decode(node, *best, what) : wrong_kind(node, type, what);
}

int Decoder::fit(const YamlNode& node, const schema::Type& type) const {
  using schema::Kind;
  const auto known = [&](const std::string& word) { return find(type.group, word) != nullptr; };
  switch (type.kind) {
    case Kind::integer:
    case Kind::number: {
      if (!node.is_scalar()) return 0;
      const bool arithmetic = node.text.find_first_of("$0123456789") != std::string::npos;
      return (node.is_plain() && core_number(node.text)) || arithmetic ? 2 : 1;
    }
    case Kind::array: {
      const YamlNode* leaf = &node;  // [0, 1] are numbers before they are words
      while (leaf->is_list() && !leaf->items.empty()) leaf = &leaf->items[0];
      const bool number = leaf->is_plain() && (core_number(leaf->text) || leaf->text[0] == '$');
      return number ? 4 : node.is_list() ? 2 : 0;
    }
    case Kind::list: {
      if (!node.is_list()) return 0;
      return node.items.empty() ? 1 : fit(node.items[0], *type.element) > 0 ? 3 : 1;
    }
    case Kind::map: return node.is_map() ? 1 : 0;
    case Kind::record: {
      if (!node.is_map()) return 0;
      int score = 1;
      for (const YamlEntry& e : node.entries) score += find_key(type.keys, e.key.text) ? 1 : 0;
      return score;
    }
    case Kind::entry: {
      if (node.is_scalar()) {
        const bool short_number = !type.number_means.empty() && core_number(node.text);
        return known(node.text) || short_number ? 2 : 1;
      }
      if (!node.is_map()) return 0;
      int score = 1;
      for (const YamlEntry& e : node.entries) {
        score += known(e.key.text) || find_key(type.keys, e.key.text) ? 1 : 0;
      }
      return score;
    }
    case Kind::one_of: {
      int best = 0;
      for (const schema::Type& alternative : type.alternatives) {
        best = std::max(best, fit(node, alternative));
      }
      return best;
    }
    case Kind::choice: {
      const bool listed =
          std::find(type.choices.begin(), type.choices.end(), node.text) != type.choices.end();
      return !node.is_scalar() ? 0 : listed ? 3 : 1;
    }
    default: return node.is_scalar() ? 1 : 0;
  }
}

void Decoder::report_unknown_key(const YamlNode& key, const std::string& owner,
                                 const std::vector<schema::Key>& known, Args& result) {
  const auto near = meant(key.text, names(known));
  diagnostics_.error(key.span,
                     owner + " has no key " + in_quotes(key.text) +
                         (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                     known.empty() ? "no keys" : join(names(known), "or"));
  if (near && !result.has(*near))
    result.set(Name{*near, key.span}, value_of(key, std::monostate{}));
}

void Decoder::keys(const YamlNode& node, const std::vector<schema::Key>& keys,
                   const schema::Type* other_keys, const std::string& owner, Args& result) {
  bool has_unknown = false;
  for (const YamlEntry& entry : node.entries) {
    const Name name{entry.key.text, entry.key.span};
    const schema::Key* key = find_key(keys, name.text);
    if (key == nullptr && (other_keys == nullptr || !is_identifier(name.text))) {
      const bool is_merge_key = entry.key.text == "<<" && entry.key.is_plain();
      if (!is_merge_key) report_unknown_key(entry.key, owner, keys, result);
      has_unknown = true;
      continue;
    }
    const schema::Type& type = key != nullptr ? key->type : *other_keys;
    const bool is_section = owner == whole_file;
    const std::string what = "'" + name.text + (is_section ? "'" : "' of " + owner);
    result.set(name, decode(entry.value, type, what));
  }
  // A misspelt key is most likely the one that is missing.
  defaults(keys, result.whole, owner, !has_unknown && !node.damaged, result);
}

void Decoder::defaults(const std::vector<schema::Key>& keys, const SourceSpan& whole,
                       const std::string& owner, bool report_missing, Args& result) {
  for (const schema::Key& key : keys) {
    if (result.has(key.name)) continue;
    if (key.is_required) {
      if (report_missing) {
        diagnostics_.error(whole, owner + " needs " + in_quotes(key.name),
                           key.name + ": " + schema::describe(key.type) + " (" + key.doc + ")");
      }
    } else if (key.default_yaml) {
      Value value = decode(default_node(*key.default_yaml, whole), key.type, key.name);
      value.given = false;
      result.set(key.name, std::move(value));
    }
  }
}

}  // namespace nnc::language
