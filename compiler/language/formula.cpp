#include "compiler/language/formula.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "compiler/language/formula_lexer.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

using Kind = Expression::Kind;
using Token = FormulaToken;

SourceSpan joined(const SourceSpan& first, const SourceSpan& last) {
  SourceSpan span = first;
  span.length = std::max(1, last.column + last.length - first.column);
  return span;
}

// Recursive descent, one function for each level of binding, from loose to tight.
class Parser {
 public:
  Parser(const FormulaText& source, const SettingNumber& setting, const SettingFormula& ramp)
      : source_(source), setting_(setting), ramp_(ramp), tokens_(formula_tokens(source)) {}

  ExpressionPtr run() {
    if (peek().kind == Token::Kind::end) {
      throw UserError(source_.span, "the formula is empty", "a formula, such as \"2*x + 1\"");
    }
    ExpressionPtr result = either();
    if (peek().kind != Token::Kind::end) unexpected("an operator or the end of the formula");
    return result;
  }

  bool setting_failed() const { return setting_failed_; }

 private:
  const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    const Token token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool is_sign(const std::string& sign, size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::sign && peek(ahead).text == sign;
  }
  bool is_word(const std::string& word) const {
    return peek().kind == Token::Kind::name && peek().text == word;
  }
  bool accept(const std::string& sign) {
    if (!is_sign(sign)) return false;
    take();
    return true;
  }

  [[noreturn]] void unexpected(const std::string& expected) {
    const Token& token = peek();
    const bool at_end = token.kind == Token::Kind::end;
    if (is_sign("=")) {
      throw UserError(token.span, "'=' cannot stand here", "'==' to compare two values");
    }
    throw UserError(
        token.span,
        at_end ? "the formula ends too early" : in_quotes(token.text) + " cannot stand here",
        expected);
  }

  Token expect(const std::string& sign, const std::string& expected) {
    if (!is_sign(sign)) unexpected(expected);
    return take();
  }

  struct Deeper {
    explicit Deeper(Parser& parser) : parser(parser) {
      constexpr int deepest = 100;
      if (++parser.depth_ > deepest) {
        throw UserError(parser.peek().span, "the formula is nested too deeply");
      }
    }
    ~Deeper() { --parser.depth_; }
    Parser& parser;
  };

  static ExpressionPtr node(Kind kind, std::string text, std::vector<ExpressionPtr> operands,
                            SourceSpan span) {
    Expression e;
    e.kind = kind;
    e.text = std::move(text);
    e.operands = std::move(operands);
    e.span = std::move(span);
    return std::make_shared<const Expression>(std::move(e));
  }

  static ExpressionPtr binary(const std::string& sign, ExpressionPtr left, ExpressionPtr right) {
    const SourceSpan span = joined(left->span, right->span);
    return node(Kind::binary, sign, {std::move(left), std::move(right)}, span);
  }

  ExpressionPtr either() {
    const Deeper deeper(*this);
    ExpressionPtr left = both();
    while (is_word("or")) {
      take();
      left = binary("or", left, both());
    }
    return left;
  }

  ExpressionPtr both() {
    ExpressionPtr left = negation();
    while (is_word("and")) {
      take();
      left = binary("and", left, negation());
    }
    return left;
  }

  ExpressionPtr negation() {
    if (!is_word("not")) return comparison();
    const Deeper deeper(*this);
    const Token word = take();
    ExpressionPtr inner = negation();
    const SourceSpan span = joined(word.span, inner->span);
    return node(Kind::unary, "not", {std::move(inner)}, span);
  }

  bool at_comparison() const {
    for (const char* sign : {"<", "<=", ">", ">=", "==", "!="}) {
      if (is_sign(sign)) return true;
    }
    return false;
  }

  ExpressionPtr comparison() {
    ExpressionPtr left = sum();
    if (!at_comparison()) return left;
    const std::string sign = take().text;
    left = binary(sign, left, sum());
    if (at_comparison()) {
      throw UserError(peek().span, "comparisons cannot be chained", "a < b and b < c");
    }
    return left;
  }

  ExpressionPtr sum() {
    ExpressionPtr left = product();
    while (is_sign("+") || is_sign("-")) {
      const std::string sign = take().text;
      left = binary(sign, left, product());
    }
    return left;
  }

  ExpressionPtr product() {
    ExpressionPtr left = signed_value();
    while (is_sign("*") || is_sign("/") || is_sign("@")) {
      const std::string sign = take().text;
      left = binary(sign, left, signed_value());
    }
    return left;
  }

  ExpressionPtr signed_value() {
    if (!is_sign("-") && !is_sign("+")) return power();
    const Deeper deeper(*this);
    const Token sign = take();
    ExpressionPtr inner = signed_value();
    if (sign.text == "+") return inner;
    const SourceSpan span = joined(sign.span, inner->span);
    return node(Kind::unary, "-", {std::move(inner)}, span);
  }

  // -x^2 is -(x^2); 2^-3 is allowed; a^b^c is a^(b^c).
  ExpressionPtr power() {
    ExpressionPtr base = with_slices();
    if (!is_sign("^")) return base;
    const Deeper deeper(*this);
    take();
    return binary("^", base, signed_value());
  }

  ExpressionPtr with_slices() {
    ExpressionPtr inner = primary();
    while (is_sign("[")) inner = slice(std::move(inner));
    return inner;
  }

  ExpressionPtr slice(ExpressionPtr inner) {
    take();
    Expression e;
    e.kind = Kind::slice;
    do {
      e.slices.push_back(slice_item());
    } while (accept(","));
    const Token end = expect("]", "',' or ']'");
    e.span = joined(inner->span, end.span);
    e.operands = {std::move(inner)};
    return std::make_shared<const Expression>(std::move(e));
  }

  SliceItem slice_item() {
    SliceItem item;
    item.span = peek().span;
    if (accept("...")) {
      item.kind = SliceItem::Kind::ellipsis;
      return item;
    }
    item.begin = bound();
    if (!is_sign(":")) {
      if (!item.begin) unexpected("an index, a range such as 0:3, or '...'");
      item.kind = SliceItem::Kind::index;
      return item;
    }
    take();
    item.end = bound();
    if (accept(":")) item.step = bound();
    item.span = joined(item.span, tokens_[at_ - 1].span);
    if (item.step == 0) {
      throw UserError(item.span, "the step of a slice cannot be 0",
                      "a whole number, negative to go backwards");
    }
    return item;
  }

  std::optional<int64_t> bound() {
    if (is_sign(":") || is_sign("]") || is_sign(",")) return std::nullopt;
    const ExpressionPtr value = sum();
    const std::optional<double> number = constant_value(*value);
    constexpr double largest = 1e15;
    if (!number || *number != std::trunc(*number) || std::fabs(*number) > largest) {
      throw UserError(value->span, "the bound of a slice must be a constant integer");
    }
    return static_cast<int64_t>(*number);
  }

  ExpressionPtr primary() {
    const Deeper deeper(*this);
    switch (peek().kind) {
      case Token::Kind::number: {
        const Token token = take();
        return constant(token.number, token.span);
      }
      case Token::Kind::text: {
        const Token token = take();
        return node(Kind::text, token.text, {}, token.span);
      }
      case Token::Kind::setting: return setting();
      case Token::Kind::name: return name();
      case Token::Kind::sign:
        if (is_sign("(")) return parentheses();
        if (is_sign("[")) return list();
        break;
      case Token::Kind::end: break;
    }
    unexpected("a value: a number, a name, a function or '('");
  }

  static ExpressionPtr constant(double number, const SourceSpan& span) {
    Expression e;
    e.kind = Kind::number;
    e.number = number;
    e.span = span;
    return std::make_shared<const Expression>(std::move(e));
  }

  ExpressionPtr setting() {
    const Token token = take();
    if (const ExpressionPtr ramp = ramp_ ? ramp_(token.text, token.span) : nullptr) return ramp;
    const std::optional<double> number = setting_(token.text, token.span);
    if (!number) setting_failed_ = true;
    // The same tree as if the number stood there.
    ExpressionPtr magnitude = constant(std::fabs(number.value_or(1)), token.span);
    if (!number || *number >= 0) return magnitude;
    return node(Kind::unary, "-", {std::move(magnitude)}, token.span);
  }

  ExpressionPtr parentheses() {
    const Token open = take();
    const ExpressionPtr inner = either();
    const Token close = expect(")", "an operator or ')'");
    Expression e = *inner;
    e.span = joined(open.span, close.span);
    return std::make_shared<const Expression>(std::move(e));
  }

  ExpressionPtr list() {
    const Token open = take();
    std::vector<ExpressionPtr> items;
    if (!is_sign("]")) {
      do {
        items.push_back(either());
      } while (accept(","));
    }
    const Token close = expect("]", "',' or ']'");
    return node(Kind::list, "", std::move(items), joined(open.span, close.span));
  }

  ExpressionPtr name() {
    const Token token = take();
    if (is_sign("(")) return call(token);
    if (token.text == "pi") return constant(std::numbers::pi, token.span);
    if (token.text == "true") return constant(1, token.span);
    if (token.text == "false") return constant(0, token.span);
    if (token.text == "and" || token.text == "or" || token.text == "if") {
      throw UserError(token.span, in_quotes(token.text) + " cannot stand here",
                      token.text == "if" ? "if(condition, then, otherwise)" : "a value");
    }
    return node(Kind::name, token.text, {}, token.span);
  }

  ExpressionPtr call(const Token& function) {
    take();
    Expression e;
    e.kind = Kind::call;
    e.text = function.text;
    if (!is_sign(")")) {
      do {
        operand(e);
      } while (accept(","));
    }
    const Token close = expect(")", "',' or ')'");
    e.span = joined(function.span, close.span);
    if (e.text == "if" && (e.operands.size() != 3 || !e.named.empty())) {
      throw UserError(e.span, "'if' takes three values", "if(condition, then, otherwise)");
    }
    return std::make_shared<const Expression>(std::move(e));
  }

  void operand(Expression& call) {
    const bool named = peek().kind == Token::Kind::name && is_sign("=", 1);
    if (!named && !call.named.empty()) {
      throw UserError(peek().span, "a value without a name cannot follow one with a name");
    }
    if (!named) {
      call.operands.push_back(either());
      return;
    }
    const Token key = take();
    take();
    for (const NamedOperand& other : call.named) {
      if (other.name == key.text) {
        throw UserError(key.span, in_quotes(key.text) + " is given twice");
      }
    }
    call.named.push_back({key.text, key.span, either()});
  }

  const FormulaText& source_;
  const SettingNumber& setting_;
  const SettingFormula& ramp_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  bool setting_failed_ = false;
};

}  // namespace

std::optional<Formula> parse_formula(const FormulaText& source, const SettingNumber& setting,
                                     Diagnostics& diagnostics, const SettingFormula& ramp) {
  try {
    Parser parser(source, setting, ramp);
    Formula formula;
    formula.root = parser.run();
    if (parser.setting_failed()) return std::nullopt;
    formula.span = source.span;
    formula.text = to_string(*formula.root);
    return formula;
  } catch (const UserError& problem) {
    const Diagnostic& d = problem.diagnostic;
    diagnostics.error(d.span, d.message, d.expected, d.got);
    return std::nullopt;
  }
}

}  // namespace nnc::language
