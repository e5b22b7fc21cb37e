#include "compiler/language/overrides.h"

#include <algorithm>

#include "compiler/language/file_schema.h"
#include "compiler/language/synonyms.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

struct Override {
  std::vector<std::string> path;
  YamlNode value;
  SourceSpan span;  // of the path
};

void point_at(YamlNode& node, const SourceSpan& span) {
  node.span = span;
  node.offset = std::string::npos;
  for (YamlNode& item : node.items) point_at(item, span);
  for (YamlEntry& entry : node.entries) {
    point_at(entry.key, span);
    point_at(entry.value, span);
  }
}

// `--data test=…` changes data.test; what is wrong with it is said under its own name.
std::optional<Override> read(const std::string& given, Diagnostics& diagnostics) {
  const std::string data = data_override("");
  const bool is_data = given.rfind(data, 0) == 0;
  const std::string option = is_data ? "--data" : "--set";
  const std::string text = is_data ? given.substr(data.size()) : given;
  const auto file = std::make_shared<const SourceFile>(SourceFile{option, text});
  const size_t equals = text.find('=');
  Override result;
  result.span =
      SourceSpan{file, 1, 1, std::max(1, characters(text, std::min(equals, text.size())))};
  if (equals == std::string::npos || equals == 0) {
    diagnostics.error(
        result.span,
        option + (is_data ? " needs a split and its source" : " needs a path and a value"),
        is_data ? "test={csv: {…}}, or another split and its source" : "path=value", text);
    return std::nullopt;
  }
  const std::string path = text.substr(0, equals);
  if (is_data) result.path.push_back("data");
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    result.path.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  if (result.path.size() > YamlLimits::depth) {
    diagnostics.error(result.span, "the path of " + option + " is too long");
    return std::nullopt;
  }
  Diagnostics problems;
  const auto value_file = source_from_text(text.substr(equals + 1), option, problems);
  auto value = value_file ? parse_yaml(value_file, problems) : std::nullopt;
  const SourceSpan at{file, 1, characters(text, equals) + 2,
                      std::max(1, characters(text) - characters(text, equals) - 1)};
  if (!value || problems.has_errors()) {
    diagnostics.error(at, "the value of " + option + " cannot be read",
                      is_data
                          ? "a source as in the file, such as {csv: {file: new.csv, columns: …}}"
                          : "a value as in the file, such as 0.1, f64 or \"[1, 2]\"");
    return std::nullopt;
  }
  result.value = std::move(*value);
  point_at(result.value, at);
  return result;
}

YamlNode* item_named(YamlNode& list, const std::string& name) {
  for (YamlNode& item : list.items) {
    const YamlNode* own = item.find("name");
    if (own != nullptr && own->is_scalar() && own->text == name) return &item;
  }
  const auto index = core_integer(name);
  const bool inside = index && *index >= 0 && *index < static_cast<int64_t>(list.items.size());
  return inside ? &list.items[static_cast<size_t>(*index)] : nullptr;
}

std::vector<std::string> keys_of(const YamlNode& node) {
  std::vector<std::string> result;
  for (const YamlEntry& entry : node.entries) result.push_back(entry.key.text);
  for (size_t i = 0; i < node.items.size(); ++i) {
    const YamlNode* name = node.items[i].find("name");
    result.push_back(name != nullptr && name->is_scalar() ? name->text : std::to_string(i));
  }
  return result;
}

YamlNode empty_map(const SourceSpan& span) {
  YamlNode node;
  node.kind = YamlNode::Kind::map;
  node.span = span;
  return node;
}

YamlNode& child(YamlNode& map, const std::string& key, const SourceSpan& span) {
  if (YamlNode* found = map.find(key)) return *found;
  YamlNode name;
  name.kind = YamlNode::Kind::scalar;
  name.text = key;
  name.span = span;
  map.entries.push_back({std::move(name), empty_map(span)});
  return map.entries.back().value;
}

// `- flatten` as `- flatten:`, beside which other keys may stand.
YamlNode with_room(const YamlNode& word) {
  YamlNode result = empty_map(word.span);
  YamlNode nothing;
  nothing.absent = true;
  nothing.span = word.span;
  result.entries.push_back({word, std::move(nothing)});
  return result;
}

// One step down; null (reported) if there is nothing of that name and nothing could be.
YamlNode* step(YamlNode& at, const std::string& part, const Override& change,
               Diagnostics& diagnostics) {
  // `optimizer: adam` is `optimizer: {adam: {}}`.
  if (at.is_scalar() && at.text == part) {
    at = empty_map(at.span);
  } else if (at.is_null()) {
    at = empty_map(change.span);
  }
  if (at.is_map()) return &child(at, part, change.span);
  if (at.is_list()) {
    if (YamlNode* item = item_named(at, part)) {
      if (item->is_scalar() && is_identifier(item->text)) *item = with_room(*item);
      return item;
    }
  }
  const std::vector<std::string> known = keys_of(at);
  const auto near = meant(part, known);
  diagnostics.error(change.span,
                    change.span.path() + " finds no " + in_quotes(part) +
                        (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                    known.empty() ? "" : "one of " + join(known, "or"),
                    known.empty() ? describe(at) + " has nothing inside" : "");
  return nullptr;
}

// The dotted path of a key that a section has, written or meant: "seed" is train.seed.
std::optional<std::string> path_of(const std::string& word) {
  std::vector<std::string> keys, paths;
  const auto add = [&](const std::string& section, const std::vector<schema::Key>& known) {
    for (const schema::Key& key : known) {
      keys.push_back(key.name);
      paths.push_back(section + "." + key.name);
    }
  };
  for (const schema::Key& section : file_type().keys) {
    add(section.name, section.type.keys);
    for (const schema::Type& form : section.type.alternatives) add(section.name, form.keys);
  }
  const auto key = meant(word, keys);
  if (!key) return std::nullopt;
  // What most files change stands in `train`.
  const std::string usual = "train." + *key;
  if (std::count(paths.begin(), paths.end(), usual) > 0) return usual;
  return paths[static_cast<size_t>(std::find(keys.begin(), keys.end(), *key) - keys.begin())];
}

// A path of one word. Returns null (reported) if it is neither a setting nor a key of the file.
YamlNode* single(YamlNode& root, const Override& change, Diagnostics& diagnostics) {
  const std::string& word = change.path[0];
  YamlNode* settings = root.find("settings");
  if (settings != nullptr) {
    if (YamlNode* setting = settings->find(word)) return setting;
  }
  for (const schema::Key& key : file_type().keys) {
    if (key.name == word) return &child(root, word, change.span);
  }
  std::vector<std::string> known =
      settings != nullptr ? keys_of(*settings) : std::vector<std::string>{};
  auto near = meant(word, known);
  if (!near) near = path_of(word);
  diagnostics.error(change.span,
                    "--set: there is no setting " + in_quotes(word) +
                        (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                    (known.empty() ? "" : join(known, "or") + ", or ") +
                        std::string("a dotted path such as train.epochs"));
  return nullptr;
}

// How long training lasts is said once: `--epochs 2` is instead of the file's steps.
void replace_length(YamlNode& train, const Override& change) {
  const std::string& said = change.path[1];
  if (change.path[0] != "train" || (said != "epochs" && said != "steps")) return;
  const std::string other = said == "epochs" ? "steps" : "epochs";
  std::erase_if(train.entries, [&](const YamlEntry& entry) { return entry.key.text == other; });
}

}  // namespace

std::string data_override(const std::string& text) { return "--data " + text; }

void apply_overrides(const std::vector<std::string>& overrides, YamlNode& root,
                     Diagnostics& diagnostics) {
  if (!root.is_map()) return;
  for (const std::string& text : overrides) {
    const std::optional<Override> change = read(text, diagnostics);
    if (!change) continue;
    YamlNode* at = &root;
    if (change->path.size() == 1) {
      at = single(root, *change, diagnostics);
    } else {
      for (const std::string& part : change->path) {
        at = step(*at, part, *change, diagnostics);
        if (at == nullptr) break;
      }
    }
    if (at == nullptr) continue;
    *at = change->value;
    if (YamlNode* train = root.find("train"); train && change->path.size() == 2)
      replace_length(*train, *change);
  }
}

}  // namespace nnc::language
