// Kernel IR as standalone C++17 text: the second printer, next to LLVM's. Bodies look alike at all
// vector levels; what differs is a set of small inline helpers, printed only where used.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::codegen {

// What the C++ compiler at the other end offers. The preprocessor picks one level of a header.
enum class CppLevel {
  plain,    // any C++17 compiler: arrays and loops
  generic,  // GCC 9 or clang on any processor: 16-byte vector extensions
  avx2,     // x86-64 with AVX2 and FMA, GCC or clang
  avx512,   // x86-64 with AVX-512 F, BW, DQ and VL, GCC or clang
};

const char* name_of(CppLevel level);  // "avx512"; a C++ identifier
// The target to lower kernels for before they are printed at this level.
kernel::Target target_for(CppLevel level);
// The preprocessor condition under which a compiler can take this level.
std::string condition_of(CppLevel level);

struct CppText {
  std::string helpers;    // vector types and their operations; before the functions
  std::string functions;  // one inline C++ function for each kernel function, callees first
  // By part: the C++ name of each kernel function.
  std::vector<std::map<std::string, std::string>> names;
};

// Prints a verified module. Signatures: pointers are `unsigned char*` (`ptr`), i64 is
// std::int64_t, f32 float, and so on; parameters keep their names. A barrier prints nothing: the
// text is for one thread. `muladd` is fused where the level has FMA. The text must stand between
// cpp_prologue() and cpp_epilogue(), inside a namespace. Throws InternalError on a broken module.
CppText print_cpp(const kernel::Module& module, CppLevel level);
// What to print of a module: `root` and what it calls, or everything if `root` is empty.
struct CppPart {
  const kernel::Module* module = nullptr;
  std::string root;
};
// Several parts into one namespace: functions that are the same text are printed once, others of
// equal name are given new names.
CppText print_cpp(const std::vector<CppPart>& parts, CppLevel level);

// Switches contraction of floating-point expressions off, and back on to what it was. At namespace
// or file scope; standard library and intrinsics headers are included before.
std::string cpp_contraction_off();
std::string cpp_contraction_back();
// Between the two, kernels are compiled well by clang, and, if the macro `dispatch` is not zero
// (GCC or clang 14 on x86-64), for the processors of a level whatever the compiler's flags are.
// `dispatch` may be empty: there is no such macro.
std::string cpp_target_begin(CppLevel level, const std::string& dispatch);
std::string cpp_target_end(const std::string& dispatch);
// Both, for kernels of the level that the compiler's flags allow.
std::string cpp_prologue();
std::string cpp_epilogue();
// The headers that the text of a level needs ("#include <cstdint>\n…").
std::string cpp_includes(CppLevel level);

// A C++ identifier made of a name a user chose: `peak-fit` -> `peak_fit`, `2d` -> `n2d`,
// `class` -> `class_`.
std::string cpp_identifier(const std::string& name);
// The same for a namespace at file scope, where the C library's functions are in the way:
// `exp` -> `exp_`.
std::string cpp_namespace(const std::string& name);

}  // namespace nnc::codegen
