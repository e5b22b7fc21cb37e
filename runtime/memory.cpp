#include "runtime/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

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
  const bool huge = bytes >= many_pages;
  if (huge) bytes = (bytes + huge_page - 1) / huge_page * huge_page;
  if (posix_memalign(&data, huge ? huge_page : line, bytes) != 0) throw std::bad_alloc();
  // Only advice: where the kernel has no such pages, or has none left, plain ones come.
  if (huge) madvise(data, bytes, MADV_HUGEPAGE);
  return data;
}

}  // namespace nnc::runtime
