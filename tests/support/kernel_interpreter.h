// Runs kernel IR lane by lane, in the plainest C++: the meaning that both printers must reproduce
// bit by bit. Slow on purpose.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"

namespace nnc::testing {

// The bits of one lane, in the low bytes: f32 as its 32 bits, i32 zero-extended, i1 as 0 or 1.
using Lane = uint64_t;

Lane lane_of(float value);
Lane lane_of(double value);
Lane lane_of(const void* pointer);
inline Lane lane_of(int64_t value) { return static_cast<Lane>(value); }

// One lane of any instruction from add to shift, compare, select, convert.
// `type` is the type of the result, `from` that of the first operand. `fma`: muladd rounds once.
Lane evaluate(kernel::Op op, kernel::Scalar type, kernel::Scalar from, const Lane* operands,
              bool fma);

// Calls `name` with one lane per parameter (vector parameters are not supported for entries).
void interpret(const kernel::Module& module, const std::string& name,
               const std::vector<Lane>& arguments, bool fma);

}  // namespace nnc::testing
