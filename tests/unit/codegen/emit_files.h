// The files of an emitted model, written and compiled as users do it.
#pragma once

#include <fmt/format.h>

#include "compiler/codegen/emit.h"
#include "tests/unit/codegen/cpp_compile.h"
#include "tests/unit/codegen/emit_model.h"

namespace nnc::testing {

inline void write_files(const TemporaryFolder& folder, const EmitModel& model) {
  for (const auto& file : codegen::emit(model.request)) folder.write(file.name, file.bytes);
}

// Compiles the self-test with every warning and runs it in its folder.
inline Outcome selftest(const TemporaryFolder& folder, const std::string& space,
                        const std::string& compiler, const std::string& flags) {
  const std::string program = folder.file("selftest");
  Outcome built = run_command(fmt::format("{} -std=c++17 {} {} {} -o {}", compiler, strict_warnings,
                                          flags, folder.file(space + "_selftest.cpp"), program));
  if (built.status != 0) return built;
  return run_command(fmt::format("cd {} && ./selftest", folder.file("")));
}

// Several files in a folder, with every warning; the program is `main`.
inline Outcome build(const TemporaryFolder& folder, const std::string& compiler,
                     const std::string& rest) {
  return run_command(fmt::format("cd {} && {} -std=c++17 -O1 {} {} -o main", folder.file(""),
                                 compiler, strict_warnings, rest));
}

}  // namespace nnc::testing
