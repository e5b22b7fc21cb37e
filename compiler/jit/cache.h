// Compiled programs on disk: one file per program, in a private folder. Whatever goes wrong here
// (no space, no rights, damaged or foreign files) means only that code is compiled again.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/kernel/target.h"

namespace nnc::jit {

using Key = std::array<uint8_t, 32>;

// Of a program and all else that decides about its machine code: the target, the version of LLVM
// and the build of nnc.
Key cache_key(const std::string& identity, const kernel::Target& target);

// The machine code of one program: its objects and what is known of its functions.
struct Program {
  std::vector<std::string_view> objects;
  std::map<std::string, uint64_t> stack_bytes;
};

// A file of the cache mapped into memory; `program` points into it.
class CachedProgram {
 public:
  CachedProgram() = default;
  CachedProgram(CachedProgram&& other) noexcept;
  CachedProgram& operator=(CachedProgram&&) = delete;
  ~CachedProgram();

  explicit operator bool() const { return mapping_ != nullptr; }
  Program program;

 private:
  friend class Cache;
  void* mapping_ = nullptr;
  size_t bytes_ = 0;
};

class Cache {
 public:
  // `folder` empty: $XDG_CACHE_HOME/nnc, else ~/.cache/nnc. Creates nothing yet.
  Cache(std::string folder, int64_t limit_bytes);

  // Nothing if there is no such entry, or if it is damaged or belongs to somebody else.
  CachedProgram read(const Key& key) const;

  // Writes atomically, then removes the entries used longest ago until all fit below the limit.
  void write(const Key& key, const Program& program) const;

 private:
  bool make_folder() const;
  void evict() const;
  std::string path_of(const Key& key) const;

  std::string folder_;  // empty: no cache
  int64_t limit_bytes_;
};

}  // namespace nnc::jit
