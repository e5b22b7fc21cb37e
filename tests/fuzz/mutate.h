// Texts that are nearly model files.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace nnc::fuzz {

using Random = std::mt19937_64;

// A text made from the corpus by a few changes: lines moved, words exchanged, brackets, quotes,
// numbers and bytes put where nobody expects them; sometimes a text of words alone.
std::string mutated(const std::vector<std::string>& corpus, Random& random);

}  // namespace nnc::fuzz
