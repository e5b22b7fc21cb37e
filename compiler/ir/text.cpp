#include "compiler/ir/text.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace nnc::ir {
namespace {

constexpr std::array<const char*, 4> kKinds = {"input", "scalar", "state", "value"};

}  // namespace

const char* name_of(ParamKind kind) { return kKinds[static_cast<size_t>(kind)]; }

bool parse_param_kind(const std::string& text, ParamKind& kind) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (text != kKinds[i]) continue;
    kind = static_cast<ParamKind>(i);
    return true;
  }
  return false;
}

bool is_bare_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == ':' ||
         c == '-' || c == '/';
}

bool is_bare(const std::string& name) {
  for (char c : name) {
    if (!is_bare_character(c)) return false;
  }
  return !name.empty();
}

std::string quoted_name(const std::string& name) { return is_bare(name) ? name : quote(name); }

std::string quote(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string exact_number(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  std::string text(buffer.data(), end);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace nnc::ir
