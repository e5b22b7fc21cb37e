// How much memory rows, weights and scratch may take in all.
//
// Buffers count, and in the command every large block of operator new (tools/nnc/new_delete.cpp):
// texts and numbers while files are read, pictures while they are decoded. What would go over the
// limit is refused before it is taken.
#pragma once

#include <cstdint>
#include <new>
#include <string>

#include "runtime/data/error.h"

namespace nnc::runtime {

// In bytes; 0, as at the beginning: no limit.
void set_memory_limit(uint64_t bytes);
uint64_t memory_limit();
// What counts now.
uint64_t memory_taken();
// What may still be taken: all there is, without a limit.
uint64_t memory_left();

// What this machine has, or this process may take of it (cgroup, ulimit -v); 0 if nobody says.
uint64_t machine_memory();

// "1.2 GB".
std::string memory_text(uint64_t bytes);
// "at most 20.0 MB (--max-memory)".
std::string at_most_memory(uint64_t bytes);

// Counts a block that is about to be taken; throws OutOfMemory if it goes over the limit.
void take_memory(uint64_t bytes);
void give_memory_back(uint64_t bytes) noexcept;

// A block was refused. Holds no memory of its own.
class OutOfMemory : public std::bad_alloc {
 public:
  enum class Reason : uint8_t { limit, system };
  OutOfMemory(uint64_t asked, Reason reason) noexcept
      : asked_(asked), taken_(memory_taken()), reason_(reason) {}

  const char* what() const noexcept override { return "not enough memory"; }
  // What was expected and what was got: "at most 20.0 MB (--max-memory)", "72.0 MB more, with 12.3
  // MB in use".
  std::string expected() const;
  std::string got() const;

 private:
  uint64_t asked_, taken_;
  Reason reason_;
};

// Does work on a file of data: if memory runs out, a DataError says that it was `what` ("the rows",
// "the picture") of this file that does not fit.
template <class Work>
auto within_memory(const std::string& file, const std::string& what, const Work& work) {
  try {
    return work();
  } catch (const OutOfMemory& error) {
    throw DataError(file, "", what + " not fit into memory", error.expected(), error.got());
  }
}

}  // namespace nnc::runtime
