// docs/language.md is what the compiler prints, and nothing in it leads nowhere.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "compiler/language/page/entries.h"
#include "compiler/language/page/markdown.h"
#include "compiler/language/reference.h"
#include "compiler/layers/catalogue.h"
#include "compiler/layers/formula_function.h"
#include "tests/support/paths.h"

using namespace nnc;

namespace {

const std::string& page() {
  static const std::string text = language::reference_page(layers::catalogue());
  return text;
}

std::string committed() {
  std::ifstream file(testing::source_dir() + "/docs/language.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The first line in which two texts differ, as the first has it.
std::string first_difference(const std::string& one, const std::string& other) {
  std::istringstream lines(one), others(other);
  std::string line, second;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!std::getline(others, second) || line != second)
      return "line " + std::to_string(number) + ": " + line;
  }
  return "its end";
}

}  // namespace

TEST_CASE("docs/language.md is what `nnc help --markdown` prints") {
  const bool current = committed() == page();
  INFO("docs/language.md is not what the tables of the language say now, from "
       << first_difference(page(), committed())
       << "\nrenew it: build/nnc help --markdown > docs/language.md");
  CHECK(current);
}

TEST_CASE("the page has every entry with its example, and every function of formulas") {
  for (const auto& [group, entries] : language::all_entries(layers::catalogue())) {
    for (const schema::Entry* entry : entries) {
      if (group == schema::Group::layers &&
          layers::catalogue().find(schema::Group::activations, entry->name) == entry)
        continue;
      CAPTURE(entry->name);
      CHECK(page().find(language::heading(
                3, entry->name, language::anchor_of(group, entry->name))) != std::string::npos);
      CHECK(!entry->example.empty());
      CHECK(page().find(entry->example) != std::string::npos);
    }
  }
  for (const layers::FormulaFunction& function : layers::formula_function_table()) {
    CAPTURE(function.name);
    CHECK(page().find("\n- `" + function.name + "(") != std::string::npos);
  }
}

TEST_CASE("links of the page lead to its anchors, of which there is one each") {
  const std::regex link("\\]\\(#([^)]+)\\)");
  for (std::sregex_iterator it(page().begin(), page().end(), link), end; it != end; ++it) {
    const std::string anchor = "<a id=\"" + (*it)[1].str() + "\"></a>";
    CAPTURE(anchor);
    const size_t first = page().find(anchor);
    CHECK(first != std::string::npos);
    CHECK(page().find(anchor, first + 1) == std::string::npos);
  }
}

TEST_CASE("texts are escaped where they would be markup, and no line begins a list by chance") {
  CHECK(language::escaped("a*b*c and 2 * x_i, `a*b`, <b> or x <= y") ==
        "a\\*b\\*c and 2 * x_i, `a*b`, \\<b> or x <= y");
  CHECK(language::escaped("f(x)_i") == "f(x)\\_i");
  const std::string words(96, 'w');
  CHECK(language::wrapped(words + " - 1 is it", "- ", "  ") == "- " + words + " -\n  1 is it\n");
  CHECK(language::wrapped("one two") == "one two\n");
}
