#include <fmt/format.h>

#include <set>

#include "compiler/language/data_schema.h"
#include "compiler/language/file_schema.h"
#include "compiler/language/help_keys.h"
#include "compiler/language/reference.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

// A paragraph after `indent` spaces, in one line: whoever shows it breaks lines.
std::string paragraph(const std::string& text, size_t indent) {
  return text.empty() ? "" : std::string(indent, ' ') + text + "\n";
}

std::string first_sentence(const std::string& doc) {
  const size_t dot = doc.find(". ");
  return dot == std::string::npos ? doc : doc.substr(0, dot + 1);
}

// Whether a key has to be there, and what it is if it is not.
std::string presence(const schema::Key& key) {
  std::string note;
  if (key.is_required) note = ", required";
  if (key.default_yaml) note = ", default " + *key.default_yaml;
  return note;
}

std::string keys_text(const std::vector<schema::Key>& keys, const std::string& principal) {
  std::string result;
  for (const schema::Key& key : keys) {
    std::string note = presence(key);
    if (key.name == principal) note += ", may stand alone";
    result += fmt::format("  {}: {}{}\n", key.name, schema::describe(key.type), note);
    result += paragraph(key.doc, 6);
  }
  return result;
}

std::string indented(const std::string& text, size_t indent) {
  const std::string margin(indent, ' ');
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    result += margin + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return result;
}

std::string entry_help(schema::Group group, const schema::Entry& entry) {
  std::string result = fmt::format("{} ({})\n\n", entry.name, schema::noun(group));
  result += paragraph(entry.doc, 2);
  if (!entry.source.empty()) result += "\n  Source:\n" + paragraph(entry.source, 4);
  if (entry.merges) {
    result += "\n  Its inputs stand as a list: " + entry.name + ": [a, b]\n";
    if (!entry.keys.empty())
      result += fmt::format("  Beside arguments: {}: {{inputs: [a, b], {}: …}}\n", entry.name,
                            entry.keys.front().name);
  }
  if (!entry.keys.empty()) result += "\nArguments\n" + keys_text(entry.keys, entry.principal);
  if (entry.other_keys) {
    result += "\nAny field name: " + schema::describe(*entry.other_keys) + "\n";
  }
  if (group == schema::Group::sources) result += "\nBeside it\n" + keys_text(source_siblings(), "");
  if (group == schema::Group::layers) {
    std::vector<schema::Key> beside = layer_siblings();
    if (!entry.random) {
      std::erase_if(beside, [](const schema::Key& key) { return key.name == "when"; });
    }
    result += "\nBeside it\n" + keys_text(beside, "");
  }
  if (!entry.example.empty()) result += "\nExample\n" + indented(entry.example, 2);
  return result;
}

// The keys that a value has if it is a map.
std::string inner_keys(const schema::Type& type) {
  std::string result;
  if (type.kind == schema::Kind::record) result += "\nKeys\n" + keys_text(type.keys, "");
  if (type.element && type.element->kind == schema::Kind::record)
    result += "\nKeys of each\n" + keys_text(type.element->keys, "");
  for (const schema::Type& form : type.alternatives)
    if (form.kind == schema::Kind::record) result += "\nKeys\n" + keys_text(form.keys, "");
  return result;
}

// Names with what they are, one line each.
std::string list_of(const std::vector<const schema::Entry*>& entries) {
  std::string result;
  for (const schema::Entry* entry : entries) {
    result += fmt::format("  {:<21}  {}\n", entry->name, first_sentence(entry->doc));
  }
  return result;
}

// The entries that may stand in a value of this type.
void collect_groups(const schema::Type& type, std::set<schema::Group>& groups) {
  if (type.kind == schema::Kind::entry) groups.insert(type.group);
  if (type.element) collect_groups(*type.element, groups);
  for (const schema::Type& form : type.alternatives) collect_groups(form, groups);
}

std::string choices_text(const schema::Catalogue& catalogue, const schema::Type& type) {
  std::set<schema::Group> groups;
  collect_groups(type, groups);
  std::string result;
  for (const auto& [group, entries] : all_entries(catalogue)) {
    if (groups.count(group) > 0) result += "\nOne of\n" + list_of(entries);
  }
  return result;
}

std::string plural(schema::Group group) {
  return schema::noun(group) + (group == schema::Group::losses ? "es" : "s");
}

std::string key_help(const schema::Catalogue& catalogue, const PlacedKey& placed) {
  const schema::Key& key = *placed.key;
  std::string result = fmt::format("{} ({})\n\n", key.name, placed.place) + paragraph(key.doc, 2);
  const std::string form = schema::describe(key.type) + presence(key);
  return result + "\n" + paragraph(form, 2) + inner_keys(key.type) +
         choices_text(catalogue, key.type);
}

// The entries that take an argument of this name.
std::string argument_help(const schema::Catalogue& catalogue, const std::string& name) {
  std::string list;
  std::set<const schema::Entry*> shown;  // activations are layers, too
  for (const auto& [group, entries] : all_entries(catalogue))
    for (const schema::Entry* entry : entries)
      for (const schema::Key& key : entry->keys)
        if (key.name == name && shown.insert(entry).second)
          list += fmt::format("  {}: {}\n", entry->name, key.doc);
  if (list.empty()) return "";
  return fmt::format("{} (argument)\n\n{}\nnnc help with one of these words says more.\n", name,
                     list);
}

std::string section_help(const schema::Catalogue& catalogue, const schema::Key& section) {
  std::string result = fmt::format("{} (section of the file)\n\n", section.name);
  result += paragraph(section.doc, 2);
  if (section.type.kind == schema::Kind::record) {
    result += "\nKeys\n" + keys_text(section.type.keys, "");
  } else {
    result += "\n  " + schema::describe(section.type) + "\n" + inner_keys(section.type);
  }
  return result + choices_text(catalogue, section.type);
}

}  // namespace

std::vector<std::pair<schema::Group, std::vector<const schema::Entry*>>> all_entries(
    const schema::Catalogue& catalogue) {
  using schema::Group;
  std::vector<std::pair<Group, std::vector<const schema::Entry*>>> result;
  for (const Group group : {Group::layers, Group::activations, Group::losses, Group::metrics,
                            Group::optimizers, Group::schedules, Group::initialisers}) {
    result.emplace_back(group, catalogue.entries(group));
  }
  const auto add = [&](Group group, const std::vector<schema::Entry>& entries) {
    result.emplace_back(group, std::vector<const schema::Entry*>{});
    for (const schema::Entry& entry : entries) result.back().second.push_back(&entry);
  };
  add(Group::sources, source_entries());
  add(Group::prepare_steps, prepare_entries());
  add(Group::augment_steps, augment_entries());
  return result;
}

std::string help(const schema::Catalogue& catalogue) {
  std::string result = "Sections of a model file\n";
  for (const schema::Key& key : file_type().keys) {
    result += fmt::format("  {:<21}  {}\n", key.name, key.doc);
  }
  for (const auto& [group, entries] : all_entries(catalogue)) {
    std::string title = plural(group);
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
    result += "\n" + title + "\n";
    for (const schema::Entry* entry : entries) {
      // Activations are layers too, but have a list of their own.
      const bool elsewhere = group == schema::Group::layers &&
                             catalogue.find(schema::Group::activations, entry->name) == entry;
      if (!elsewhere) {
        result += fmt::format("  {:<21}  {}\n", entry->name, first_sentence(entry->doc));
      }
    }
  }
  return result +
         "\nnnc help WORD explains any of them, any key of a section, and formulas.\n"
         "docs/language.md has it all with examples; nnc help --markdown prints it.\n";
}

std::optional<std::string> help(const schema::Catalogue& catalogue, const std::string& topic) {
  std::string result;
  const auto add = [&](const std::string& text) { result += (result.empty() ? "" : "\n") + text; };
  const schema::Entry* shown = nullptr;
  for (const auto& [group, entries] : all_entries(catalogue)) {
    for (const schema::Entry* entry : entries) {
      if (entry->name != topic || entry == shown) continue;
      add(entry_help(group, *entry));
      shown = entry;
    }
  }
  for (const schema::Key& key : file_type().keys) {
    if (key.name == topic) add(section_help(catalogue, key));
  }
  for (const PlacedKey& placed : keys_below_sections()) {
    if (placed.key->name == topic) add(key_help(catalogue, placed));
  }
  for (const auto& [group, entries] : all_entries(catalogue)) {
    if (!result.empty() || (topic != schema::noun(group) && topic != plural(group))) continue;
    add(fmt::format("{}\n\n{}\nnnc help with one of these words says more.\n", plural(group),
                    list_of(entries)));
  }
  if (result.empty()) add(argument_help(catalogue, topic));
  return result.empty() ? std::nullopt : std::optional<std::string>(result);
}

std::vector<std::string> help_topics(const schema::Catalogue& catalogue) {
  std::vector<std::string> result;
  for (const schema::Key& key : file_type().keys) result.push_back(key.name);
  for (const auto& [group, entries] : all_entries(catalogue)) {
    for (const schema::Entry* entry : entries) result.push_back(entry->name);
  }
  for (const PlacedKey& placed : keys_below_sections()) result.push_back(placed.key->name);
  return result;
}

}  // namespace nnc::language
