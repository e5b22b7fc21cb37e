#include "compiler/language/yaml.h"
#include "tests/support/paths.h"

#include <doctest/doctest.h>

using namespace nnc;
using namespace nnc::language;

namespace {

std::optional<YamlNode> parse(const std::string& text, Diagnostics& diagnostics) {
  const auto file = source_from_text(text, "t.yaml", diagnostics);
  return file ? parse_yaml(file, diagnostics) : std::nullopt;
}

// line:column+length
std::string place(const SourceSpan& span) {
  return std::to_string(span.line) + ":" + std::to_string(span.column) + "+" +
         std::to_string(span.length);
}

std::string first_error(const std::string& text) {
  Diagnostics diagnostics;
  parse(text, diagnostics);
  return diagnostics.has_errors() ? diagnostics.sorted().front().message : "";
}

}  // namespace

TEST_CASE("every key and value knows its place, in characters") {
  Diagnostics diagnostics;
  const auto root = parse("a: 12\né: [x, \"y z\", {k: 'v'}]\nn:\n", diagnostics);
  REQUIRE(root);
  CHECK_FALSE(diagnostics.has_errors());
  CHECK(place(root->entries[0].key.span) == "1:1+1");
  CHECK(place(root->entries[0].value.span) == "1:4+2");
  const YamlNode& list = root->entries[1].value;
  CHECK(list.flow);
  CHECK(place(list.items[0].span) == "2:5+1");
  CHECK(place(list.items[1].span) == "2:8+5");
  CHECK(list.items[1].style == YamlNode::Style::quoted);
  CHECK(place(list.items[2].entries[0].value.span) == "2:19+3");
  const YamlNode& nothing = root->entries[2].value;
  CHECK(nothing.absent);
  CHECK(place(nothing.span) == "3:1+1");  // of its key
}

TEST_CASE("written nulls are not absent values") {
  Diagnostics diagnostics;
  const auto root = parse("a: null\nb: ~\nc:\nd: [null]\n", diagnostics);
  REQUIRE(root);
  CHECK_FALSE(root->find("a")->absent);
  CHECK_FALSE(root->find("b")->absent);
  CHECK(root->find("c")->absent);
  CHECK_FALSE(root->find("d")->items[0].absent);
}

TEST_CASE("CRLF, a byte order mark and block scalars are read") {
  Diagnostics diagnostics;
  const auto root = parse(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
      diagnostics);
  REQUIRE(root);
  CHECK(root->find("a")->text == "1");
  CHECK(root->find("b")->text == "x\ny\n");
  CHECK(root->find("b")->style == YamlNode::Style::block);
}

TEST_CASE("numbers and booleans are those of the core schema") {
  CHECK(core_integer("12") == 12);
  CHECK(core_integer("010") == 10);  // never octal
  CHECK(core_integer("-0") == 0);
  CHECK(core_integer("+7") == 7);
  CHECK(core_integer("0x1F") == 31);
  CHECK(core_integer("0o17") == 15);
  CHECK(core_integer("9223372036854775807") == INT64_MAX);
  for (const char* text :
       {"", "-", "1.0", "1e3", "0x", "0xG", "1_000", "9223372036854775808", "--1", "-0x1", "1 "}) {
    CAPTURE(text);
    CHECK_FALSE(core_integer(text).has_value());
  }
  CHECK(core_number("1e-3") == 1e-3);
  CHECK(core_number("2e-4") == 2e-4);
  CHECK(core_number(".5") == 0.5);
  CHECK(core_number("-1.") == -1.0);
  CHECK(core_number("010") == 10.0);
  for (const char* text : {"", ".", "e3", "1e", "1,5", "1/2", "inf", "nan", ".inf", "-.inf", ".nan",
                           "1e999", "0x1p3", "infinity"}) {
    CAPTURE(text);
    CHECK_FALSE(core_number(text).has_value());
  }
  for (const char* text : {".inf", "-.inf", ".nan", "1e999"}) CHECK(core_non_finite(text));
  CHECK(core_boolean("true") == true);
  CHECK(core_boolean("false") == false);
  for (const char* text : {"yes", "on", "True", "TRUE", "y", "1"}) {
    CHECK_FALSE(core_boolean(text).has_value());
  }
}

TEST_CASE("what hides where a value stands is refused") {
  CHECK(first_error("a: 1\na: 2\n").find("stands twice") != std::string::npos);
  CHECK(first_error("{a: 1, \"a\": 2}").find("stands twice") != std::string::npos);
  CHECK(first_error("a: &x 1\n").find("anchors") != std::string::npos);
  CHECK(first_error("a: &x [1]\n").find("anchors") != std::string::npos);
  CHECK(first_error("a: !x 1\n").find("tags") != std::string::npos);
  CHECK(first_error("a: ! 1\n").find("tags") != std::string::npos);
  CHECK(first_error("<<: {a: 1}\n").find("merge keys") != std::string::npos);
  CHECK(first_error("[a]: 1\n").find("a key must be a word") != std::string::npos);
  CHECK(first_error("a: 1\n---\nb: 1\n").find("second document") != std::string::npos);
}

TEST_CASE("a file may not exhaust the stack or the memory") {
  const int deep = 100'000;
  CHECK(first_error(std::string(deep, '[')).find("too deeply") != std::string::npos);
  std::string map = "a: ";
  for (int i = 0; i < deep; ++i) map += "{a: ";
  CHECK(first_error(map).find("too deeply") != std::string::npos);
  std::string block;
  for (int i = 0; i < 500; ++i) block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  CHECK(first_error(block).find("too deeply") != std::string::npos);
  CHECK(first_error(std::string((8u << 20) + 1, ' ')).find("too large") != std::string::npos);
  std::string wide = "[";
  for (int i = 0; i < 600'000; ++i) wide += "1,";
  CHECK(first_error(wide + "1]").find("too many values") != std::string::npos);
}

TEST_CASE("unreadable files are told apart") {
  const auto error_of = [](const std::string& path) {
    Diagnostics diagnostics;
    CHECK(read_source(path, diagnostics) == nullptr);
    const auto sorted = diagnostics.sorted();
    REQUIRE(sorted.size() == 1);
    return render(sorted[0]);
  };
  CHECK(error_of("/no/such/file.yaml") == "/no/such/file.yaml: error: there is no such file\n");
  CHECK(error_of(testing::source_dir()).find("folder") != std::string::npos);
}
