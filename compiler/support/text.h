// Small helpers for texts: names for messages, UTF-8, numbers as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nnc {

// The candidate that `word` was most likely meant to be: the one with the smallest edit distance
// (insertions, deletions, changes, swaps of neighbours), if that is small for the word's length.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// "a, b and c"; `last` replaces "and". Of very many words only the first are listed.
std::string join(const std::vector<std::string>& words, std::string_view last = "and");

// 'word' for messages: it is printable, and long texts are cut.
std::string in_quotes(std::string_view word);

// [A-Za-z_][A-Za-z0-9_]*
bool is_identifier(std::string_view text);

// Code points before byte `bytes` of a UTF-8 text; broken bytes count as one each.
int characters(std::string_view text, size_t bytes);
inline int characters(std::string_view text) { return characters(text, text.size()); }
// The byte at which code point `character` (from 0) starts; the end if there are fewer.
size_t byte_of(std::string_view text, int character);
// The first byte that is not well-formed UTF-8 (overlong forms and surrogates included).
std::optional<size_t> first_bad_utf8(std::string_view text);

// Line `line` (from 1) without its end; empty if there is none.
std::string_view line_of(std::string_view text, int line);

// The shortest decimal that reads back as the same number: 0.1, 3e-04, 10.
std::string number_text(double number);

// The whole text as a decimal number, never dependent on the locale. None if anything is left
// over or the number is not representable.
std::optional<double> parse_number(std::string_view text);

// A word from anywhere (data, file names, values of a file) as it may be printed: what would steer
// a terminal becomes `instead`: control characters, those of Unicode too, marks that turn the
// direction of a text, and broken UTF-8.
std::string printable(std::string_view word, char instead = '?');
// The same for a whole message: its own tabs and ends of lines stay.
std::string without_controls(std::string_view text);

}  // namespace nnc
