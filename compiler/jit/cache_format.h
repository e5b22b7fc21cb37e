// The bytes of one cache file: a header with the key and a checksum, then frames and objects.
#pragma once

#include <string>
#include <string_view>

#include "compiler/jit/cache.h"

namespace nnc::jit {

std::string pack(const Key& key, const Program& program);

// False unless `bytes` is an undamaged file for this key. The objects point into `bytes`.
bool unpack(std::string_view bytes, const Key& key, Program& program);

}  // namespace nnc::jit
