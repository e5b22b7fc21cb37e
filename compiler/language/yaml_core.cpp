// Reading files, and the scalars of YAML 1.2's core schema.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "compiler/language/yaml.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

std::string without_sign(const std::string& text) {
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  return text.substr(has_sign ? 1 : 0);
}

size_t digits_from(const std::string& text, size_t at) {
  size_t end = at;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return end - at;
}

// ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool looks_decimal(const std::string& text) {
  size_t at = digits_from(text, 0);
  const bool has_whole = at > 0;
  if (at < text.size() && text[at] == '.') {
    const size_t fraction = digits_from(text, at + 1);
    if (!has_whole && fraction == 0) return false;
    at += 1 + fraction;
  } else if (!has_whole) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const size_t exponent = digits_from(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

std::shared_ptr<const SourceFile> unreadable(const std::string& path, const std::string& why,
                                             Diagnostics& diagnostics) {
  auto file = std::make_shared<const SourceFile>(SourceFile{path, ""});
  diagnostics.error(SourceSpan{file, 0, 0, 0}, why);
  return nullptr;
}

}  // namespace

std::optional<int64_t> core_integer(const std::string& text) {
  const std::string digits = without_sign(text);
  const bool is_hex = digits.rfind("0x", 0) == 0;
  const bool is_octal = digits.rfind("0o", 0) == 0;
  // Signs belong to decimal integers only.
  if ((is_hex || is_octal) && digits.size() != text.size()) return std::nullopt;
  const std::string body = is_hex || is_octal ? digits.substr(2) : digits;
  const std::string full = !text.empty() && text[0] == '-' ? "-" + body : body;
  if (body.empty() || body[0] == '-') return std::nullopt;
  int64_t result = 0;
  const char* end = full.data() + full.size();
  const auto [stopped, problem] = std::from_chars(full.data(), end, result,
                                                  is_hex     ? 16
                                                  : is_octal ? 8
                                                             : 10);
  if (problem != std::errc() || stopped != end) return std::nullopt;
  return result;
}

std::optional<double> core_number(const std::string& text) {
  if (const auto integer = core_integer(text)) return static_cast<double>(*integer);
  const std::string body = without_sign(text);
  if (!looks_decimal(body)) return std::nullopt;
  const std::optional<double> magnitude = parse_number(body[0] == '.' ? "0" + body : body);
  if (!magnitude || !std::isfinite(*magnitude)) return std::nullopt;
  return text[0] == '-' ? -*magnitude : *magnitude;
}

std::optional<bool> core_boolean(const std::string& text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

bool core_non_finite(const std::string& text) {
  const std::string body = without_sign(text);
  for (const char* word : {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"}) {
    if (body == word) return true;
  }
  return looks_decimal(body) && !core_number(text);
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return node.absent ? "nothing" : "null";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a map";
    case YamlNode::Kind::scalar: break;
  }
  if (node.style != YamlNode::Style::plain) return "the text " + in_quotes(node.text);
  if (core_number(node.text)) return "the number " + node.text;
  if (core_boolean(node.text)) return node.text;
  return in_quotes(node.text);
}

std::shared_ptr<const SourceFile> source_from_text(std::string text, const std::string& path,
                                                   Diagnostics& diagnostics) {
  if (text.size() > YamlLimits::file_bytes) {
    return unreadable(path, "the file is too large for a model file (more than 8 MiB)",
                      diagnostics);
  }
  if (text.rfind("\xEF\xBB\xBF", 0) == 0) text.erase(0, 3);
  std::string clean;
  clean.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      clean += '\n';
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      clean += text[i];
    }
  }
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
  };
  size_t bad = first_bad_utf8(clean).value_or(clean.size());
  for (size_t i = 0; i < bad; ++i) {
    if (is_control(clean[i])) bad = i;
  }
  const bool is_text = bad == clean.size();
  const auto line = 1 + std::count(clean.begin(), clean.begin() + static_cast<long>(bad), '\n');
  if (is_text) return std::make_shared<const SourceFile>(SourceFile{path, std::move(clean)});
  return unreadable(
      path,
      "line " + std::to_string(line) + " is not text: it has a byte that is no character of UTF-8",
      diagnostics);
}

std::shared_ptr<const SourceFile> read_source(const std::string& path, Diagnostics& diagnostics) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) {
    return unreadable(path, "there is no such file", diagnostics);
  }
  if (std::filesystem::is_directory(status)) {
    return unreadable(path, "this is a folder; a model file was expected", diagnostics);
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return unreadable(path, "the file cannot be read", diagnostics);
  // Piece by piece: room for the largest file that is allowed would cost more than reading.
  std::string text;
  constexpr size_t piece = 64u << 10;
  while (stream && text.size() <= YamlLimits::file_bytes) {
    const size_t before = text.size();
    text.resize(before + piece);
    stream.read(text.data() + before, static_cast<std::streamsize>(piece));
    text.resize(before + static_cast<size_t>(stream.gcount()));
  }
  if (stream.bad()) return unreadable(path, "the file cannot be read", diagnostics);
  return source_from_text(std::move(text), path, diagnostics);
}

}  // namespace nnc::language
