// Scalars: numbers with arithmetic, booleans, names, formulas, paths, durations.
#include <cmath>
#include <filesystem>

#include "compiler/language/decode.h"
#include "compiler/language/synonyms.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

Value value_of(const YamlNode& node, decltype(Value::data) data) {
  Value value;
  value.data = std::move(data);
  value.span = node.span;
  return value;
}

Value failed(const YamlNode& node) { return value_of(node, std::monostate{}); }

// Larger integers are not exact in f64 arithmetic.
constexpr double largest_exact = 9007199254740992.0;

bool is_dotted_name(const std::string& text) {
  size_t begin = 0;
  for (bool first = true; begin <= text.size(); first = false) {
    const size_t dot = std::min(text.find('.', begin), text.size());
    const std::string part = text.substr(begin, dot - begin);
    // Inner names may be numbers: body.2.norm
    if (!is_identifier(first ? part : "_" + part) || part.empty()) return false;
    begin = dot + 1;
  }
  return true;
}

bool is_true_word(const std::string& word) {
  for (const char* yes : {"yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "y", "Y"}) {
    if (word == yes) return true;
  }
  return false;
}

bool is_false_word(const std::string& word) {
  for (const char* no : {"no", "No", "NO", "off", "Off", "OFF", "False", "FALSE", "n", "N"}) {
    if (word == no) return true;
  }
  return false;
}

// 0,1
bool is_decimal_comma(const std::string& text) {
  const size_t comma = text.find(',');
  const auto is_digits = [](const std::string& part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
  };
  return comma != std::string::npos && is_digits(text.substr(0, comma)) &&
         is_digits(text.substr(comma + 1));
}

}  // namespace

Value Decoder::wrong_kind(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (node.is_plain() && node.text.starts_with("ramp(")) {
    diagnostics_.error(node.span, what + " cannot be a ramp, which changes while training",
                       schema::describe(type));
    return failed(node);
  }
  diagnostics_.error(node.span, what + " has the wrong kind of value", schema::describe(type),
                     describe(node));
  return failed(node);
}

bool Decoder::in_range(double number, const schema::Type& type) const {
  const bool low =
      type.minimum && (type.minimum_excluded ? number <= *type.minimum : number < *type.minimum);
  const bool high =
      type.maximum && (type.maximum_excluded ? number >= *type.maximum : number > *type.maximum);
  return !low && !high;
}

Value Decoder::scalar(const YamlNode& node, const schema::Type& type, const std::string& what) {
  if (!node.is_scalar()) return wrong_kind(node, type, what);
  switch (type.kind) {
    case schema::Kind::integer:
    case schema::Kind::number: return number(node, type, what);
    case schema::Kind::boolean: return boolean(node, type, what);
    case schema::Kind::choice: return choice(node, type, what);
    case schema::Kind::name:
    case schema::Kind::reference: return name(node, type, what);
    case schema::Kind::formula: return formula(node);
    case schema::Kind::path: return path(node, type, what);
    case schema::Kind::duration: return duration(node, type, what);
    default: break;
  }
  const std::optional<YamlNode> filled = settings_.fill(node);
  return filled ? value_of(node, filled->text) : failed(node);
}

Value Decoder::number(const YamlNode& node, const schema::Type& type, const std::string& what) {
  const bool wants_integer = type.kind == schema::Kind::integer;
  std::optional<double> result;
  if (node.is_plain()) {
    if (const auto exact = core_integer(node.text); exact && wants_integer) {
      if (in_range(static_cast<double>(*exact), type)) return value_of(node, *exact);
      result = static_cast<double>(*exact);
    } else {
      result = core_number(node.text);
    }
    if (!result && core_non_finite(node.text)) {
      diagnostics_.error(node.span, what + " is not finite", schema::describe(type), node.text);
      return failed(node);
    }
  }
  if (!result) {
    if (node.text.empty() || (!node.is_plain() && core_number(node.text))) {
      return wrong_kind(node, type, what);
    }
    if (is_decimal_comma(node.text)) {
      std::string fixed = node.text;
      fixed[fixed.find(',')] = '.';
      diagnostics_.error(node.span, "a number is written with a decimal point, not a comma", fixed,
                         node.text);
      return failed(node);
    }
    Diagnostics problems;
    bool setting_failed = false;
    const SettingNumber lookup = [&](const std::string& name, const SourceSpan& span) {
      const auto found = settings_.numbers()(name, span);
      setting_failed = setting_failed || !found;
      return found;
    };
    const auto formula = parse_formula(formula_text(node), lookup, problems);
    if (setting_failed) return failed(node);
    if (formula) result = constant_value(*formula->root);
    if (!result) return wrong_kind(node, type, what);
  }
  if (!std::isfinite(*result)) {
    diagnostics_.error(node.span, what + " is not finite", schema::describe(type),
                       node.text + " is " + number_text(*result));
    return failed(node);
  }
  const bool worked_out = number_text(*result) != node.text && !core_number(node.text);
  const std::string got = worked_out ? node.text + " is " + number_text(*result) : node.text;
  const bool whole = *result == std::trunc(*result);
  if (wants_integer && !whole) {
    diagnostics_.error(node.span, what + " is not an integer", schema::describe(type), got);
    return failed(node);
  }
  if (!in_range(*result, type) || (wants_integer && std::fabs(*result) > largest_exact)) {
    diagnostics_.error(node.span, what + " is out of range", schema::describe(type), got);
    return failed(node);
  }
  if (wants_integer) return value_of(node, static_cast<int64_t>(*result));
  return value_of(node, *result);
}

Value Decoder::boolean(const YamlNode& node, const schema::Type& type, const std::string& what) {
  const std::optional<YamlNode> filled = settings_.fill(node);
  if (!filled) return failed(node);
  if (filled->is_plain()) {
    if (const auto value = core_boolean(filled->text)) return value_of(node, *value);
    if (is_true_word(filled->text) || is_false_word(filled->text)) {
      diagnostics_.error(node.span, in_quotes(filled->text) + " is not a boolean here",
                         is_true_word(filled->text) ? "true" : "false", filled->text);
      return failed(node);
    }
  }
  return wrong_kind(node, type, what);
}

Value Decoder::choice(const YamlNode& node, const schema::Type& type, const std::string& what) {
  const std::optional<YamlNode> filled = settings_.fill(node);
  if (!filled) return failed(node);
  for (const std::string& word : type.choices) {
    if (word == filled->text) return value_of(node, word);
  }
  const auto near = meant(filled->text, type.choices);
  diagnostics_.error(node.span,
                     what + " cannot be " + in_quotes(filled->text) +
                         (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                     schema::describe(type));
  return failed(node);
}

Value Decoder::name(const YamlNode& node, const schema::Type& type, const std::string& what) {
  const bool is_reference = type.kind == schema::Kind::reference;
  const std::optional<YamlNode> filled = settings_.fill(node);
  if (!filled) return failed(node);
  const std::string& text = filled->text;
  const bool good = is_dotted_name(text);  // layers of blocks have names with dots
  if (good && is_reference) return value_of(node, Name{text, node.span});
  if (good) return value_of(node, text);
  if (is_reference && text.find(',') != std::string::npos) {
    diagnostics_.error(node.span, what + ": several names need brackets", "[" + text + "]", text);
    return failed(node);
  }
  diagnostics_.error(node.span,
                     what + " is not a name: letters, digits and _, not starting with a digit",
                     schema::describe(type), describe(node));
  return failed(node);
}

Value Decoder::formula(const YamlNode& node) {
  auto formula =
      parse_formula(formula_text(node), settings_.numbers(), diagnostics_, settings_.ramps());
  return formula ? value_of(node, std::move(*formula)) : failed(node);
}

Value Decoder::path(const YamlNode& node, const schema::Type& type, const std::string& what) {
  const std::optional<YamlNode> filled = settings_.fill(node);
  if (!filled) return failed(node);
  if (filled->text.empty()) return wrong_kind(node, type, what);
  const std::filesystem::path path(filled->text);
  if (path.is_absolute()) return value_of(node, path.lexically_normal().string());
  return value_of(node, (std::filesystem::path(folder_) / path).lexically_normal().string());
}

Value Decoder::duration(const YamlNode& node, const schema::Type& type, const std::string& what) {
  const std::optional<YamlNode> filled = settings_.fill(node);
  if (!filled) return failed(node);
  YamlNode amount = *filled;
  Duration duration;
  for (const std::string unit : {" steps", " step", " epochs", " epoch"}) {
    const std::string& text = filled->text;
    if (text.size() <= unit.size() || !text.ends_with(unit)) continue;
    amount.text = text.substr(0, text.size() - unit.size());
    amount.style = YamlNode::Style::plain;
    duration.steps = unit.find("step") != std::string::npos;
    break;
  }
  schema::Type amount_type = type;
  amount_type.kind = duration.steps ? schema::Kind::integer : schema::Kind::number;
  const std::optional<double> exact = core_number(amount.text);
  const size_t space = amount.text.find(' ');
  const bool other_unit = space != std::string::npos && core_number(amount.text.substr(0, space)) &&
                          is_identifier(amount.text.substr(space + 1));
  if (other_unit) return wrong_kind(node, type, what);
  if (!exact) {
    const auto formula = parse_formula(formula_text(amount), settings_.numbers(), diagnostics_);
    const auto value = formula ? constant_value(*formula->root) : std::nullopt;
    if (!formula) return failed(node);
    if (!value) return wrong_kind(node, type, what);
    amount.text = number_text(*value);
  }
  const Value number = this->number(amount, amount_type, what);
  if (!is_read(&number)) return number;
  duration.amount = number.number();
  return value_of(node, duration);
}

}  // namespace nnc::language
