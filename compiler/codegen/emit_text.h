// The parts of an emitted header, and the names they share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/codegen/emit.h"

namespace nnc::codegen {

// Scratch up to this size is on the stack of the caller.
constexpr size_t max_stack_scratch = size_t{64} << 10;

// Of one function.
struct FunctionNames {
  std::string name;  // "predict", "decode"
  // Before the names of what is known of it: "" of predict, "decode_" of others.
  std::string prefix;
  std::vector<std::string> inputs;  // parameter names
  std::vector<std::string> outputs;
  std::string batch() const { return name + "_batch"; }
  std::string block_rows() const { return prefix + "block_rows"; }
  std::string scalars() const { return prefix + "scalars"; }
  std::string run_row() const { return prefix + "run_row"; }
  std::string run_block() const { return prefix + "run_block"; }
  bool is_predict() const { return prefix.empty(); }
};

// What the parts of the text agree on.
struct EmitNames {
  std::string space;   // namespace, "fashion_mlp"
  std::string macro;   // "FASHION_MLP"
  std::string header;  // "fashion_mlp.hpp"
  // Files beside it have its name, so that those of two runs can lie in one folder.
  std::string weights;     // "fashion_mlp.weights"
  std::string object;      // "fashion_mlp_weights.o"
  std::string self_test;   // "fashion_mlp_selftest.cpp"
  std::string symbol;      // of the weights in their object: "fashion_mlp_weights_HASH"
  std::string any_symbol;  // and of any weights of the same network
  std::vector<FunctionNames> functions;
};

EmitNames names_of(const EmitRequest& request);

// "build_HASH": everything in the header's namespace is in an inline one of this name, so that two
// versions in one program are two things.
std::string build_space();
// What a header begins and ends with: compilers that can't read it, and a source file that includes
// another one of that name, are told so. `language`: the `#if` and its message.
struct EmitLanguage {
  std::string refused;  // the condition under which it is
  std::string needs;    // "C++17: compile with -std=c++17"
};
std::string begin_header(const EmitRequest& request, const EmitNames& names,
                         const EmitLanguage& language, const std::string& guard);
std::string end_header(const std::string& guard);

// "float", "double", or for indices "std::int32_t", …
const char* cpp_type_of(const EmitValue& value);
// The largest arenas of all levels, with room to align them.
size_t row_scratch(const EmitFunction& function);
size_t block_scratch(const EmitFunction& function);

std::string emit_comment(const EmitRequest& request, const EmitNames& names);
std::string emit_level_choice(const EmitRequest& request, const EmitNames& names);
// namespace kernels with run_row and run_block of each function, for every level.
std::string emit_kernels(const EmitRequest& request, const EmitNames& names);
// How many rows at a time, how much memory, what tolerance.
std::string emit_limits(const EmitRequest& request, const EmitNames& names);
// What kernels are called with besides data: row order, scalars.
std::string emit_constants(const EmitRequest& request, const EmitNames& names);
// NAME and NAME_batch of each function, and both again for inputs as bytes where an input is
// stored so.
std::string emit_functions(const EmitRequest& request, const EmitNames& names);
// Functions with C linkage, where NAME_EXPORT is defined.
std::string emit_exports(const EmitRequest& request, const EmitNames& names);
std::string emit_selftest(const EmitRequest& request, const EmitNames& names);

// Numbers of an array, as `literal` writes each, in lines of up to 100 columns.
std::string initialiser_lines(const std::vector<double>& numbers,
                              const std::function<std::string(double)>& literal);

}  // namespace nnc::codegen
