// Typed values out of JSON that anybody may have written: a damaged file, an edited one.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nnc::runtime {

// One value of a JSON file and its place in it. Whatever is missing, of another type or out of
// range is a DataError that names the file, the place, what was expected and what stands there.
class JsonReader {
 public:
  using Json = nlohmann::ordered_json;

  // `json` must outlive the reader. `place` is where in the file it stands; empty: all of it.
  JsonReader(const Json& json, std::string file, std::string place = {})
      : json_(&json), file_(std::move(file)), place_(std::move(place)) {}

  bool has(const std::string& key) const { return json_->is_object() && json_->contains(key); }
  JsonReader at(const std::string& key) const;
  std::vector<JsonReader> items() const;                         // of a list
  std::vector<std::pair<std::string, JsonReader>> keys() const;  // of a map, in its order

  int64_t integer(int64_t least, int64_t most) const;
  uint64_t natural() const;       // any integer of 64 bits without a sign
  double number() const;          // finite
  double number_or_null() const;  // null is NaN
  bool boolean() const;
  std::string text() const;
  std::vector<std::string> texts() const;
  std::map<std::string, std::string> words() const;  // a map of texts

  // What stands here is wrong for a reason of the caller's.
  [[noreturn]] void refuse(const std::string& problem, const std::string& expected = {}) const;
  const Json& json() const { return *json_; }

 private:
  [[noreturn]] void expected(const std::string& what) const;

  const Json* json_;
  std::string file_;
  std::string place_;
};

// JSON as `file` says it. DataError if it is none, or nested too deeply to have been written here.
nlohmann::ordered_json parse_json(std::string_view text, const std::string& file);

}  // namespace nnc::runtime
