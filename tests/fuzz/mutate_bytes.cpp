#include "tests/fuzz/mutate_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace nnc::fuzz {

namespace {

constexpr std::array<uint64_t, 14> extremes = {
    0,          1,           0x7F,        0x80,         0xFF,       0x7FFF,     0xFFFF,
    0x7FFFFFFF, 0x80000000u, 0xFFFFFFFFu, 0x100000000u, 1ull << 40, 1ull << 63, ~0ull};

constexpr std::array<const char*, 20> words = {"-1",
                                               "1e999",
                                               "nan",
                                               "inf",
                                               "99999999999999999999",
                                               "\"",
                                               "\"\"",
                                               ",,,",
                                               "\r\n",
                                               "\n\n",
                                               ";",
                                               "0x10",
                                               "{",
                                               "}",
                                               "(2147483648, 2147483648)",
                                               "'<f8'",
                                               "'<U4'",
                                               "True",
                                               "\xEF\xBB\xBF",
                                               "1152921504606846976"};

void put_number(std::string& bytes, size_t at, Random& random) {
  const size_t width = size_t{1} << below(random, 4);
  uint64_t value = extremes[below(random, extremes.size())] + below(random, 3) - 1;
  if (at + width > bytes.size()) return;
  const bool big = below(random, 2) == 1;
  for (size_t i = 0; i < width; ++i, value >>= 8) {
    bytes[big ? at + width - 1 - i : at + i] = static_cast<char>(value & 0xFF);
  }
}

void change(std::string& bytes, const std::vector<std::string>& others, Random& random) {
  // Headers, at the beginning or at the end, decide most.
  size_t at = below(random, bytes.size() + 1);
  if (below(random, 2) == 0) at = below(random, std::min<size_t>(bytes.size(), 80) + 1);
  if (below(random, 4) == 0) at = bytes.size() - below(random, std::min<size_t>(bytes.size(), 80));
  switch (below(random, 10)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8)));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(below(random, 256));
      break;
    case 2:
    case 3: put_number(bytes, at, random); break;
    case 4: bytes.erase(at, below(random, 16)); break;
    case 5: bytes.resize(at); break;
    case 6:
      bytes.insert(at, bytes.substr(below(random, bytes.size() + 1), below(random, 200)));
      break;
    case 7: {
      const std::string& other = others[below(random, others.size())];
      bytes.insert(at, other.substr(below(random, other.size() + 1), below(random, 200)));
      break;
    }
    case 8: bytes.replace(at, below(random, 6), words[below(random, words.size())]); break;
    default:
      bytes.insert(at, std::string(below(random, 400), static_cast<char>(below(random, 256))));
  }
}

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

std::string mutated_bytes(std::string bytes, const std::vector<std::string>& others,
                          Random& random) {
  for (size_t i = 1 + below(random, 1 + below(random, 6)); i > 0; --i) {
    change(bytes, others, random);
  }
  return bytes;
}

std::string with_png_sums(std::string png) {
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t length = big_endian(png, at);
    if (length > png.size() - at - 12) break;
    const auto* chunk = reinterpret_cast<const Bytef*>(png.data() + at + 4);
    uint64_t sum = crc32(0, chunk, static_cast<uInt>(length + 4));
    for (size_t i = 4; i-- > 0; sum >>= 8) png[at + 8 + length + i] = static_cast<char>(sum & 0xFF);
    at += 12 + length;
  }
  return png;
}

}  // namespace nnc::fuzz
