// What a csv file looks like that does not fit: written with another separator or a decimal comma.
#pragma once

#include "runtime/data/csv_head.h"

namespace nnc::runtime {

// What would have to be said for the columns of the source, or so many columns where it names
// none, to be found: "`separator: \";\", decimal: \",\"` in csv: {…}". Empty if nothing helps.
std::string fitting_keys(const CsvSource& source, size_t width = 0);

// csv_first_lines, whose errors say what would have to be said.
std::vector<CsvLine> looked_at_lines(const CsvSource& source, size_t most, size_t width = 0);

}  // namespace nnc::runtime
