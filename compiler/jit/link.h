// Objects in memory into executable code, through ORC's JITLink layer. There are no process
// symbols: compiled programs call nothing but themselves and the barrier they are given.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/jit/jit.h"

namespace nnc::jit {

class Executable::Code {
 public:
  // Links all objects and finds `exported`. The objects are no longer needed afterwards.
  Code(const std::vector<std::string_view>& objects, const std::vector<std::string>& exported);
  ~Code();

  std::map<std::string, void*> addresses;
  std::map<std::string, uint64_t> stack_bytes;

 private:
  struct Session;
  std::unique_ptr<Session> session_;
};

}  // namespace nnc::jit
