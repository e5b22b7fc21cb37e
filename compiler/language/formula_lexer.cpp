#include "compiler/language/formula_lexer.h"

#include <algorithm>
#include <array>

#include "compiler/support/text.h"

namespace nnc::language {

namespace {

using Kind = FormulaToken::Kind;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(const FormulaText& source) : source_(source), text_(source.text) {}

  std::vector<FormulaToken> run() {
    constexpr size_t most_tokens = 2000;
    while (true) {
      while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
      begin_ = at_;
      if (at_ >= text_.size()) break;
      if (tokens_.size() >= most_tokens) fail("the formula is too long");
      next();
    }
    // The end is pointed at just behind the last character.
    add(Kind::end, "");
    tokens_.back().span = part_of(source_, text_.size(), text_.size());
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& message, const std::string& expected = {}) {
    throw UserError(part_of(source_, begin_, std::max(at_, begin_ + 1)), message, expected);
  }

  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void add(Kind kind, std::string text, double number = 0) {
    tokens_.push_back({kind, std::move(text), number, part_of(source_, begin_, at_)});
  }

  void next() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (is_letter(c)) return name();
    if (c == '\'' || c == '"') return string(c);
    if (c == '$') return setting();
    sign();
  }

  void number() {
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && peek(1) != '.') ++at_;
    while (is_digit(peek())) ++at_;
    const size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
      at_ += 1 + sign;
      while (is_digit(peek())) ++at_;
    }
    const std::string digits(text_.substr(begin_, at_ - begin_));
    if (is_letter(peek())) {
      while (is_letter(peek()) || is_digit(peek())) ++at_;
      fail("an operator is missing in " + in_quotes(text_.substr(begin_, at_ - begin_)),
           digits + "*" +
               std::string(text_.substr(begin_ + digits.size(), at_ - begin_ - digits.size())));
    }
    const auto value = parse_number(digits[0] == '.' ? "0" + digits : digits);
    if (!value) fail("the number " + in_quotes(digits) + " is too large");
    add(Kind::number, digits, *value);
  }

  // Inner names may be numbers after a dot: body.2.norm
  void name() {
    const auto inside = [](char c) { return is_letter(c) || is_digit(c); };
    while (inside(peek()) || (peek() == '.' && inside(peek(1)))) ++at_;
    add(Kind::name, std::string(text_.substr(begin_, at_ - begin_)));
  }

  void string(char quote) {
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) {
      at_ = text_.size();
      fail("this quote is never closed");
    }
    at_ = end + 1;
    add(Kind::text, std::string(text_.substr(begin_ + 1, end - begin_ - 1)));
  }

  void setting() {
    ++at_;
    const bool braces = peek() == '{';
    if (braces) ++at_;
    const size_t start = at_;
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    const std::string word(text_.substr(start, at_ - start));
    if (!is_identifier(word)) fail("a '$' is followed by the name of a setting", "$name");
    if (braces && peek() != '}') fail("'${' is not closed", "${" + word + "}");
    if (braces) ++at_;
    add(Kind::setting, word);
  }

  void sign() {
    static const std::array<const char*, 6> long_signs = {"...", "<=", ">=", "==", "!=", ""};
    for (const std::string_view candidate : long_signs) {
      if (!candidate.empty() && text_.substr(at_, candidate.size()) == candidate) {
        at_ += candidate.size();
        return add(Kind::sign, std::string(candidate));
      }
    }
    reject_foreign();
    const size_t width = byte_of(text_.substr(at_), 1);
    const std::string_view one = text_.substr(at_, width);
    at_ += width;
    if (width != 1 || std::string_view("+-*/^@<>=()[],:").find(one) == std::string_view::npos) {
      fail(in_quotes(one) + " is no part of a formula");
    }
    add(Kind::sign, std::string(one));
  }

  // Signs of other languages, answered with ours.
  void reject_foreign() {
    static const std::array<std::array<const char*, 2>, 4> foreign = {{
        {"**", "^ for a power, as in x^2"},
        {"&&", "and, as in a > 0 and b > 0"},
        {"||", "or, as in a > 0 or b > 0"},
        {"!", "not, as in not (a > 0)"},
    }};
    for (const auto& [sign, ours] : foreign) {
      const std::string_view word(sign);
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      fail(in_quotes(word) + " is no operator here", ours);
    }
  }

  const FormulaText& source_;
  std::string_view text_;
  size_t at_ = 0;
  size_t begin_ = 0;
  std::vector<FormulaToken> tokens_;
};

}  // namespace

SourceSpan part_of(const FormulaText& source, size_t begin, size_t end) {
  SourceSpan span = source.span;
  if (source.column == 0) return span;
  const int first = characters(source.text, begin);
  span.column = source.column + first;
  span.length = std::max(1, characters(source.text, end) - first);
  return span;
}

std::vector<FormulaToken> formula_tokens(const FormulaText& source) { return Lexer(source).run(); }

}  // namespace nnc::language
