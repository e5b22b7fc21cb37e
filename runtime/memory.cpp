#include "runtime/memory.h"

#include <sys/mman.h>

#include <cstdlib>

#include "runtime/memory_limit.h"

namespace nnc::runtime {

namespace {

constexpr size_t line = 64;
constexpr size_t huge_page = size_t{2} << 20;
// From here on a huge page pays, even if most of it is empty: a kernel that walks down columns is
// in another plain page with every row, and there are no more than 64 that a core has at hand.
constexpr size_t many_pages = size_t{256} << 10;

}  // namespace

void* allocate(size_t bytes) {
  void* data = nullptr;
  take_memory(bytes);
  const bool huge = bytes >= many_pages;
  const size_t whole = huge ? (bytes + huge_page - 1) / huge_page * huge_page : bytes;
  if (posix_memalign(&data, huge ? huge_page : line, whole) != 0) {
    give_memory_back(bytes);
    throw OutOfMemory(bytes, OutOfMemory::Reason::system);
  }
  // Only advice: where the kernel has no such pages, or has none left, plain ones come.
  if (huge) madvise(data, whole, MADV_HUGEPAGE);
  return data;
}

void release(void* data, size_t bytes) noexcept {
  if (data == nullptr) return;
  std::free(data);
  give_memory_back(bytes);
}

}  // namespace nnc::runtime
