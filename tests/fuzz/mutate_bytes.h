// Files that are nearly data files.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/rounds.h"

namespace nnc::fuzz {

// The bytes after a few changes: bits, bytes, numbers of 2 to 8 bytes at their extremes, digits,
// pieces left out, doubled, moved or taken from another one; the end cut off.
std::string mutated_bytes(std::string bytes, const std::vector<std::string>& others,
                          Random& random);

// The same with the check sums of its chunks made right again, so that the decoder looks further.
std::string with_png_sums(std::string png);

}  // namespace nnc::fuzz
