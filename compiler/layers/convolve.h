// Convolutions as contractions over windows. Kernels are [K…, channels / groups, filters] and are
// not flipped.
#pragma once

#include "compiler/layers/pictures.h"

namespace nnc::layers {

// [b, E…, C] -> [b, P…, F]: y[p, f] = Σ x[p·stride + i·dilation - before, c] · kernel[i, c, f],
// filter f reading the channels of its group.
ir::Value* convolve(ir::Builder& b, ir::Value* x, ir::Value* kernel, const Sliding& sliding,
                    int64_t groups);

// Its adjoint: [b, P…, C] -> [b, extents…, F], y[p·stride + i·dilation, f] += x[p, c] · kernel[i,
// c, f].
ir::Value* convolve_transposed(ir::Builder& b, ir::Value* x, ir::Value* kernel,
                               const Sliding& sliding, const std::vector<int64_t>& extents,
                               int64_t groups);

// Each channel for itself: kernel [K…, channels, multiplier], [b, E…, C] -> [b, P…, C·multiplier].
ir::Value* convolve_channels(ir::Builder& b, ir::Value* x, ir::Value* kernel,
                             const Sliding& sliding);

}  // namespace nnc::layers
