#include "compiler/language/yaml_slips.h"

#include "compiler/support/text.h"

namespace nnc::language {

namespace {

size_t indentation(std::string_view line) {
  const size_t first = line.find_first_not_of(' ');
  return first == std::string_view::npos ? line.size() : first;
}

bool is_blank(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t");
  return first == std::string_view::npos || line[first] == '#';
}

// The line's words without indentation, list dashes and comment; `at` is where they start.
std::string_view content(std::string_view line, size_t& at) {
  at = indentation(line);
  while (at + 1 < line.size() && line[at] == '-' && line[at + 1] == ' ') {
    at = line.find_first_not_of(' ', at + 1);
    if (at == std::string_view::npos) at = line.size();
  }
  std::string_view words = line.substr(std::min(at, line.size()));
  words = words.substr(0, words.find(" #"));
  while (!words.empty() && words.back() == ' ') words.remove_suffix(1);
  return words;
}

// word:value, where a space is missing. Returns where the colon is, or npos.
size_t glued_colon(std::string_view words) {
  const size_t colon = words.find(':');
  const bool glued = colon != std::string_view::npos && colon + 1 < words.size() &&
                     words[colon + 1] != ' ' && is_identifier(words.substr(0, colon));
  return glued ? colon : std::string_view::npos;
}

struct Context {
  const Places& places;
  int line;
  int column;
  Diagnostics& diagnostics;
};

int line_above(const Context& c) {
  int above = c.line - 1;
  while (above >= 0 && is_blank(c.places.line(above))) --above;
  return above;
}

// `- flatten`, `- dense 8` or `rate:0.1` on the line above a `key: value`.
bool missing_above(const Context& c) {
  const int above = line_above(c);
  if (above < 0) return false;
  size_t at = 0;
  const std::string_view words = content(c.places.line(above), at);
  const SourceSpan span =
      c.places.span(above, static_cast<int>(at), static_cast<int>(words.size()));
  if (is_identifier(words)) {
    c.diagnostics.error(span,
                        "a colon is missing after " + in_quotes(words) + ", because keys follow",
                        std::string(words) + ":");
    return true;
  }
  const size_t space = words.find(' ');
  if (words.find(": ") == std::string_view::npos && words.back() != ':' &&
      is_identifier(words.substr(0, space))) {
    const std::string_view word = words.substr(0, space);
    c.diagnostics.error(span, "a colon is missing after " + in_quotes(word),
                        std::string(word) + ":" + std::string(words.substr(space)));
    return true;
  }
  const size_t colon = glued_colon(words);
  if (colon == std::string_view::npos) return false;
  c.diagnostics.error(
      span, "a space is missing after the colon",
      std::string(words.substr(0, colon + 1)) + " " + std::string(words.substr(colon + 1)),
      std::string(words));
  return true;
}

// Deeper than a line above that has its value already.
bool deeper_than_value(const Context& c) {
  const int above = line_above(c);
  if (above < 0) return false;
  size_t at_above = 0, at = 0;
  const std::string_view words = content(c.places.line(above), at_above);
  const std::string_view own = content(c.places.line(c.line), at);
  const bool has_value = words.find(": ") != std::string_view::npos;
  if (!has_value || at <= at_above) return false;
  c.diagnostics.error(
      c.places.span(c.line, static_cast<int>(at), static_cast<int>(own.size())),
      "this line is indented deeper than the line above, which has its value already",
      "the same indentation as " + in_quotes(words));
  return true;
}

// conv2d {filters: 4}
bool missing_before_brace(const Context& c, std::string_view words, size_t at) {
  const size_t space = words.find(' ');
  if (space == std::string_view::npos || !is_identifier(words.substr(0, space))) return false;
  const size_t brace = words.find_first_not_of(' ', space);
  if (words[brace] != '{') return false;
  const std::string_view word = words.substr(0, space);
  c.diagnostics.error(c.places.span(c.line, static_cast<int>(at), static_cast<int>(space)),
                      "a colon is missing after " + in_quotes(word),
                      std::string(word) + ": " + std::string(words.substr(brace)));
  return true;
}

bool second_colon(const Context& c) {
  size_t at = 0;
  const std::string_view words = content(c.places.line(c.line), at);
  const size_t first = words.find(": ");
  if (first == std::string_view::npos || at + first >= static_cast<size_t>(c.column)) return false;
  if (missing_before_brace(c, words, at)) return true;
  const std::string_view value = words.substr(first + 2);
  const size_t comma = value.find(',');
  const bool has_key = value.substr(0, comma).find(": ") != std::string_view::npos;
  c.diagnostics.error(
      c.places.span(c.line, static_cast<int>(at + first + 2), static_cast<int>(value.size())),
      "a second colon in one line: a map inside a line needs braces, a text with a colon needs "
      "quotes",
      std::string(words.substr(0, first + 2)) + "{" + (has_key ? "" : "KEY: ") +
          std::string(value) + "}" +
          (has_key ? "" : ", where KEY says what " + in_quotes(value.substr(0, comma)) + " is"));
  return true;
}

// {optimizer: adam: {rate: 0.1}}
bool second_colon_inside(const Context& c, const std::string& problem,
                         const std::vector<SourceSpan>& open) {
  if (problem.find("flow not found") == std::string::npos || open.empty()) return false;
  const int number = open.back().line - 1;  // places count from 0
  const std::string_view line = c.places.line(number);
  size_t colon = line.find(": ", static_cast<size_t>(open.back().column - 1));
  while (colon != std::string_view::npos) {
    const size_t next = line.find(": ", colon + 1);
    if (next == std::string_view::npos) return false;
    const std::string_view word = line.substr(colon + 2, next - colon - 2);
    if (is_identifier(word)) {
      c.diagnostics.error(
          c.places.span(number, static_cast<int>(colon + 2), static_cast<int>(word.size())),
          "a second colon behind one key: a map as its value needs braces of its own",
          "{" + std::string(word) + ": …}");
      return true;
    }
    colon = next;
  }
  return false;
}

bool bad_start(const Context& c, const std::string& problem) {
  if (problem != "unknown token") return false;
  const char found = c.places.at(c.line, c.column);
  c.diagnostics.error(c.places.token(c.line, c.column), std::string("a value cannot start with '") +
                                                            found + "' unless it is in quotes");
  return true;
}

// What stands where something else was expected.
std::string found_at(const Context& c) {
  size_t at = 0;
  const std::string_view words = content(c.places.line(c.line), at);
  if (words.empty()) return "the end of the file";
  return in_quotes(words) + " on line " + std::to_string(c.line + 1);
}

bool unclosed(const Context& c, const std::string& problem, const std::vector<SourceSpan>& open) {
  const bool in_flow = problem.find("flow not found") != std::string::npos;
  if (!in_flow || open.empty()) return false;
  const SourceSpan& start = open.back();
  const bool is_list = c.places.token_text({start.file, start.line, start.column, 1}) == "[";
  SourceSpan opening = start;
  opening.length = 1;
  c.diagnostics.error(
      opening,
      is_list ? "this '[' is not closed where it should be"
              : "this '{' is not closed where it should be",
      is_list ? "',' or ']' between and after its values" : "',' or '}' between and after its keys",
      found_at(c));
  return true;
}

bool uneven(const Context& c, const std::string& problem) {
  const bool block = problem == "end of map not found" || problem == "end of sequence not found";
  size_t at = 0;
  const std::string_view words = content(c.places.line(c.line), at);
  const bool starts_line = indentation(c.places.line(c.line)) == static_cast<size_t>(c.column);
  if (!block || !starts_line || words.empty()) return false;
  c.diagnostics.error(c.places.span(c.line, c.column, static_cast<int>(words.size())),
                      "the indentation of this line fits no line above",
                      "the same indentation as the other keys or dashes of its block");
  return true;
}

}  // namespace

bool report_tabs(const Places& places, Diagnostics& diagnostics) {
  bool found = false;
  for (int line = 0; line < places.lines(); ++line) {
    const std::string_view text = places.line(line);
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos || text[first] == '#') continue;
    const size_t tab = text.find('\t');
    if (tab >= first) continue;
    diagnostics.error(places.span(line, static_cast<int>(tab), static_cast<int>(first - tab)),
                      "a tab in the indentation", "spaces, two for each level");
    found = true;
  }
  return found;
}

bool report_unclosed_quote(const Places& places, const std::optional<Quoted>& last_quoted,
                           Diagnostics& diagnostics) {
  if (!last_quoted) return false;
  if (end_of_quoted(places.file()->text, last_quoted->offset) != std::string_view::npos)
    return false;
  SourceSpan span = last_quoted->span;
  span.length = 1;
  diagnostics.error(span, "this quote is never closed");
  return true;
}

void report_syntax(const Places& places, int line, int column, const std::string& problem,
                   const std::vector<SourceSpan>& open, Diagnostics& diagnostics) {
  const Context context{places, line, column, diagnostics};
  if (problem == "illegal map value") {
    if (second_colon(context)) return;
    size_t at = 0;
    const std::string_view own = content(places.line(line), at);
    if (const size_t colon = glued_colon(own);
        colon != std::string_view::npos && line_above(context) < 0) {
      diagnostics.error(places.span(line, static_cast<int>(at), static_cast<int>(own.size())),
                        "a space is missing after the colon");
      return;
    }
    if (missing_above(context) || deeper_than_value(context)) return;
  }
  if (bad_start(context, problem) || second_colon_inside(context, problem, open) ||
      unclosed(context, problem, open) || uneven(context, problem)) {
    return;
  }
  diagnostics.error(places.token(line, column), "this is not YAML: " + problem);
}

}  // namespace nnc::language
