// Texts that are nearly model files.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/rounds.h"

namespace nnc::fuzz {

// A text made from the corpus by a few changes: lines moved, words exchanged, brackets, quotes,
// numbers and bytes put where nobody expects them; sometimes a text of words alone.
std::string mutated(const std::vector<std::string>& corpus, Random& random);

}  // namespace nnc::fuzz
