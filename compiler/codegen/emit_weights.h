// Weights of emitted code: as a struct of named arrays inside the header, or as a binary file.
#pragma once

#include <string>

#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

// Bytes past the last weight that a vector load may touch.
constexpr size_t weights_slack = 64;

// `struct Weights { float fc1_kernel[100352]; … };` and `inline constexpr Weights weights = …;`
// with every value exact, in the layout of the state slab. Hex floats: they compile as fast as
// integers of the same bits within a factor of 1.5 (1 million in 2 s) and can be read.
std::string weights_struct(const EmitRequest& request);

// The declaration of the symbol that the object file defines.
std::string weights_symbol(const EmitRequest& request, const EmitNames& names);

// The binary file: 16 bytes "nnc weights\n" and a byte order mark, size, checksum and the hash of
// the layout (u64), slab.
std::string weights_file(const EmitRequest& request);
// `load_weights(path, memory)` and the constants it needs.
std::string weights_loader(const EmitRequest& request, const std::string& file_name);

}  // namespace nnc::codegen
