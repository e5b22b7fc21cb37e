// Splits taken from the training rows.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

// Takes fraction.fraction of `rows` out of them (rounded; of each class alone under `stratify`),
// chosen by fraction.seed; both lists keep the order of the rows. `name` ("valid") is for
// messages. Throws DataError when either would be empty or the field cannot stratify.
std::vector<int32_t> take_fraction(const Table& table, std::vector<int32_t>& rows,
                                   const Fraction& fraction, const std::string& name);

}  // namespace nnc::runtime
