// The state slab of a program: parameters, optimizer state, statistics, prepared constants.
#pragma once

#include "runtime/abi.h"
#include "runtime/data/statistics.h"
#include "runtime/memory.h"

namespace nnc::runtime {

// A slab of program.state_bytes with every state at its initial value: random ones from
// (seed, StateDesc::stream), `fitted` ones from `fitted` (one number for each element of the
// state). Throws std::invalid_argument if a fitted statistic is not there or has another size.
Buffer initial_state(const abi::Program& program, uint64_t seed,
                     const std::vector<FittedStep>& fitted = {});

// What `prepare` has learned, out of the states that hold it: only the statistics that a step
// needs.
std::vector<FittedStep> fitted_steps(const abi::Program& program, const Buffer& state);

// The first parameter with a number that is not finite; null if there is none.
const abi::StateDesc* non_finite_parameter(const abi::Program& program, const Buffer& state);

// A state out of the slab in the order of its shape, and back into its place there. The pointers
// are to desc.elements() of desc.dtype.
void read_state(const abi::StateDesc& desc, const Buffer& slab, void* to);
void write_state(const abi::StateDesc& desc, const void* from, Buffer& slab);

// Writes one state at its initial value; `data` holds desc.elements() of desc.dtype.
void initialize(const abi::StateDesc& desc, uint64_t seed, const std::vector<FittedStep>& fitted,
                void* data);

}  // namespace nnc::runtime
