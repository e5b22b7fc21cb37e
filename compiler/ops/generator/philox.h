// Counter-based random numbers as kernel arithmetic and as plain C++, with the same bits.
// Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
// Key: seed xor stream; counter: element (64 bits), step, time. The runtime's own numbers (initial
// weights) follow the same definition.
#pragma once

#include <array>
#include <cstdint>

#include "compiler/kernel/builder.h"

namespace nnc::ops::philox {

using Words = std::array<uint32_t, 4>;

Words block(uint64_t seed, uint64_t stream, uint64_t element, uint32_t step, uint32_t time);
// In [0, 1): 24 bits of one word; 53 bits of two words.
double uniform24(uint32_t word);
double uniform53(uint32_t high, uint32_t low);

// The four words (i32) for a vector of elements. `seed`, `element` and `step` are i64 of the same
// lanes; time is 0.
std::array<kernel::Value, 4> block(kernel::Builder& k, kernel::Value seed, uint64_t stream,
                                   kernel::Value element, kernel::Value step);
kernel::Value uniform24(kernel::Builder& k, kernel::Value word);                     // f32
kernel::Value uniform53(kernel::Builder& k, kernel::Value high, kernel::Value low);  // f64

}  // namespace nnc::ops::philox
