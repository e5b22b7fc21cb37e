#include "compiler/codegen/cpp_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "compiler/codegen/cpp_printer.h"

namespace nnc::codegen {

using kernel::Scalar;

namespace {

const std::set<std::string>& reserved_words() {
  static const std::set<std::string> words = {
      // Keywords of C++17 and C++20, and alternative operators.
      "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
      "case", "catch", "char", "char8_t", "char16_t", "char32_t", "class", "compl", "concept",
      "const", "consteval", "constexpr", "constinit", "const_cast", "continue", "co_await",
      "co_return", "co_yield", "decltype", "default", "delete", "do", "double", "dynamic_cast",
      "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto",
      "if", "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq",
      "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register",
      "reinterpret_cast", "requires", "return", "short", "signed", "sizeof", "static",
      "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local",
      "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using",
      "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
      // Common macros and names at global scope that a namespace or variable would collide with.
      "std", "main", "errno", "NULL", "EOF", "assert", "linux", "unix", "signbit", "isnan", "near",
      "far", "small", "min", "max", "NAN", "INFINITY", "INT_MAX", "INT_MIN", "RAND_MAX", "BUFSIZ",
      "HUGE_VAL", "FLT_MAX", "FLT_MIN", "DBL_MAX", "DBL_MIN", "EDOM", "ERANGE", "EXIT_SUCCESS",
      "EXIT_FAILURE", "TRUE", "FALSE", "I", "complex",
      // What emitted text itself uses.
      "ptr", "i1", "u8", "u16", "u32", "u64", "i32", "i64", "f32", "f64", "bf16", "add", "sub",
      "mul", "div", "rem", "neg", "absolute", "square_root", "round_down", "round_even", "minimum",
      "maximum", "muladd", "bit_and", "bit_or", "bit_xor", "shift_left", "shift_right",
      "shift_right_signed", "mul_high", "popcount", "equal", "not_equal", "less", "less_equal",
      "greater", "greater_equal", "select", "lane", "lower", "upper", "join", "store", "gather",
      "prefetch", "bitcast", "avx512", "avx2", "generic", "plain"};
  return words;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Functions of the C library and of POSIX: headers that a user includes next to ours declare them
// in the global namespace, where a namespace of the same name would be an error.
const std::set<std::string>& global_functions() {
  static const std::set<std::string> names = {
      "abs",      "accept",    "access",    "acos",     "alarm",    "asin",     "atan",
      "bind",     "cbrt",      "ceil",      "clock",    "close",    "connect",  "cos",
      "cosh",     "dup",       "erf",       "erfc",     "exit",     "exp",      "exp2",
      "expm1",    "fabs",      "fdim",      "floor",    "fma",      "fmod",     "fork",
      "free",     "gamma",     "gets",      "hypot",    "index",    "j0",       "j1",
      "jn",       "kill",      "lgamma",    "link",     "listen",   "log",      "log10",
      "log1p",    "log2",      "logb",      "malloc",   "modf",     "nan",      "open",
      "pause",    "pipe",      "pow",       "printf",   "puts",     "raise",    "rand",
      "read",     "recv",      "remove",    "rename",   "rewind",   "rint",     "round",
      "scanf",    "send",      "signal",    "sin",      "sinh",     "sleep",    "socket",
      "sqrt",     "stat",      "system",    "tan",      "tanh",     "time",     "trunc",
      "wait",     "write",     "y0",        "y1",       "yn",       "environ",  "labs",
      "timezone", "daylight",  "signgam",   "truncate", "random",   "memcpy",   "memset",
      "memmove",  "memcmp",    "strlen",    "strcmp",   "strcpy",   "size_t",   "int8_t",
      "int16_t",  "int32_t",   "int64_t",   "uint8_t",  "uint16_t", "uint32_t", "uint64_t",
      "intptr_t", "uintptr_t", "ptrdiff_t", "fopen",    "fclose",   "fread",    "fwrite",
      "fprintf"};
  return names;
}

// f32x16, i1x8 …
bool looks_like_type(const std::string& name) {
  const size_t first = name.find_first_of("0123456789"), cross = name.rfind('x');
  if (first == std::string::npos || cross == std::string::npos || cross <= first) return false;
  const std::string prefix = name.substr(0, first);
  const bool known = prefix == "f" || prefix == "i" || prefix == "u" || prefix == "bf";
  return known && name.find_first_not_of("0123456789x", first) == std::string::npos;
}

// To nearest, ties to even; a NaN stays one.
uint16_t bf16_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Helpers with a type in their name: load_f32x16, splat_i32x8, iota_…, to_…, shuffle_3.
bool looks_like_helper(const std::string& name) {
  for (const char* prefix :
       {"load_", "splat_", "iota_", "to_", "bits_to_", "shuffle_", "gather_"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

}  // namespace

bool is_reserved_in_cpp(const std::string& name) {
  if (reserved_words().count(name) || looks_like_helper(name) || looks_like_type(name)) {
    return true;
  }
  // M_PI, FP_NAN, SIGINT, INT8_MAX …: macros of the C library.
  for (const char* prefix : {"M_", "FP_", "SIG", "LC_", "CHAR_", "SEEK_", "INT8_", "INT16_",
                             "INT32_", "INT64_", "UINT8_", "UINT16_", "UINT32_", "UINT64_"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  if (name.find("__") != std::string::npos) return true;
  return name.size() > 1 && name[0] == '_' && name[1] >= 'A' && name[1] <= 'Z';
}

std::string cpp_identifier(const std::string& name) {
  std::string result;
  for (char c : name) {
    const bool keep = is_letter(c) || is_digit(c);
    if (keep)
      result += c;
    else if (result.empty() || result.back() != '_')
      result += '_';  // never a double underscore
  }
  while (!result.empty() && result.front() == '_') result.erase(0, 1);
  if (result.empty()) result = "model";
  if (is_digit(result[0])) result.insert(0, "n");
  if (is_reserved_in_cpp(result)) result += result.back() == '_' ? "x" : "_";
  return result;
}

std::string cpp_namespace(const std::string& name) {
  const std::string result = cpp_identifier(name);
  return global_functions().count(result) ? result + "_" : result;
}

std::string cpp_float(Scalar scalar, double value) {
  if (scalar == Scalar::bf16)
    return fmt::format("bf16{{{:#x}}}", bf16_bits(static_cast<float>(value)));
  const bool single = scalar != Scalar::f64;
  const char* type = single ? "float" : "double";
  if (std::isnan(value)) return fmt::format("std::numeric_limits<{}>::quiet_NaN()", type);
  if (single) value = static_cast<float>(value);
  if (std::isinf(value)) {
    return fmt::format("{}std::numeric_limits<{}>::infinity()", value < 0 ? "-" : "", type);
  }
  const char* suffix = single ? "f" : "";
  // A short decimal only where it is the value itself, not merely rounded to it.
  std::string decimal = fmt::format("{:.7g}", value);
  if (decimal.size() <= 9 && std::strtod(decimal.c_str(), nullptr) == value &&
      std::abs(value) < 1e7 && decimal.find('e') == std::string::npos &&
      (value == std::floor(value) || std::ldexp(value, 10) == std::floor(std::ldexp(value, 10)))) {
    if (decimal.find('.') == std::string::npos) decimal += ".0";
    return decimal + suffix;
  }
  return fmt::format("{:a}{}", value, suffix);
}

std::string cpp_integer(Scalar scalar, int64_t value) {
  switch (scalar) {
    case Scalar::i1: return value & 1 ? "true" : "false";
    case Scalar::u8: return fmt::format("u8{{{}}}", static_cast<uint8_t>(value));
    case Scalar::i32: {
      const auto v = static_cast<int32_t>(value);
      return v == INT32_MIN ? "(-2147483647 - 1)" : fmt::format("{}", v);
    }
    case Scalar::ptr: return "nullptr";
    default:
      if (value == INT64_MIN) return "(INT64_C(-9223372036854775807) - 1)";
      if (value > INT32_MAX || value < -INT32_MAX) return fmt::format("INT64_C({})", value);
      return fmt::format("{}", value);
  }
}

std::string wrap_cpp(const std::string& text, int indent) {
  constexpr size_t columns = 100;
  std::string rest = text, result;
  const std::string continuation(static_cast<size_t>(indent) + 4, ' ');
  while (rest.size() > columns) {
    size_t cut = rest.rfind(", ", columns - 1);
    if (cut == std::string::npos || cut < continuation.size()) break;
    result += rest.substr(0, cut + 1) + "\n";
    rest = continuation + rest.substr(cut + 2);
  }
  return result + rest;
}

}  // namespace nnc::codegen
