// Numbers, shapes and paths as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/data/error.h"

namespace nnc::workbench {

// 101,770
std::string with_commas(int64_t number);
// 512 B, 1.4 MB
std::string bytes_text(double bytes);
// 2.3 M, 840
std::string count_text(double count);
// 12 µs, 3.4 ms, 1.23 s, 12.3 s, 2 min 5 s
std::string duration_text(double seconds);
// The same for time to come, which nobody knows to the tenth of a second.
std::string time_left_text(double seconds);
// Six digits or so: 0.4123, 12.31, 1.2e-05
std::string loss_text(double value);
// A path or word as a shell takes it: in quotes where it needs some.
std::string shell_word(const std::string& word);
// [28, 28, 1]; [] for a single number
std::string shape_text(const std::vector<int64_t>& shape);
// The same error with words that a terminal may show: they come from the data.
runtime::DataError in_printable_words(const runtime::DataError& error);

}  // namespace nnc::workbench
