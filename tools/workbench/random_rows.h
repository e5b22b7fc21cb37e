// Rows for measurements: as many and as large as wanted, of no meaning.
#pragma once

#include <vector>

#include "runtime/data/spec.h"
#include "runtime/memory.h"

namespace nnc::workbench {

// Every field filled with seeded random values of its stored type: bytes 0 … 255, indices below
// the number of classes, numbers in [0, 1).
runtime::Table random_rows(const std::vector<runtime::FieldInfo>& fields, int64_t rows);

// 0 … rows-1 in a shuffled order.
std::vector<int32_t> scattered_rows(int64_t rows);

// Initial weights; what `prepare` learns is learned from these rows.
runtime::Buffer state_for(const abi::Program& program, const runtime::DataSpec& data,
                          const runtime::Table& rows);

}  // namespace nnc::workbench
