#include "compiler/language/settings.h"

#include <algorithm>
#include <cmath>

#include "compiler/language/describe.h"
#include "compiler/language/ramp.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

// What follows a `$`: its name and how many bytes it takes. An empty name: no name follows.
struct Reference {
  std::string name;
  size_t length = 0;
};

Reference reference_at(std::string_view text) {
  const bool braces = text.size() > 1 && text[1] == '{';
  const size_t begin = braces ? 2 : 1;
  size_t end = begin;
  while (end < text.size() && is_identifier(text.substr(begin, end - begin + 1))) ++end;
  const std::string name(text.substr(begin, end - begin));
  if (!braces) return {name, end};
  const bool closed = end < text.size() && text[end] == '}';
  return closed ? Reference{name, end + 1} : Reference{};
}

std::optional<double> number_of(const YamlNode& scalar) {
  if (const auto number = core_number(scalar.text)) return number;
  // Arithmetic, tried silently: a path such as a/b is a text.
  Diagnostics silent;
  const auto formula = parse_formula(
      formula_text(scalar), [](const auto&, const auto&) { return std::nullopt; }, silent);
  if (!formula) return std::nullopt;
  const std::optional<double> value = constant_value(*formula->root);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace

FormulaText formula_text(const YamlNode& scalar) {
  FormulaText result{scalar.text, scalar.span, 0};
  const bool has_place = scalar.span.file != nullptr && scalar.offset != std::string::npos;
  if (!has_place || scalar.style == YamlNode::Style::block) return result;
  const size_t quote = scalar.style == YamlNode::Style::quoted ? 1 : 0;
  const std::string& text = scalar.span.file->text;
  const size_t begin = std::min(scalar.offset + quote, text.size());
  const bool one_line = scalar.text.find('\n') == std::string::npos;
  if (one_line && text.compare(begin, scalar.text.size(), scalar.text) == 0) {
    result.column = scalar.span.column + static_cast<int>(quote);
  }
  return result;
}

Settings::Settings(const YamlNode* node, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
  if (node == nullptr) return;
  if (!node->is_map()) {
    diagnostics_.error(node->span, "'settings' has the wrong kind of value",
                       "a map of names to numbers and texts", describe(*node));
    return;
  }
  for (const YamlEntry& entry : node->entries) add(entry);
}

void Settings::add(const YamlEntry& entry) {
  const std::string& name = entry.key.text;
  if (!is_identifier(name)) {
    diagnostics_.error(entry.key.span, in_quotes(name) + " cannot be the name of a setting",
                       "letters, digits and _, not starting with a digit");
    return;
  }
  if (const YamlNode* ramp = ramp_node(entry.value)) {
    add_ramp({name, entry.key.span}, *ramp);
    return;
  }
  if (!entry.value.is_scalar()) {
    diagnostics_.error(
        entry.value.span, "the setting " + in_quotes(name) + " has the wrong kind of value",
        "a number, a text or {ramp: {from: 0, to: 1, epochs: 10}}", describe(entry.value));
    failed_.push_back(name);
    return;
  }
  const std::optional<YamlNode> filled = fill(entry.value);
  if (!filled) {
    failed_.push_back(name);
    return;
  }
  if (filled->is_plain() && core_non_finite(filled->text)) {
    diagnostics_.error(entry.value.span, "the setting " + in_quotes(name) + " is not finite",
                       "a finite number", filled->text);
    failed_.push_back(name);
    return;
  }
  Setting setting{{name, entry.key.span}, filled->text, std::nullopt, filled->is_plain()};
  if (filled->is_plain()) setting.number = number_of(*filled);
  settings_.push_back(std::move(setting));
}

Setting Settings::setting(const Name& name, const std::string& text) const {
  YamlNode scalar;
  scalar.kind = YamlNode::Kind::scalar;
  scalar.text = text;
  scalar.span = name.span;
  return {name, text, number_of(scalar), true};
}

Settings Settings::with(const std::vector<Setting>& others) const {
  Settings result = *this;
  std::erase_if(result.settings_, [&](const Setting& known) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Setting& other) { return other.name.text == known.name.text; });
  });
  result.settings_.insert(result.settings_.end(), others.begin(), others.end());
  return result;
}

// Read by hand: the schema is for what stands behind `settings`.
void Settings::add_ramp(const Name& name, const YamlNode& node) {
  failed_.push_back(name.text);
  if (!node.is_map()) {
    diagnostics_.error(node.span, "'ramp' has the wrong kind of value",
                       "{from: 0, to: 1, epochs: 10}", describe(node));
    return;
  }
  MapValue numbers;
  for (const YamlEntry& entry : node.entries) {
    const std::vector<std::string> known = {"from", "to", "epochs", "steps"};
    const std::string& key = entry.key.text;
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      diagnostics_.error(entry.key.span, "'ramp' has no argument " + in_quotes(key),
                         join(known, "or"));
      return;
    }
    const auto filled = entry.value.is_scalar() ? fill(entry.value) : std::nullopt;
    const auto number = filled && filled->is_plain() ? number_of(*filled) : std::nullopt;
    const bool length = key == "epochs" || key == "steps";
    if (!number || (length && !(*number > 0)) ||
        (key == "steps" && *number != std::trunc(*number))) {
      diagnostics_.error(entry.value.span,
                         in_quotes(key) + " of a ramp has the wrong kind of value",
                         key == "steps" ? "a whole number above 0"
                         : length       ? "a number above 0"
                                        : "a number",
                         describe(entry.value));
      return;
    }
    numbers.emplace_back(Name{key, entry.key.span}, Value{*number, entry.value.span});
  }
  for (const std::string key : {"from", "to"}) {
    if (stands(numbers, key)) continue;
    diagnostics_.error(node.span, "a ramp needs " + in_quotes(key), "{from: 0, to: 1, epochs: 10}");
    return;
  }
  const std::optional<Ramp> ramp = ramp_of(numbers, node.span, diagnostics_);
  if (!ramp) return;
  failed_.pop_back();
  const std::string text = to_string(*ramp_call(*ramp, node.span));
  settings_.push_back({name, text, std::nullopt, true, ramp});
}

const Setting* Settings::find(const std::string& name, const SourceSpan& span) const {
  std::vector<std::string> names;
  for (const Setting& setting : settings_) {
    if (setting.name.text == name) return &setting;
    names.push_back(setting.name.text);
  }
  if (std::find(failed_.begin(), failed_.end(), name) != failed_.end()) return nullptr;
  const auto near = nearest(name, names);
  diagnostics_.error(span,
                     "there is no setting " + in_quotes(name) +
                         (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                     names.empty() ? "a name from 'settings'; $$ writes a dollar"
                                   : "one of " + join(names, "or") + "; $$ writes a dollar");
  return nullptr;
}

std::optional<std::string> Settings::substituted(const YamlNode& scalar) const {
  const std::string_view text = scalar.text;
  const FormulaText place = formula_text(scalar);
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      result += text[at++];
      continue;
    }
    if (at + 1 < text.size() && text[at + 1] == '$') {
      result += '$';
      at += 2;
      continue;
    }
    const Reference reference = reference_at(text.substr(at));
    SourceSpan span = scalar.span;
    if (place.column > 0) {
      span.column = place.column + characters(text, at);
      span.length = std::max(1, characters(text.substr(at, reference.length)));
    }
    if (reference.name.empty()) {
      diagnostics_.error(span, "a '$' is followed by the name of a setting",
                         "$name, or $$ for a dollar");
      return std::nullopt;
    }
    const Setting* setting = find(reference.name, span);
    if (setting == nullptr) return std::nullopt;
    result += setting->text;
    at += reference.length;
    constexpr size_t longest = 1u << 16;
    if (result.size() > longest) {
      diagnostics_.error(scalar.span, "the text is too long once its settings are filled in");
      return std::nullopt;
    }
  }
  return result;
}

std::optional<YamlNode> Settings::fill(const YamlNode& scalar) const {
  if (scalar.text.find('$') == std::string::npos) return scalar;
  YamlNode result = scalar;
  const std::optional<std::string> text = substituted(scalar);
  if (!text) return std::nullopt;
  result.text = *text;
  const Reference whole = scalar.text[0] == '$' ? reference_at(scalar.text) : Reference{};
  if (!whole.name.empty() && whole.length == scalar.text.size()) {
    const Setting* setting = find(whole.name, scalar.span);
    const bool plain = setting != nullptr && setting->plain && scalar.is_plain();
    result.style = plain ? YamlNode::Style::plain : YamlNode::Style::quoted;
  }
  return result;
}

SettingNumber Settings::numbers() const {
  return [this](const std::string& name, const SourceSpan& span) -> std::optional<double> {
    const Setting* setting = find(name, span);
    if (setting == nullptr) return std::nullopt;
    if (setting->ramp) {
      diagnostics_.error(span,
                         "the setting " + in_quotes(name) +
                             " is a ramp: it changes while training, and this number cannot",
                         "a number; a ramp can stand in formulas and as the weight of a term");
      return std::nullopt;
    }
    if (!setting->number) {
      diagnostics_.error(span, "the setting " + in_quotes(name) + " is not a number", "a number",
                         "the text " + in_quotes(setting->text));
    }
    return setting->number;
  };
}

SettingFormula Settings::ramps() const {
  return [this](const std::string& name, const SourceSpan& span) -> ExpressionPtr {
    for (const Setting& setting : settings_) {
      if (setting.name.text == name && setting.ramp) return ramp_call(*setting.ramp, span);
    }
    return nullptr;
  };
}

}  // namespace nnc::language
