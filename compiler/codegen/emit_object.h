// Weights as an object file, for models too large for a header: a linker takes gigabytes in its
// stride where a compiler takes minutes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nnc::codegen {

// The machine an object file is linked for.
enum class ObjectMachine : uint16_t { x86_64 = 62, aarch64 = 183 };  // ELF's own numbers

// The names of the bytes: objects of several models are linked into one program, where `own` may be
// there once and `shared` any number of times (it is weak: the first one is taken).
struct ObjectSymbols {
  std::string own, shared;
};

// An ELF64 relocatable object of the given bytes, read-only, followed by `slack` zeros, at a
// multiple of 64.
std::string elf_object(const ObjectSymbols& symbols, const std::vector<uint8_t>& bytes,
                       size_t slack, ObjectMachine machine);

}  // namespace nnc::codegen
