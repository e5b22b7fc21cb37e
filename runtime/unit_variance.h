// Layer-sequential unit-variance initialisation (Mishkin, Matas, All you need is a good init, ICLR
// 2016): after an orthogonal start each kernel is divided by the standard deviation of what it
// makes of some rows, layer after layer.
#pragma once

#include "runtime/inference.h"

namespace nnc::runtime {

// `entry` has an output [rows, 2] for each kernel, under its name and in the order of the layers:
// mean and mean square of its product over a row. Scales these kernels in `state` until the
// variance over at most entry.max_rows rows, taken evenly from the split, is 1 within 1 %. A
// product that does not vary is left alone. The result depends on the rows and the state alone.
void make_unit_variance(const abi::Program& program, const abi::EntryDesc& entry,
                        const Split& split, Buffer& state, ThreadPool& pool);

}  // namespace nnc::runtime
