#include "compiler/support/text.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace nnc;

TEST_CASE("the nearest name is the one most likely meant") {
  const std::vector<std::string> names = {"dense", "dropout", "flatten", "relu", "name", "rate"};
  const std::vector<std::pair<std::string, std::string>> meant = {
      {"dens", "dense"},     {"Dense", "dense"}, {"nmae", "name"}, {"droput", "dropout"},
      {"flaten", "flatten"}, {"rleu", "relu"},   {"raet", "rate"}};
  for (const auto& [word, name] : meant) {
    CAPTURE(word);
    REQUIRE(nearest(word, names).has_value());
    CHECK(*nearest(word, names) == name);
  }
  for (const char* word : {"", "x", "conv2d", "attention", "z9", "embedding"}) {
    CAPTURE(word);
    CHECK_FALSE(nearest(word, names).has_value());
  }
  CHECK_FALSE(nearest(std::string(100'000, 'a'), names).has_value());
}

TEST_CASE("characters are code points") {
  const std::string text = "aé€😀z";
  CHECK(text.size() == 11);
  CHECK(characters(text) == 5);
  CHECK(characters(text, 3) == 2);
  const std::vector<size_t> starts = {0, 1, 3, 6, 10, 11, 11};
  for (size_t i = 0; i < starts.size(); ++i) CHECK(byte_of(text, static_cast<int>(i)) == starts[i]);
  CHECK(byte_of("", 3) == 0);
}

TEST_CASE("what is not UTF-8 is found where it is") {
  CHECK_FALSE(first_bad_utf8("plain, é, €, 😀").has_value());
  const std::vector<std::pair<std::string, size_t>> bad = {
      {"ab\xFF", 2},           {"\xC3", 0},         {"a\xC3z", 1},
      {"\xC0\xAF", 0},         {"\xED\xA0\x80", 0},  // overlong; a surrogate
      {"\xF4\x90\x80\x80", 0}, {"\xE2\x82", 0}};
  for (const auto& [text, at] : bad) CHECK(first_bad_utf8(text) == at);
}

TEST_CASE("numbers are written as short as they read back") {
  for (const double number : {0.0, 1.0, -3.0, 0.1, 1e-8, 1.0 / 255, 123456789.0, 1e300, 5e-324}) {
    CAPTURE(number);
    CHECK(parse_number(number_text(number)) == number);
  }
  CHECK(std::signbit(*parse_number(number_text(-0.0))));
  CHECK(number_text(10) == "10");
  CHECK(number_text(0.1) == "0.1");
  CHECK(parse_number("1e-999") == 0.0);
  for (const char* text : {"1e999", "", "1x", "0x10", " 1", "1,5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text).has_value());
  }
}

TEST_CASE("lines and words for messages") {
  CHECK(line_of("a\nbb\n\nc", 2) == "bb");
  CHECK(line_of("a\nbb\n\nc", 3) == "");
  CHECK(line_of("a\nbb\n\nc", 4) == "c");
  CHECK(line_of("a", 9) == "");
  CHECK(join({"a", "b", "c"}, "or") == "a, b or c");
  CHECK(join({"a"}) == "a");
  CHECK(in_quotes("a\nb\x1b[0m") == "'a b [0m'");
  CHECK(characters(in_quotes(std::string(500, 'x'))) == 63);
  CHECK(is_identifier("a_1"));
  for (const char* text : {"", "1a", "a-b", "a.b", "é"}) CHECK_FALSE(is_identifier(text));
}

TEST_CASE("words from anywhere do not steer a terminal") {
  CHECK(printable("größe µ 数 🙂") == "größe µ 数 🙂");
  CHECK(printable("a\x1b[31mb\tc\n\r\x7f\a") == "a?[31mb?c????");
  CHECK(printable("\u009b2J|\u0085|\u202e|\u2066|\u2028|\u200f") == "?2J|?|?|?|?|?");
  CHECK(printable("\x9b|\xff|\xc3|\xed\xa0\x80|\xf5") == "?|?|?|???|?");  // broken UTF-8
  CHECK(printable("a\nb", ' ') == "a b");
  CHECK(printable("") == "");
  CHECK(printable(std::string_view("a\0b", 3)) == "a?b");
  CHECK(without_controls("one\n\ttwo\x1b[0m\r\nthree\u009b") == "one\n\ttwo?[0m?\nthree?");
  CHECK(without_controls("\n") == "\n");
  CHECK(without_controls("") == "");
}
