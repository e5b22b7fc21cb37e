// Values out of JSON that anybody may have written.
#include "runtime/json_reader.h"

#include <cmath>

#include "support.h"

using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

template <class Action>
std::string error(const std::string& text, Action action) {
  TemporaryFolder folder;
  return data_error(folder, [&] {
    const auto json = parse_json(text, "a.json");
    action(JsonReader(json, "a.json"));
  });
}

}  // namespace

TEST_CASE("what is right comes as its type") {
  const auto json = parse_json(
      R"({"n": -3, "u": 18446744073709551615, "x": 2.5, "no": null, "t": "é", "l": ["a", "b"],)"
      R"( "yes": true, "m": {"k": "v"}})",
      "a.json");
  const JsonReader reader(json, "a.json");
  CHECK(reader.at("n").integer(-3, 0) == -3);
  CHECK(reader.at("u").natural() == ~uint64_t{0});
  CHECK(reader.at("x").number() == 2.5);
  CHECK(reader.at("n").number() == -3);
  CHECK(std::isnan(reader.at("no").number_or_null()));
  CHECK(reader.at("t").text() == "é");
  CHECK(reader.at("l").texts() == std::vector<std::string>{"a", "b"});
  CHECK(reader.at("yes").boolean());
  CHECK(reader.at("m").words().at("k") == "v");
  CHECK(reader.has("n"));
  CHECK_FALSE(reader.has("z"));
}

TEST_CASE("what is wrong is named with its place, what was expected and what is there") {
  const auto integer = [](const JsonReader& json) { json.at("a").items()[1].integer(0, 9); };
  CHECK(error(R"({"a": [1, 2]})", integer) == "");
  CHECK(error(R"({"a": [1, -2]})", integer) ==
        "a.json: a[1]: this is not right\n  expected  an integer from 0 to 9\n  got       -2");
  for (const char* wrong : {"10", "2.0", "1e300", "18446744073709551615", "null", "\"2\"", "[2]",
                            "true", "-9223372036854775808"}) {
    CAPTURE(wrong);
    CHECK(error(R"({"a": [1, )" + std::string(wrong) + "]}", integer).find("a.json: a[1]: ") == 0);
  }
  CHECK(error("{}", [](const JsonReader& json) { json.at("model"); }) ==
        "a.json: there is no 'model'\n  expected  a file as nnc wrote it");
  CHECK(error("[]", [](const JsonReader& json) { json.at("model"); }) ==
        "a.json: this is not right\n  expected  a map\n  got       a list of 0");
  const auto number = [](const JsonReader& json) { json.number(); };
  for (const char* wrong : {"1e999", "null", "\"1\"", "[]", "{}"}) {
    CHECK_FALSE(error(wrong, number).empty());
  }
  CHECK_FALSE(error("-1", [](const JsonReader& json) { json.natural(); }).empty());
  CHECK_FALSE(error("[1]", [](const JsonReader& json) { json.texts(); }).empty());
}

TEST_CASE("what is no JSON, or nested as nobody would, is refused") {
  const auto nothing = [](const JsonReader&) {};
  CHECK(error("{", nothing).find("a.json: this is not JSON\n  got       parse error") == 0);
  CHECK_FALSE(error("", nothing).empty());
  CHECK_FALSE(error("\xff", nothing).empty());
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  CHECK(error(deep, nothing) ==
        "a.json: this JSON is nested too deeply\n  expected  a file as nnc wrote it");
  CHECK(error(std::string(60, '[') + std::string(60, ']'), nothing) == "");
}
