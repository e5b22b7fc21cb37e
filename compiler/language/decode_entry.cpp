// Named choices with arguments: dense, {dense: 64}, {dense: {units: 64}} and the keys beside them.
#include <algorithm>

#include "compiler/language/data_schema.h"
#include "compiler/language/decode.h"
#include "compiler/language/flow_slips.h"
#include "compiler/language/synonyms.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

bool has_key(const std::vector<schema::Key>& keys, const std::string& name) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const schema::Key& key) { return key.name == name; });
}

std::vector<std::string> key_names(const std::vector<schema::Key>& keys) {
  std::vector<std::string> result;
  for (const schema::Key& key : keys) result.push_back(key.name);
  return result;
}

// " 4", "(4)" and "=4" as what stands behind a colon.
std::string arguments_in(const std::string& text) {
  const size_t begin = text.find_first_not_of(" =");
  const std::string rest = begin == std::string::npos ? "" : text.substr(begin);
  if (rest.empty() || rest == "()") return "…";
  return without_parentheses(rest);
}

bool stands_in_lists(schema::Group group) {
  using schema::Group;
  return group == Group::layers || group == Group::metrics || group == Group::prepare_steps ||
         group == Group::augment_steps;
}

// `inputs`, the principal argument of every merge layer.
const schema::Key& merge_inputs() {
  static const schema::Key key("inputs", schema::list_of(schema::reference()).sized(1, 1u << 16),
                               "what is merged: the names of layers or fields");
  return key;
}

}  // namespace

// The parts of an entry as written.
struct Decoder::Form {
  const YamlEntry* chosen = nullptr;  // of a map
  YamlNode key;                       // the name
  const YamlNode* value = nullptr;    // its arguments; null if there are none
  bool good = false;
};

const schema::Entry* Decoder::find(schema::Group group, const std::string& name) const {
  if (group == schema::Group::sources) return find_entry(source_entries(), name);
  if (group == schema::Group::prepare_steps) return find_entry(prepare_entries(), name);
  if (group == schema::Group::augment_steps) return find_entry(augment_entries(), name);
  return catalogue_.find(group, name);
}

std::vector<std::string> Decoder::names_of(schema::Group group) const {
  std::vector<std::string> result;
  const std::vector<schema::Entry>* own = nullptr;
  if (group == schema::Group::sources) own = &source_entries();
  if (group == schema::Group::prepare_steps) own = &prepare_entries();
  if (group == schema::Group::augment_steps) own = &augment_entries();
  if (own != nullptr) {
    for (const schema::Entry& entry : *own) result.push_back(entry.name);
    return result;
  }
  for (const schema::Entry* entry : catalogue_.entries(group)) result.push_back(entry->name);
  return result;
}

void Decoder::unknown_entry(const YamlNode& key, const schema::Type& type) {
  const size_t end = key.text.find_first_of(" (=");
  const std::string first = key.text.substr(0, end);
  if (end != std::string::npos && find(type.group, first) != nullptr) {
    const bool cut = key.text.find('{') != std::string::npos;  // at the colon inside the braces
    diagnostics_.error(key.span, "a colon is missing after " + in_quotes(first),
                       first + ": " + arguments_in(key.text.substr(end)) + (cut ? ": …}" : ""),
                       key.text + (cut ? ": …}" : ""));
    return;
  }
  if (type.group == schema::Group::sources && core_number(key.text)) {
    diagnostics_.error(
        key.span, "a number is no source of rows",
        "{fraction: " + key.text + "} for that share of the training rows, or a source");
    return;
  }
  const auto near = meant(key.text, names_of(type.group));
  // Every activation is a layer; together they would be a very long line.
  std::vector<std::string> known;
  for (const std::string& name : names_of(type.group)) {
    const bool listed = type.group != schema::Group::layers ||
                        catalogue_.find(schema::Group::activations, name) == nullptr;
    if (listed) known.push_back(name);
  }
  if (type.group == schema::Group::layers) known.push_back("an activation");
  diagnostics_.error(key.span,
                     "this version knows no " + schema::noun(type.group) + " " +
                         in_quotes(key.text) +
                         (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                     join(known, "or"));
}

Decoder::Form Decoder::entry_form(const YamlNode& node, const schema::Type& type,
                                  const std::string& what) {
  Form form;
  if (node.is_scalar()) {
    const std::optional<YamlNode> filled = settings_.fill(node);
    if (!filled) return form;
    form.key = *filled;
    form.good = true;
    return form;
  }
  if (!node.is_map()) {
    wrong_kind(node, type, what);
    return form;
  }
  std::vector<const YamlEntry*> known, unknown;
  for (const YamlEntry& entry : node.entries) {
    if (has_key(type.keys, entry.key.text)) continue;
    (find(type.group, entry.key.text) != nullptr ? known : unknown).push_back(&entry);
  }
  if (known.empty() && unknown.empty()) {
    if (!node.damaged) {
      diagnostics_.error(node.span, what + " lacks the name of its " + schema::noun(type.group),
                         join(names_of(type.group), "or"));
    }
    return form;
  }
  const schema::Entry* first = known.empty() ? nullptr : find(type.group, known[0]->key.text);
  for (size_t i = 1; i < known.size(); ++i) {
    if (has_key(first->keys, known[i]->key.text)) continue;  // misplaced: see belongs_inside
    diagnostics_.error(
        known[i]->key.span,
        "two " + schema::noun(type.group) + " names in one place: " +
            in_quotes(known[0]->key.text) + " and " + in_quotes(known[i]->key.text),
        stands_in_lists(type.group) ? "one; a list item for each begins with '- '" : "one of them");
  }
  form.chosen = known.empty() ? unknown[0] : known[0];
  form.key = form.chosen->key;
  const bool empty = form.chosen->value.is_null() && form.chosen->value.absent;
  form.value = empty ? nullptr : &form.chosen->value;
  form.good = true;
  return form;
}

// `- dense:` with `units: 3` beside it instead of below it.
bool Decoder::belongs_inside(const YamlEntry& beside, const YamlEntry& chosen,
                             const schema::Entry* entry) {
  if (entry == nullptr || !has_key(entry->keys, beside.key.text)) return false;
  const std::string value = beside.value.is_scalar() ? beside.value.text : "…";
  diagnostics_.error(
      beside.key.span,
      in_quotes(beside.key.text) + " belongs inside " + in_quotes(entry->name) + ", not beside it",
      chosen.key.text + ": {" + beside.key.text + ": " + value + "}, or two more spaces before " +
          in_quotes(beside.key.text));
  return true;
}

namespace {

bool belongs_beside(const YamlEntry& inside, const schema::Entry& entry, const schema::Type& type) {
  const std::string& key = inside.key.text;
  return !entry.other_keys && !has_key(entry.keys, key) && has_key(type.keys, key);
}

// `init: zeros` beside a layer that has an `init` inside: beside it stand the weights of a run.
bool is_initialiser(const YamlEntry& beside, const schema::Entry* entry) {
  const bool of_a_run = beside.value.is_map() && beside.value.find("from") != nullptr;
  return beside.key.text == "init" && !of_a_run && entry != nullptr && has_key(entry->keys, "init");
}

}  // namespace

// `dense: {units: 3, name: fc}`: what stands inside and belongs beside is taken out of `arguments`.
std::vector<YamlEntry> Decoder::take_out(YamlNode& arguments, const schema::Entry& entry,
                                         const schema::Type& type) {
  std::vector<YamlEntry> taken;
  std::erase_if(arguments.entries, [&](const YamlEntry& inside) {
    if (!belongs_beside(inside, entry, type)) return false;
    const std::string& key = inside.key.text;
    const std::string value = inside.value.is_scalar() ? inside.value.text : "…";
    diagnostics_.error(
        inside.key.span,
        in_quotes(key) + " belongs beside " + in_quotes(entry.name) + ", not inside it",
        "{" + entry.name + ": {…}, " + key + ": " + value + "}, or two spaces less before " +
            in_quotes(key));
    taken.push_back(inside);
    return true;
  });
  return taken;
}

bool Decoder::keys_beside(const YamlNode& node, const YamlEntry& chosen, const schema::Entry* entry,
                          const schema::Type& type, const std::vector<YamlEntry>& taken,
                          Args& siblings) {
  bool misplaced = false;
  YamlNode others;
  others.kind = YamlNode::Kind::map;
  others.span = node.span;
  others.damaged = node.damaged;
  for (const YamlEntry& beside : node.entries) {
    if (&beside == &chosen) continue;
    if (has_key(type.keys, beside.key.text) && !is_initialiser(beside, entry)) {
      others.entries.push_back(beside);
    } else if (belongs_inside(beside, chosen, entry)) {
      misplaced = true;
    } else if (find(type.group, beside.key.text) == nullptr) {
      report_unknown_key(beside.key,
                         "the " + schema::noun(type.group) + " " + in_quotes(chosen.key.text),
                         type.keys, siblings);
    }
  }
  for (const YamlEntry& key : taken)
    if (others.find(key.key.text) == nullptr) others.entries.push_back(key);
  keys(others, type.keys, nullptr, chosen.key.text, siblings);
  return misplaced;
}

std::shared_ptr<const Args> Decoder::entry_arguments(const schema::Entry& entry,
                                                     const YamlNode& key, const YamlNode* value,
                                                     bool report_missing) {
  auto args = std::make_shared<Args>();
  args->whole = key.span;
  std::vector<schema::Key> all = entry.keys;
  std::string principal = entry.principal;
  if (entry.merges) {
    all.push_back(merge_inputs());
    if (principal.empty()) principal = merge_inputs().name;
  }
  const schema::Type* others = entry.other_keys.get();
  if (value == nullptr) {
    defaults(all, key.span, entry.name, report_missing, *args);
  } else if (value->is_map()) {
    keys(*value, all, others, entry.name, *args);
  } else if (!principal.empty()) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& k) { return k.name == principal; });
    internal_check(found != all.end(), entry.name + " has no principal key '" + principal + "'");
    args->set(Name{principal, value->span},
              decode(*value, found->type, "'" + principal + "' of " + entry.name));
    defaults(all, key.span, entry.name, true, *args);
  } else {
    const std::vector<std::string> names = key_names(all);
    diagnostics_.error(value->span, entry.name + " takes no value of its own",
                       names.empty() && others == nullptr
                           ? entry.name + " alone"
                           : "a map" + (names.empty() ? "" : " with " + join(names, "or")),
                       describe(*value));
  }
  return args;
}

Value Decoder::entry(const YamlNode& node, const schema::Type& type, const std::string& what) {
  Value result;
  result.span = node.span;
  Form form = entry_form(node, type, what);
  if (!form.good) return result;
  EntryValue value;
  value.kind = Name{form.key.text, form.key.span};
  const schema::Entry* entry = find(type.group, form.key.text);
  auto siblings = std::make_shared<Args>();
  siblings->whole = form.key.span;
  bool misplaced = false;
  YamlNode arguments;
  std::vector<YamlEntry> taken;
  const auto misplaces = [&](const YamlNode& value) {
    return std::any_of(value.entries.begin(), value.entries.end(),
                       [&](const YamlEntry& e) { return belongs_beside(e, *entry, type); });
  };
  if (entry != nullptr && form.value != nullptr && misplaces(*form.value)) {
    arguments = *form.value;
    taken = take_out(arguments, *entry, type);
    form.value = &arguments;
  }
  if (form.chosen != nullptr) {
    misplaced = keys_beside(node, *form.chosen, entry, type, taken, *siblings);
  } else {
    defaults(type.keys, form.key.span, form.key.text, true, *siblings);
  }
  value.siblings = siblings;
  const bool short_number = entry == nullptr && form.chosen == nullptr &&
                            !type.number_means.empty() && node.is_plain() &&
                            fit(node, schema::number()) == 2;
  if (short_number) {
    entry = find(type.group, type.number_means);
    internal_check(entry != nullptr, "no entry '" + type.number_means + "'");
    value.kind.text = entry->name;
    value.args = entry_arguments(*entry, form.key, &node, true);
  } else if (entry != nullptr) {
    value.args = entry_arguments(*entry, form.key, form.value, !misplaced);
  } else {
    unknown_entry(form.key, type);
    value.args = std::make_shared<Args>();
  }
  result.data = std::move(value);
  return result;
}

}  // namespace nnc::language
