#include "runtime/json_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "runtime/data/error.h"

namespace nnc::runtime {

using Json = nlohmann::ordered_json;

namespace {

// What stands there, short enough for a line.
std::string shown(const Json& json) {
  constexpr size_t longest = 60;
  if (json.is_object()) return fmt::format("a map of {}", json.size());
  if (json.is_array()) return fmt::format("a list of {}", json.size());
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > longest) text = text.substr(0, longest) + "…";
  return text;
}

// The message of the library without its own number for it.
std::string problem_of(const nlohmann::json::exception& error) {
  const std::string text = error.what();
  const size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace

void JsonReader::refuse(const std::string& problem, const std::string& expected) const {
  throw DataError(file_, place_, problem, expected, shown(*json_));
}

void JsonReader::expected(const std::string& what) const { refuse("this is not right", what); }

JsonReader JsonReader::at(const std::string& key) const {
  if (!json_->is_object()) expected("a map");
  const auto found = json_->find(key);
  if (found == json_->end()) {
    throw DataError(file_, place_, fmt::format("there is no '{}'", key), "a file as nnc wrote it");
  }
  return {*found, file_, place_.empty() ? key : place_ + "." + key};
}

std::vector<JsonReader> JsonReader::items() const {
  if (!json_->is_array()) expected("a list");
  std::vector<JsonReader> result;
  result.reserve(json_->size());
  for (size_t i = 0; i < json_->size(); ++i) {
    result.emplace_back((*json_)[i], file_, fmt::format("{}[{}]", place_, i));
  }
  return result;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::keys() const {
  if (!json_->is_object()) expected("a map");
  std::vector<std::pair<std::string, JsonReader>> result;
  for (const auto& [key, value] : json_->items()) {
    result.emplace_back(key, JsonReader(value, file_, place_.empty() ? key : place_ + "." + key));
  }
  return result;
}

int64_t JsonReader::integer(int64_t least, int64_t most) const {
  const bool fits = json_->is_number_integer() &&
                    (!json_->is_number_unsigned() ||
                     json_->get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()});
  const int64_t value = fits ? json_->get<int64_t>() : 0;
  if (fits && value >= least && value <= most) return value;
  const bool open = most == std::numeric_limits<int64_t>::max();
  expected(open ? fmt::format("an integer of at least {}", least)
                : fmt::format("an integer from {} to {}", least, most));
}

uint64_t JsonReader::natural() const {
  if (json_->is_number_unsigned()) return json_->get<uint64_t>();
  if (json_->is_number_integer() && json_->get<int64_t>() >= 0) return json_->get<uint64_t>();
  expected("an integer of at least 0");
}

double JsonReader::number() const {
  const double value = json_->is_number() ? json_->get<double>() : std::nan("");
  if (!std::isfinite(value)) expected("a finite number");
  return value;
}

double JsonReader::number_or_null() const { return json_->is_null() ? std::nan("") : number(); }

bool JsonReader::boolean() const {
  if (!json_->is_boolean()) expected("true or false");
  return json_->get<bool>();
}

std::string JsonReader::text() const {
  if (!json_->is_string()) expected("a text");
  return json_->get<std::string>();
}

std::vector<std::string> JsonReader::texts() const {
  std::vector<std::string> result;
  for (const JsonReader& item : items()) result.push_back(item.text());
  return result;
}

std::map<std::string, std::string> JsonReader::words() const {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : keys()) result[key] = value.text();
  return result;
}

Json parse_json(std::string_view text, const std::string& file) {
  constexpr int deepest = 64;
  bool too_deep = false;
  try {
    const auto look = [&](int depth, Json::parse_event_t, Json&) {
      too_deep |= depth > deepest;
      return !too_deep;
    };
    Json json = Json::parse(text, look);
    if (!too_deep) return json;
  } catch (const nlohmann::json::exception& error) {
    throw DataError(file, "", "this is not JSON", "", problem_of(error));
  }
  throw DataError(file, "", "this JSON is nested too deeply", "a file as nnc wrote it");
}

}  // namespace nnc::runtime
