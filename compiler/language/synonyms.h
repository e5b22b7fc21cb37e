// What other tools call things, for "did you mean".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nnc {

// The candidate that `word` was most likely meant to be: what Keras, PyTorch, scikit-learn or the
// literature call so (in any case, with or without underscores), else the nearest in spelling.
std::optional<std::string> meant(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace nnc
