#include "compiler/language/page/entries.h"

#include <fmt/format.h>

#include <regex>

#include "compiler/language/page/markdown.h"

namespace nnc::language {

namespace {

// Bounds from here on keep sizes from overflowing; no file that is meant well comes near them.
constexpr double guard = 1e6;
constexpr size_t guard_size = 4096;
constexpr size_t unlimited_size = 1u << 20;  // what schema::describe takes for no bound

// The type as a reader needs it, without such bounds.
schema::Type without_guards(schema::Type type) {
  if (type.maximum && *type.maximum >= guard) type.maximum.reset();
  if (type.maximum_size && *type.maximum_size >= guard_size) {
    if (*type.minimum_size == 0) type.minimum_size.reset();
    type.maximum_size = unlimited_size;
  }
  if (type.element)
    type.element = std::make_shared<const schema::Type>(without_guards(*type.element));
  for (schema::Type& form : type.alternatives) form = without_guards(std::move(form));
  return type;
}

// "an optimizer", "a list of layers" … lead to their chapters.
std::string with_links(std::string text) {
  for (const auto& [group, chapter] : group_chapters()) {
    const std::regex words("\\b(an? |list of |to )(" + schema::noun(group) + "s?)\\b");
    text = std::regex_replace(text, words, "$1[$2](#" + chapter + ")");
  }
  static const std::regex formula("\\b(a |to )(formulas?)\\b");
  return std::regex_replace(text, formula, "$1[$2](#formulas)");
}

std::string note_of(const schema::Key& key, const std::string& principal) {
  std::string note = with_links(schema::describe(without_guards(key.type)));
  if (key.is_required) note += "; required";
  if (key.default_yaml) note += "; default `" + *key.default_yaml + "`";
  if (key.name == principal) note += "; may stand alone";
  return note;
}

std::string list(const std::vector<schema::Key>& keys, const std::string& principal, size_t depth,
                 std::set<std::string>& shown);

// The keys of the maps that may stand in a value, once for each map.
std::string inner_list(const schema::Type& type, size_t depth, std::set<std::string>& shown) {
  std::string result;
  if (!type.keys.empty()) {
    std::string identity;
    for (const schema::Key& key : type.keys) identity += key.name + ": " + key.doc + "\n";
    if (shown.insert(identity).second) result += list(type.keys, "", depth, shown);
  }
  if (type.element) result += inner_list(*type.element, depth, shown);
  for (const schema::Type& form : type.alternatives) result += inner_list(form, depth, shown);
  return result;
}

std::string list(const std::vector<schema::Key>& keys, const std::string& principal, size_t depth,
                 std::set<std::string>& shown) {
  const std::string margin(2 * depth, ' ');
  std::string result;
  for (const schema::Key& key : keys) {
    const std::string note = note_of(key, principal);
    result += wrapped(fmt::format("`{}` ({}): {}", key.name, note, escaped(key.doc)), margin + "- ",
                      margin + "  ");
    result += inner_list(key.type, depth + 1, shown);
  }
  return result;
}

// The example as it stands in a file: steps and sources with the key above them.
std::string example_of(schema::Group group, const schema::Entry& entry) {
  const bool bare = entry.example == entry.name;
  const std::string step = bare ? entry.example : "{" + entry.example + "}";
  switch (group) {
    case schema::Group::prepare_steps: return "prepare: [" + step + "]";
    case schema::Group::augment_steps: return "augment: [" + step + "]";
    case schema::Group::sources: return "train:\n  " + entry.example;
    default: return entry.example;
  }
}

std::string arguments(const schema::Entry& entry) {
  std::string result;
  if (entry.merges) {
    result += wrapped(fmt::format("- its inputs as a list: `{}: [a, b]`", entry.name), "", "  ");
    if (!entry.keys.empty())
      result += wrapped(fmt::format("- beside arguments: `{}: {{inputs: [a, b], {}: …}}`",
                                    entry.name, entry.keys.front().name),
                        "", "  ");
  }
  std::set<std::string> shown;
  result += key_list(entry.keys, entry.principal, shown);
  if (entry.other_keys) {
    result +=
        wrapped(fmt::format("any field name ({})", with_links(schema::describe(*entry.other_keys))),
                "- ", "  ");
  }
  if (entry.random) result += "- [`when`](#beside-a-layer) may stand beside it\n";
  return result;
}

}  // namespace

std::string key_list(const std::vector<schema::Key>& keys, const std::string& principal,
                     std::set<std::string>& shown) {
  return list(keys, principal, 0, shown);
}

std::string entry_text(schema::Group group, const schema::Entry& entry) {
  std::string result = heading(3, entry.name, anchor_of(group, entry.name));
  result += "\n" + wrapped(escaped(entry.doc));
  const std::string keys = arguments(entry);
  if (!keys.empty()) result += "\n" + keys;
  if (!entry.example.empty()) result += "\n" + yaml_block(example_of(group, entry));
  if (!entry.source.empty()) result += "\n" + wrapped("Source: " + escaped(entry.source));
  return result;
}

const std::vector<std::pair<schema::Group, std::string>>& group_chapters() {
  using schema::Group;
  static const std::vector<std::pair<Group, std::string>> chapters = {
      {Group::sources, "sources"},         {Group::prepare_steps, "prepare"},
      {Group::augment_steps, "augment"},   {Group::layers, "layers"},
      {Group::activations, "activations"}, {Group::initialisers, "initialisers"},
      {Group::losses, "losses"},           {Group::metrics, "metrics"},
      {Group::optimizers, "optimizers"},   {Group::schedules, "schedules"}};
  return chapters;
}

std::string anchor_of(schema::Group group, const std::string& name) {
  std::string anchor = schema::noun(group) + "-" + name;
  for (char& c : anchor) {
    if (c == ' ') c = '-';
  }
  return anchor;
}

}  // namespace nnc::language
