#include "tools/workbench/readable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

#include "compiler/support/text.h"

namespace nnc::workbench {

std::string with_commas(int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return (number < 0 ? "-" : "") + digits;
}

namespace {

std::string scaled(double value, const std::vector<const char*>& units, double base) {
  size_t unit = 0;
  while (value >= base * 0.9995 && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  const int decimals = unit == 0 || value >= 99.95 ? 0 : 1;
  return fmt::format("{:.{}f}{}", value, decimals, units[unit]);
}

}  // namespace

std::string bytes_text(double bytes) {
  return scaled(bytes, {" B", " KB", " MB", " GB", " TB"}, 1000);
}

std::string count_text(double count) { return scaled(count, {"", " k", " M", " G", " T"}, 1000); }

std::string duration_text(double seconds) {
  // Each limit is where the last digit would be rounded up to the next unit.
  if (seconds < 999.5e-6) return fmt::format("{:.3g} µs", seconds * 1e6);
  if (seconds < 999.5e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string time_left_text(double seconds) {
  return seconds < 59.5 ? fmt::format("{:.0f} s", std::ceil(seconds)) : duration_text(seconds);
}

std::string loss_text(double value) {
  if (std::isnan(value)) return "nan";  // whose sign says nothing
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const double size = std::fabs(value);
  if (size != 0 && size < 1e-3) return fmt::format("{:.3e}", value);
  if (size < 100) return fmt::format("{:.4f}", value);
  return fmt::format("{:.6g}", value);
}

namespace {

// $'…', which says every odd byte by its number.
std::string bash_word(const std::string& word) {
  std::string result = "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '\'' || c == '\\') {
      result += fmt::format("\\{:03o}", byte);
    } else {
      result += c;
    }
  }
  return result + "'";
}

}  // namespace

std::string shell_word(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || c >= 0x80 || std::strchr("._/-+:@=,%", c) != nullptr;
  };
  if (printable(word) != word) return bash_word(word);
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

runtime::DataError in_printable_words(const runtime::DataError& error) {
  runtime::DataError result(printable(error.file), printable(error.place), printable(error.problem),
                            printable(error.expected), printable(error.got));
  result.split = error.split;
  return result;
}

}  // namespace nnc::workbench
