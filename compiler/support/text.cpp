#include "compiler/support/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nnc {

namespace {

// Optimal string alignment distance.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Length of the well-formed sequence at `at`, or 0.
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

// Of one well-formed sequence.
char32_t code_point(std::string_view bytes) {
  if (bytes.size() < 2) return bytes.empty() ? U'\0' : static_cast<unsigned char>(bytes[0]);
  char32_t result = static_cast<unsigned char>(bytes[0]) & (0xFFu >> (bytes.size() + 1));
  for (char c : bytes.substr(1)) result = result << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return result;
}

// Whether a terminal acts upon it: control characters, ends of lines and of paragraphs, marks that
// embed, override or isolate the direction of what follows.
bool steers(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return c < 0x20 || within(0x7F, 0x9F) || within(0x2028, 0x202E) || within(0x2066, 0x2069) ||
         within(0x200E, 0x200F) || c == 0x061C;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  constexpr size_t longest_word = 64;
  if (word.empty() || word.size() > longest_word) return std::nullopt;
  // One slip in a short word, one more for every three further letters.
  const size_t allowed = word.size() <= 2 ? 1 : 1 + (word.size() - 1) / 3;
  const std::string wanted = lower(word);
  std::optional<std::string> best;
  size_t best_distance = allowed + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    const size_t distance = edit_distance(wanted, lower(candidate));
    // A word of which no letter is left is not near, however short it is.
    if (distance >= std::max(wanted.size(), candidate.size())) continue;
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string join(const std::vector<std::string>& words, std::string_view last) {
  constexpr size_t most = 60;
  std::string result;
  if (words.size() > most) {
    for (size_t i = 0; i < most; ++i) result += words[i] + ", ";
    return result + fmt::format("… ({} in all)", words.size());
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? fmt::format(" {} ", last) : ", ";
    result += words[i];
  }
  return result;
}

std::string in_quotes(std::string_view word) {
  constexpr int longest = 60;
  const bool cut = characters(word) > longest;
  const std::string result = printable(cut ? word.substr(0, byte_of(word, longest)) : word, ' ');
  return "'" + result + (cut ? "…" : "") + "'";
}

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

int characters(std::string_view text, size_t bytes) {
  bytes = std::min(bytes, text.size());
  return static_cast<int>(std::count_if(text.begin(), text.begin() + static_cast<long>(bytes),
                                        [](char c) { return !is_continuation(c); }));
}

size_t byte_of(std::string_view text, int character) {
  size_t at = 0;
  while (at < text.size() && (character > 0 || is_continuation(text[at]))) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
    if (--character <= 0) break;
  }
  return at;
}

std::optional<size_t> first_bad_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string_view line_of(std::string_view text, int line) {
  size_t begin = 0;
  for (int i = 1; i < line; ++i) {
    begin = text.find('\n', begin);
    if (begin == std::string_view::npos) return {};
    ++begin;
  }
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string number_text(double number) {
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  // As an integer it would lose its sign.
  if (number == 0 && std::signbit(number)) return "-0.0";
  constexpr double exact_integers = 1e15;
  if (number == std::trunc(number) && std::fabs(number) < exact_integers) {
    return fmt::format("{:.0f}", number);
  }
  return fmt::format("{}", number);
}

std::optional<double> parse_number(std::string_view text) {
  double result = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, result);
  if (problem == std::errc::result_out_of_range) {
    // Too small is zero, too large is not a number; from_chars does not say which.
    const size_t exponent = text.find_first_of("eE");
    const bool small = exponent != std::string_view::npos && exponent + 1 < text.size() &&
                       text[exponent + 1] == '-';
    return small && stopped == end ? std::optional<double>(0.0) : std::nullopt;
  }
  if (problem != std::errc() || stopped != end) return std::nullopt;
  return result;
}

std::string printable(std::string_view word, char instead) {
  std::string result;
  result.reserve(word.size());
  for (size_t at = 0; at < word.size();) {
    const size_t length = utf8_length(word, at);
    if (length == 0 || steers(code_point(word.substr(at, length)))) {
      result += instead;
    } else {
      result += word.substr(at, length);
    }
    at += std::max<size_t>(length, 1);
  }
  return result;
}

std::string without_controls(std::string_view text) {
  std::string result;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find_first_of("\n\t", at), text.size());
    result += printable(text.substr(at, end - at));
    if (end < text.size()) result += text[end];
    at = end + 1;
  }
  return result;
}

}  // namespace nnc
