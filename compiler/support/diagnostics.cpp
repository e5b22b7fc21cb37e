#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "compiler/support/text.h"

namespace nnc {

namespace {

auto order_of(const Diagnostic& d) {
  return std::make_tuple(d.span.path(), d.span.line, d.span.column);
}

bool same(const Diagnostic& a, const Diagnostic& b) {
  return order_of(a) == order_of(b) && a.severity == b.severity && a.message == b.message &&
         a.expected == b.expected && a.got == b.got;
}

// The quoted line and the carets below it. Of a long line only the part around the place is shown.
std::string quote(const SourceSpan& span) {
  constexpr int widest = 100;
  constexpr int before = 60;
  const std::string_view line = line_of(span.file->text, span.line);
  int first = 0;
  const int total = characters(line);
  if (total > widest && span.column > before) first = span.column - before;
  const int shown = std::min(total - first, widest);
  const size_t begin = byte_of(line, first);
  const size_t end = begin + byte_of(line.substr(begin), shown);
  const std::string left = first > 0 ? "…" : "";
  const std::string right = first + shown < total ? "…" : "";
  const int column = std::max(0, span.column - 1 - first) + (first > 0 ? 1 : 0);
  const int room = std::max(1, shown + (first > 0 ? 1 : 0) - column);
  const int carets = std::clamp(span.length, 1, room);
  std::string result = fmt::format("{:>4} | {}{}{}\n", span.line, left,
                                   printable(line.substr(begin, end - begin), ' '), right);
  result += fmt::format("     | {}^{}\n", std::string(static_cast<size_t>(column), ' '),
                        std::string(static_cast<size_t>(carets - 1), '~'));
  return result;
}

}  // namespace

void Diagnostics::error(SourceSpan span, std::string message, std::string expected,
                        std::string got) {
  ++errors_;
  add({Severity::error, std::move(span), std::move(message), std::move(expected), std::move(got)});
}

void Diagnostics::warning(SourceSpan span, std::string message, std::string expected,
                          std::string got) {
  add({Severity::warning, std::move(span), std::move(message), std::move(expected),
       std::move(got)});
}

void Diagnostics::add(Diagnostic diagnostic) {
  constexpr size_t most = 1000;
  if (items_.size() < most) items_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> result = items_;
  std::stable_sort(result.begin(), result.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return order_of(a) < order_of(b);
  });
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  return result;
}

std::string render(const Diagnostic& diagnostic) {
  const SourceSpan& span = diagnostic.span;
  std::string result;
  if (span.file) result = span.path() + ":";
  if (span.file && span.known()) result += fmt::format("{}:{}:", span.line, span.column);
  if (!result.empty()) result += " ";
  result += diagnostic.severity == Severity::error ? "error: " : "warning: ";
  result += diagnostic.message + "\n";
  if (span.file && span.known()) result += quote(span);
  if (!diagnostic.expected.empty()) result += "  expected  " + diagnostic.expected + "\n";
  if (!diagnostic.got.empty()) result += "  got       " + diagnostic.got + "\n";
  return without_controls(result);
}

}  // namespace nnc
