#include "compiler/support/diagnostics.h"

#include <doctest/doctest.h>

using namespace nnc;

namespace {

SourceSpan at(const std::shared_ptr<const SourceFile>& file, int line, int column, int length = 1) {
  return SourceSpan{file, line, column, length};
}

}  // namespace

TEST_CASE("a diagnostic shows the line, the place, what was expected and what was found") {
  const auto file = std::make_shared<SourceFile>(SourceFile{"mlp.yaml", "a: 1\n    - é: 64\n"});
  const Diagnostic diagnostic{Severity::error, at(file, 2, 10, 2), "too wide", "32", "64"};
  CHECK(render(diagnostic) ==
        "mlp.yaml:2:10: error: too wide\n"
        "   2 |     - é: 64\n"
        "     |          ^~\n"
        "  expected  32\n"
        "  got       64\n");
}

TEST_CASE("without a place there is no quoted line") {
  CHECK(render({Severity::error, {}, "no space left", "", ""}) == "error: no space left\n");
  const auto file = std::make_shared<SourceFile>(SourceFile{"a.yaml", ""});
  CHECK(render({Severity::warning, at(file, 0, 0), "odd", "", ""}) == "a.yaml: warning: odd\n");
}

TEST_CASE("of a long line the part around the place is shown") {
  const std::string line = std::string(500, 'a') + "WRONG" + std::string(500, 'b');
  const auto file = std::make_shared<SourceFile>(SourceFile{"a.yaml", line});
  const std::string text = render({Severity::error, at(file, 1, 501, 5), "wrong", "", ""});
  const size_t quoted = text.find('\n') + 1;
  const size_t carets = text.find('\n', quoted) + 1;
  CHECK(text.find("WRONG") - quoted < 120);
  CHECK(carets - quoted < 130);
  // The caret stands below the W: both lines begin with the same number of columns, the ellipsis
  // is three bytes for one column.
  CHECK(text.find('^', carets) - carets == text.find("WRONG") - quoted - 2);
}

TEST_CASE("terminals are not told what to do") {
  const auto file = std::make_shared<SourceFile>(SourceFile{"a.yaml", "x:\t\x1b[31m1"});
  CHECK(render({Severity::error, at(file, 1, 1), "m", "", ""}).find('\x1b') == std::string::npos);
}

TEST_CASE("diagnostics come sorted by place and without repetition") {
  const auto file = std::make_shared<SourceFile>(SourceFile{"a.yaml", "a\nb\nc\n"});
  Diagnostics diagnostics;
  diagnostics.error(at(file, 3, 1), "third");
  diagnostics.warning(at(file, 1, 2), "second");
  diagnostics.error(at(file, 1, 1), "first");
  diagnostics.error(at(file, 3, 1), "third");
  const auto sorted = diagnostics.sorted();
  REQUIRE(sorted.size() == 3);
  CHECK(sorted[0].message == "first");
  CHECK(sorted[1].message == "second");
  CHECK(sorted[2].message == "third");
  CHECK(diagnostics.has_errors());
}

TEST_CASE("warnings alone are no errors") {
  Diagnostics diagnostics;
  diagnostics.warning({}, "careful");
  CHECK_FALSE(diagnostics.has_errors());
}
