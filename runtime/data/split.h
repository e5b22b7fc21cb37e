// Splits taken from the training rows.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

// Takes fraction.fraction of `rows` (rounded) out of them, chosen by fraction.seed; both lists keep
// the order of the rows. Under `stratify` each class gives its share as nearly as the number of
// rows allows, and keeps one row at least. `name` ("valid") is for messages. Throws DataError when
// either would be empty, or too small for the classes, or the field cannot stratify.
std::vector<int32_t> take_fraction(const Table& table, std::vector<int32_t>& rows,
                                   const Fraction& fraction, const std::string& name);

}  // namespace nnc::runtime
