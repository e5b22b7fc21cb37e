// How the arguments of a layer, a loss, an optimizer or a section of the file are described.
// Plain data: this one table drives validation, defaults, the JSON Schema for editors and the
// printed reference, so that they cannot disagree.
//
//   Entry{.name = "dense", .doc = "…", .source = "…", .example = "- dense: 64", .principal =
//   "units",
//         .keys = {Key("units", integer().at_least(1), "how many outputs").required(),
//                  Key("bias", boolean(), "whether a bias is added").by_default("true"),
//                  Key("activation", entry_of(Group::activations), "applied to the result"),
//                  Key("init", one_of({entry_of(Group::initialisers), …}), "…")}}
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nnc::schema {

// What a named choice with arguments of its own is looked up in ({adam: {rate: 0.1}}).
enum class Group {
  layers,  // activations are found here as well: every activation is also a layer
  activations,
  losses,
  metrics,
  optimizers,
  schedules,
  initialisers,
  prepare_steps,
  augment_steps,
  sources
};

enum class Kind {
  integer,    // 64-bit; arithmetic allowed (4*$width)
  number,     // finite f64; arithmetic allowed (1/255)
  boolean,    // true or false
  text,       // any scalar, as its characters
  choice,     // one word of `choices`
  name,       // a new name: [A-Za-z_][A-Za-z0-9_]*; dotted for layers of blocks
  reference,  // the name of a value: a layer, a field, a parameter; dotted for weights (fc.kernel)
  formula,    // an expression in a string (a bare number or name is one too)
  path,       // a file, relative to the model file; becomes absolute
  duration,   // a number of epochs, or "200 steps"
  array,      // numbers in nested lists of equal lengths, of any depth
  list,       // `element`, between min_size and max_size of them
  map,        // free keys to `element`
  record,     // `keys`
  entry,      // one of `group`: its bare name, or {name: principal or {arguments}}; `keys` are the
              // siblings allowed beside the name (name and from of a layer)
  one_of      // the first of `alternatives` that fits the form of what was written
};

struct Key;

struct Type {
  Kind kind = Kind::number;
  std::optional<double> minimum, maximum;
  bool minimum_excluded = false, maximum_excluded = false;
  std::optional<size_t> minimum_size, maximum_size;
  std::vector<std::string> choices;
  std::shared_ptr<const Type> element;
  std::vector<Key> keys;
  Group group = Group::layers;
  // entry: the name that a bare number is short for (init: 0 is init: {constant: 0})
  std::string number_means;
  std::vector<Type> alternatives;

  Type at_least(double bound) const;
  Type above(double bound) const;
  Type at_most(double bound) const;
  Type below(double bound) const;
  Type sized(size_t smallest, size_t largest) const;
};

struct Key {
  Key(std::string name, Type type, std::string doc);
  Key required() const;
  // The default in YAML, as one would write it in the file: "0.001", "true", "[0.9, 0.999]".
  Key by_default(std::string yaml) const;

  std::string name;
  Type type;
  std::string doc;
  bool is_required = false;
  std::optional<std::string> default_yaml;
};

Type integer();
Type number();
Type boolean();
Type text();
Type choice(std::vector<std::string> choices);
Type name();
Type reference();
Type formula();
Type path();
Type duration();
Type array();
Type list_of(Type element);
Type map_of(Type element);
Type record(std::vector<Key> keys);
// A layer has its siblings (name, from …) wherever it stands, inside other layers too.
Type entry_of(Group group, std::string number_means = {});
Type entry_with_siblings(Group group, std::vector<Key> siblings);
Type one_of(std::vector<Type> alternatives);

// A layer, a loss, an optimizer, …: one line of the reference.
struct Entry {
  std::string name;
  std::string doc = {};        // what it computes, with shapes
  std::string source = {};     // paper or book the formula is from; may be empty
  std::string example = {};    // YAML that loads, may be empty
  std::string principal = {};  // the key that may stand alone (dense: 64); empty: none
  std::vector<Key> keys = {};
  // A merge layer: its principal argument is the list of its inputs (add: [a, b]). The parser
  // moves them to Layer::from; the entry does not describe them.
  bool merges = false;
  // A layer that draws random numbers: `when` may stand beside it.
  bool random = false;
  // Further keys with free names, all of this type (the fields of `idx`); null: none are allowed.
  std::shared_ptr<const Type> other_keys = nullptr;
};

// Everything that a model file can name. Entries keep the order of the reference.
struct Catalogue {
  std::vector<Entry> layers;
  std::vector<Entry> activations;
  std::vector<Entry> losses;
  std::vector<Entry> metrics;
  std::vector<Entry> optimizers;
  std::vector<Entry> schedules;
  std::vector<Entry> initialisers;

  // Null if there is none. Sources, prepare and augment steps belong to spec and are never found
  // here.
  const Entry* find(Group group, const std::string& name) const;
  std::vector<const Entry*> entries(Group group) const;
};

// "layer", "loss", … for messages.
std::string noun(Group group);
// "an integer of at least 1", "one of relu, tanh", "a list of numbers": for "expected" lines.
std::string describe(const Type& type);

}  // namespace nnc::schema
