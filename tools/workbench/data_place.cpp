#include "tools/workbench/data_place.h"

#include <fmt/format.h>

#include <optional>

#include "tools/workbench/error.h"
#include "tools/workbench/readable.h"

namespace nnc::workbench {

namespace {

using Place = std::optional<SourceSpan>;
using Test = std::function<bool(const std::string&)>;

// What stands in single quotes.
std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0;;) {
    const size_t open = text.find('\'', at);
    const size_t close = open == std::string::npos ? open : text.find('\'', open + 1);
    if (close == std::string::npos) return words;
    words.push_back(text.substr(open + 1, close - open - 1));
    at = close + 1;
  }
}

Place find_text(const Value& value, const Test& fits);

Place find_text(const MapValue& map, const Test& fits) {
  for (const auto& [key, value] : map)
    if (const Place place = find_text(value, fits)) return place;
  return std::nullopt;
}

Place find_text(const Value& value, const Test& fits) {
  if (value.is_text() && fits(value.text())) return value.span;
  if (value.is_map()) return find_text(value.map(), fits);
  if (value.is_list()) {
    for (const Value& item : value.list())
      if (const Place place = find_text(item, fits)) return place;
  }
  return std::nullopt;
}

Place find_key(const MapValue& map, const std::string& name) {
  for (const auto& [key, value] : map) {
    if (key.text == name) return key.span;
    const Place below = value.is_map() ? find_key(value.map(), name) : std::nullopt;
    if (below) return below;
  }
  return std::nullopt;
}

// Pictures lie below the folder that the model names; arrays lie in an archive.
Test names_file(const std::string& file) {
  return [&file](const std::string& text) {
    return file == text || file.rfind(text + "/", 0) == 0 || file.rfind(text + ": array ", 0) == 0;
  };
}

bool mentions_where(const runtime::DataError& error) {
  return error.problem.find("`where`") != std::string::npos;
}

bool mentions(const runtime::DataError& error, const std::string& word) {
  return error.expected.find(word) != std::string::npos;
}

// What the model says of a field, if that is what the data contradicts.
Place in_fields(const runtime::DataError& error, const language::Data& data,
                const std::string& name) {
  const language::Field* field = data.field(name);
  if (field == nullptr) return std::nullopt;
  for (const language::Choice& step : field->prepare)
    if (error.problem.rfind(step.kind + " cannot prepare", 0) == 0) return step.span;
  if (field->shape && mentions(error, "shape")) return field->shape->span;
  if (field->classes && mentions(error, "classes")) return field->classes->span;
  return std::nullopt;
}

Place in_source(const runtime::DataError& error, const language::Choice& source,
                const std::vector<std::string>& words) {
  const MapValue& values = source.args.values();
  for (const std::string& word : words) {
    const Place text = find_text(values, [&](const std::string& t) { return t == word; });
    if (text) return text;
    if (const Place key = find_key(values, word)) return key;
  }
  return find_text(values, names_file(error.file));
}

}  // namespace

SourceSpan place_of(const runtime::DataError& error, const language::Data& data) {
  std::vector<std::string> words = quoted(error.place);
  for (const std::string* text : {&error.problem, &error.file})
    for (std::string& word : quoted(*text)) words.push_back(std::move(word));
  for (const std::string& word : words)
    if (const Place place = in_fields(error, data, word)) return *place;
  const auto name_of = [](const language::Choice& source) {
    return source.kind == "generate" ? "generated data" : source.kind + " data";
  };
  const language::Split* read = error.split.empty() ? nullptr : data.split(error.split);
  if (read && read->fraction) return read->fraction->share.span;
  if (read && read->where && mentions_where(error)) return read->where->root->span;
  for (const language::Split& split : data.splits) {
    if (!split.source || (read && read->source && &split != read)) continue;
    const language::Choice& source = *split.source;
    const bool own = error.file == name_of(source) ||
                     find_text(source.args.values(), names_file(error.file)).has_value();
    if (own) return in_source(error, source, words).value_or(source.span);
  }
  return data.span;
}

Diagnostic at_its_place(const runtime::DataError& error, const language::Data& data) {
  const runtime::DataError said = in_printable_words(error);
  const std::string where = said.place.empty() ? said.file : said.file + ": " + said.place;
  return UserError(place_of(error, data), where + ": " + said.problem, said.expected, said.got)
      .diagnostic;
}

void reading_data(const Model& model, const std::function<void()>& work) {
  try {
    work();
  } catch (const runtime::DataError& error) {
    if (!model.description.data) throw;
    throw DataMistake(at_its_place(error, *model.description.data));
  }
}

}  // namespace nnc::workbench
