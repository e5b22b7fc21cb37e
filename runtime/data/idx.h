// The idx format of MNIST: two zero bytes, a type, the number of axes, the sizes and the numbers,
// all big-endian; compressed by gzip or not. http://yann.lecun.com/exdb/mnist/
#pragma once

#include "runtime/data/raw.h"

namespace nnc::runtime {

// Throws DataError: wrong magic number, truncated, sizes that cannot be.
RawHeader probe_idx(const std::string& path);

RawArray read_idx(const std::string& path, uint64_t max_bytes);

}  // namespace nnc::runtime
