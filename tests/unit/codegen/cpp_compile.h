// Compiles emitted C++ with the compilers of this machine, for tests: what users do with it.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/codegen/cpp_printer.h"

namespace nnc::testing {

// A folder that is removed when the test ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nnc-cpp-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path path_;
};

// What a program printed, standard error included, and its exit status.
struct Outcome {
  int status = 0;
  std::string output;
};

inline Outcome run_command(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (size_t n = fread(buffer, 1, sizeof buffer, pipe)) outcome.output.append(buffer, n);
  outcome.status = pclose(pipe);
  return outcome;
}

inline bool has_compiler(const std::string& name) {
  return run_command("command -v " + name).status == 0;
}

// clang++ by its plain name, or the version that comes with LLVM 19; empty if there is none.
inline std::string clang_name() {
  for (const char* name : {"clang++", "clang++-19"}) {
    if (has_compiler(name)) return name;
  }
  return "";
}

// The flags that make a compiler choose a level.
inline std::string flags_for(codegen::CppLevel level) {
  switch (level) {
    case codegen::CppLevel::avx512:
      return "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma";
    case codegen::CppLevel::avx2: return "-mavx2 -mfma";
    default: return "";
  }
}

constexpr const char* strict_warnings =
    "-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror";

// A shared library that was compiled for one test.
class Library {
 public:
  explicit Library(const std::string& path)
      : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle_) dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  void* find(const std::string& name) const {
    return handle_ ? dlsym(handle_, name.c_str()) : nullptr;
  }

 private:
  void* handle_;
};

}  // namespace nnc::testing
