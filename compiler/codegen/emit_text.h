// The parts of an emitted header, and the names they share.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/emit.h"

namespace nnc::codegen {

// Scratch up to this size is on the stack of the caller.
constexpr size_t max_stack_scratch = size_t{64} << 10;

// What the parts of the text agree on.
struct EmitNames {
  std::string space;   // namespace, "fashion_mlp"
  std::string macro;   // "FASHION_MLP"
  std::string header;  // "fashion_mlp.hpp"
  // Files beside it have its name, so that those of two runs can lie in one folder.
  std::string weights;              // "fashion_mlp.weights"
  std::string object;               // "fashion_mlp_weights.o"
  std::string self_test;            // "fashion_mlp_selftest.cpp"
  std::string symbol;               // "fashion_mlp_weights"
  std::vector<std::string> inputs;  // parameter names
  std::vector<std::string> outputs;
};

EmitNames names_of(const EmitRequest& request);

// "float", "double", or for indices "std::int32_t", …
const char* cpp_type_of(const EmitValue& value);
// The largest arenas of all levels, with room to align them.
size_t row_scratch(const EmitRequest& request);
size_t block_scratch(const EmitRequest& request);

std::string emit_comment(const EmitRequest& request, const EmitNames& names);
std::string emit_level_choice(const EmitRequest& request, const EmitNames& names);
// namespace kernels with run_row and run_block, for every level.
std::string emit_kernels(const EmitRequest& request, const EmitNames& names);
std::string emit_sizes(const EmitRequest& request, const EmitNames& names);
// What kernels are called with besides data: row order, scalars.
std::string emit_constants(const EmitRequest& request);
std::string emit_functions(const EmitRequest& request, const EmitNames& names);
std::string emit_selftest(const EmitRequest& request, const EmitNames& names);

}  // namespace nnc::codegen
