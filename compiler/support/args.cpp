#include "compiler/support/args.h"

#include "compiler/support/diagnostics.h"

namespace nnc {

namespace {

template <class T>
const T& held(const Value& value, const char* what) {
  const T* found = std::get_if<T>(&value.data);
  internal_check(found != nullptr, std::string("an argument is not ") + what);
  return *found;
}

// The elements of a list, or the value itself as a list of one.
template <class T, class Take>
std::vector<T> each(const Value& value, Take take) {
  std::vector<T> result;
  if (value.is_list()) {
    for (const Value& item : value.list()) result.push_back(take(item));
  } else {
    result.push_back(take(value));
  }
  return result;
}

}  // namespace

int64_t Value::integer() const { return held<int64_t>(*this, "an integer"); }
double Value::number() const {
  return is_integer() ? static_cast<double>(integer()) : held<double>(*this, "a number");
}
bool Value::boolean() const { return held<bool>(*this, "a boolean"); }
const std::string& Value::text() const {
  return is_reference() ? reference().text : held<std::string>(*this, "a text");
}
const Name& Value::reference() const { return held<Name>(*this, "a reference"); }
const Duration& Value::duration() const { return held<Duration>(*this, "a duration"); }
const Formula& Value::formula() const { return held<Formula>(*this, "a formula"); }
const ArrayValue& Value::array() const { return held<ArrayValue>(*this, "an array"); }
const EntryValue& Value::entry() const { return held<EntryValue>(*this, "a choice"); }
const ListValue& Value::list() const { return held<ListValue>(*this, "a list"); }
const MapValue& Value::map() const { return held<MapValue>(*this, "a map"); }

bool Args::given(const std::string& key) const {
  const Value* value = find(key);
  return value != nullptr && value->given;
}

const Value* Args::find(const std::string& key) const {
  for (const auto& [name, value] : values_) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

const Value& Args::at(const std::string& key) const {
  const Value* value = find(key);
  internal_check(value != nullptr, "there is no argument '" + key + "'");
  return *value;
}

std::vector<int64_t> Args::integers(const std::string& key) const {
  return each<int64_t>(at(key), [](const Value& value) { return value.integer(); });
}

std::vector<double> Args::numbers(const std::string& key) const {
  return each<double>(at(key), [](const Value& value) { return value.number(); });
}

std::vector<std::string> Args::texts(const std::string& key) const {
  return each<std::string>(at(key), [](const Value& value) { return value.text(); });
}

SourceSpan Args::span(const std::string& key) const {
  const Value* value = find(key);
  return value != nullptr && value->given ? value->span : whole;
}

void Args::set(const Name& key, Value value) {
  for (auto& [name, old] : values_) {
    if (name.text == key.text) {
      name = key;
      old = std::move(value);
      return;
    }
  }
  values_.emplace_back(key, std::move(value));
}

}  // namespace nnc
