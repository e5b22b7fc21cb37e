// The arguments that a layer, loss, optimizer … was given: typed, checked against its schema entry,
// defaults filled in, each with the place it was written at.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/support/expression.h"
#include "compiler/support/source.h"

namespace nnc {

class Args;
struct Value;

// A name that the user wrote, with its place.
struct Name {
  std::string text;
  SourceSpan span;
};

struct Duration {
  double amount = 0;
  bool steps = false;  // otherwise epochs
};

// Row-major numbers; a single number has shape [].
struct ArrayValue {
  std::vector<int64_t> shape;
  std::vector<double> numbers;
};

// A named choice with its arguments, {adam: {rate: 0.1}}, and the keys beside it, where the schema
// allows any (the `name` and `from` of a layer).
struct EntryValue {
  Name kind;
  std::shared_ptr<const Args> args;
  std::shared_ptr<const Args> siblings;
};

using ListValue = std::vector<Value>;
using MapValue = std::vector<std::pair<Name, Value>>;  // in file order

// One argument. Kinds text, choice, name and path are strings, a reference is a Name; map and
// record are maps.
struct Value {
  std::variant<std::monostate, bool, int64_t, double, std::string, Name, Duration, Formula,
               ArrayValue, EntryValue, ListValue, MapValue>
      data;
  SourceSpan span;
  bool given = true;  // false: it is the schema's default

  bool is_integer() const { return std::holds_alternative<int64_t>(data); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(data); }
  bool is_text() const { return std::holds_alternative<std::string>(data) || is_reference(); }
  bool is_reference() const { return std::holds_alternative<Name>(data); }
  bool is_boolean() const { return std::holds_alternative<bool>(data); }
  bool is_list() const { return std::holds_alternative<ListValue>(data); }
  bool is_map() const { return std::holds_alternative<MapValue>(data); }
  bool is_entry() const { return std::holds_alternative<EntryValue>(data); }
  bool is_array() const { return std::holds_alternative<ArrayValue>(data); }
  bool is_formula() const { return std::holds_alternative<Formula>(data); }

  // Each throws InternalError if the value is of another kind: the schema has checked it.
  int64_t integer() const;
  double number() const;  // an integer is a number too
  bool boolean() const;
  const std::string& text() const;  // of a reference too
  const Name& reference() const;
  const Duration& duration() const;
  const Formula& formula() const;
  const ArrayValue& array() const;
  const EntryValue& entry() const;
  const ListValue& list() const;
  const MapValue& map() const;
};

class Args {
 public:
  // Where the arguments as a whole stand (the layer's key).
  SourceSpan whole;

  // Whether there is a value, written or by default.
  bool has(const std::string& key) const { return find(key) != nullptr; }
  // Whether the user wrote it.
  bool given(const std::string& key) const;
  // Null if there is none.
  const Value* find(const std::string& key) const;
  // Throws InternalError if there is none.
  const Value& at(const std::string& key) const;

  int64_t integer(const std::string& key) const { return at(key).integer(); }
  double number(const std::string& key) const { return at(key).number(); }
  bool boolean(const std::string& key) const { return at(key).boolean(); }
  const std::string& text(const std::string& key) const { return at(key).text(); }
  const Formula& formula(const std::string& key) const { return at(key).formula(); }
  const Name& reference(const std::string& key) const { return at(key).reference(); }
  const EntryValue& entry(const std::string& key) const { return at(key).entry(); }
  // A single value counts as a list of one: kernel: 3 is kernel: [3].
  std::vector<int64_t> integers(const std::string& key) const;
  std::vector<double> numbers(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;

  // The place of the value if it was written, otherwise of the whole.
  SourceSpan span(const std::string& key) const;

  // Replaces an earlier value of the same key.
  void set(const Name& key, Value value);
  void set(const std::string& key, Value value) { set(Name{key, value.span}, std::move(value)); }

  // In file order, defaults last.
  const MapValue& values() const { return values_; }

 private:
  MapValue values_;
};

}  // namespace nnc
