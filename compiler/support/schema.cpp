#include "compiler/support/schema.h"

#include <fmt/format.h>

#include "compiler/support/text.h"

namespace nnc::schema {

namespace {

Type of_kind(Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

const std::vector<Entry>* list_for(const Catalogue& catalogue, Group group) {
  switch (group) {
    case Group::layers: return &catalogue.layers;
    case Group::activations: return &catalogue.activations;
    case Group::losses: return &catalogue.losses;
    case Group::metrics: return &catalogue.metrics;
    case Group::optimizers: return &catalogue.optimizers;
    case Group::schedules: return &catalogue.schedules;
    case Group::initialisers: return &catalogue.initialisers;
    case Group::prepare_steps:
    case Group::augment_steps:
    case Group::sources: return nullptr;
  }
  return nullptr;
}

// " of at least 1", " above 0 and below 1"
std::string bounds(const Type& type) {
  std::vector<std::string> parts;
  if (type.minimum) {
    parts.push_back((type.minimum_excluded ? "above " : "of at least ") +
                    number_text(*type.minimum));
  }
  if (type.maximum) {
    parts.push_back((type.maximum_excluded ? "below " : "at most ") + number_text(*type.maximum));
  }
  return parts.empty() ? "" : " " + join(parts);
}

std::string sizes(const Type& type) {
  if (!type.minimum_size) return "";
  if (*type.minimum_size == 0) return fmt::format(", at most {}", *type.maximum_size);
  if (type.minimum_size == type.maximum_size)
    return fmt::format(" of length {}", *type.minimum_size);
  constexpr size_t unlimited = 1u << 20;
  if (*type.maximum_size >= unlimited) {
    return *type.minimum_size == 1 ? " (not empty)"
                                   : fmt::format(" of {} or more", *type.minimum_size);
  }
  return fmt::format(" of length {} to {}", *type.minimum_size, *type.maximum_size);
}

std::string plural(const Type& type) {
  switch (type.kind) {
    case Kind::integer: return "integers" + bounds(type);
    case Kind::number: return "numbers" + bounds(type);
    case Kind::boolean: return "booleans";
    case Kind::text: return "texts";
    case Kind::name: return "names";
    case Kind::reference: return "names of values";
    case Kind::formula: return "formulas";
    case Kind::path: return "files";
    case Kind::entry: return noun(type.group) + "s";
    default: return "items, each " + describe(type);
  }
}

std::string describe_alternatives(const Type& type) {
  std::vector<std::string> words;
  for (const Type& alternative : type.alternatives) words.push_back(describe(alternative));
  return join(words, "or");
}

}  // namespace

Type Type::at_least(double bound) const {
  Type type = *this;
  type.minimum = bound;
  return type;
}

Type Type::above(double bound) const {
  Type type = at_least(bound);
  type.minimum_excluded = true;
  return type;
}

Type Type::at_most(double bound) const {
  Type type = *this;
  type.maximum = bound;
  return type;
}

Type Type::below(double bound) const {
  Type type = at_most(bound);
  type.maximum_excluded = true;
  return type;
}

Type Type::sized(size_t smallest, size_t largest) const {
  Type type = *this;
  type.minimum_size = smallest;
  type.maximum_size = largest;
  return type;
}

Key::Key(std::string name, Type type, std::string doc)
    : name(std::move(name)), type(std::move(type)), doc(std::move(doc)) {}

Key Key::required() const {
  Key key = *this;
  key.is_required = true;
  return key;
}

Key Key::by_default(std::string yaml) const {
  Key key = *this;
  key.default_yaml = std::move(yaml);
  return key;
}

Type integer() { return of_kind(Kind::integer); }
Type number() { return of_kind(Kind::number); }
Type boolean() { return of_kind(Kind::boolean); }
Type text() { return of_kind(Kind::text); }
Type name() { return of_kind(Kind::name); }
Type reference() { return of_kind(Kind::reference); }
Type formula() { return of_kind(Kind::formula); }
Type path() { return of_kind(Kind::path); }
Type duration() { return of_kind(Kind::duration).at_least(0); }
Type array() { return of_kind(Kind::array); }

Type choice(std::vector<std::string> choices) {
  Type type = of_kind(Kind::choice);
  type.choices = std::move(choices);
  return type;
}

Type list_of(Type element) {
  Type type = of_kind(Kind::list);
  type.element = std::make_shared<const Type>(std::move(element));
  return type;
}

Type map_of(Type element) {
  Type type = of_kind(Kind::map);
  type.element = std::make_shared<const Type>(std::move(element));
  return type;
}

Type record(std::vector<Key> keys) {
  Type type = of_kind(Kind::record);
  type.keys = std::move(keys);
  return type;
}

Type entry_of(Group group, std::string number_means) {
  Type type = of_kind(Kind::entry);
  type.group = group;
  type.number_means = std::move(number_means);
  return type;
}

Type entry_with_siblings(Group group, std::vector<Key> siblings) {
  Type type = entry_of(group);
  type.keys = std::move(siblings);
  return type;
}

Type one_of(std::vector<Type> alternatives) {
  Type type = of_kind(Kind::one_of);
  type.alternatives = std::move(alternatives);
  return type;
}

const Entry* Catalogue::find(Group group, const std::string& name) const {
  for (const Entry* entry : entries(group)) {
    if (entry->name == name) return entry;
  }
  return nullptr;
}

std::vector<const Entry*> Catalogue::entries(Group group) const {
  std::vector<const Entry*> result;
  if (const std::vector<Entry>* list = list_for(*this, group)) {
    for (const Entry& entry : *list) result.push_back(&entry);
  }
  if (group == Group::layers) {
    for (const Entry& entry : activations) result.push_back(&entry);
  }
  return result;
}

std::string noun(Group group) {
  switch (group) {
    case Group::layers: return "layer";
    case Group::activations: return "activation";
    case Group::losses: return "loss";
    case Group::metrics: return "metric";
    case Group::optimizers: return "optimizer";
    case Group::schedules: return "schedule";
    case Group::initialisers: return "initialiser";
    case Group::prepare_steps: return "prepare step";
    case Group::augment_steps: return "augment step";
    case Group::sources: return "source";
  }
  return {};
}

std::string describe(const Type& type) {
  switch (type.kind) {
    case Kind::integer: return "an integer" + bounds(type);
    case Kind::number: return "a number" + bounds(type);
    case Kind::boolean: return "true or false";
    case Kind::text: return "a text";
    case Kind::choice: return join(type.choices, "or");
    case Kind::name: return "a name";
    case Kind::reference: return "the name of a value";
    case Kind::formula: return "a formula in quotes";
    case Kind::path: return "a file";
    case Kind::duration: return "a number of epochs, or steps as in '200 steps'";
    case Kind::array: return "a number or nested lists of numbers";
    case Kind::list: return "a list of " + plural(*type.element) + sizes(type);
    case Kind::map: return "a map of names to " + plural(*type.element);
    case Kind::record: {
      std::vector<std::string> keys;
      for (const Key& key : type.keys) keys.push_back(key.name);
      return "a map with " + join(keys, "or");
    }
    case Kind::entry: {
      const std::string word = noun(type.group);
      const bool vowel = std::string("aeiou").find(word[0]) != std::string::npos;
      return (vowel ? "an " : "a ") + word;
    }
    case Kind::one_of: return describe_alternatives(type);
  }
  return {};
}

}  // namespace nnc::schema
