#include "runtime/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace nnc::runtime {

namespace {

constexpr size_t line = 64;
constexpr size_t huge_page = size_t{2} << 20;

}  // namespace

void* allocate(size_t bytes) {
  void* data = nullptr;
  const bool huge = bytes >= huge_page;
  if (posix_memalign(&data, huge ? huge_page : line, bytes) != 0) throw std::bad_alloc();
  // Only advice: where the kernel has no such pages, or has none left, plain ones come.
  if (huge) madvise(data, bytes / huge_page * huge_page, MADV_HUGEPAGE);
  return data;
}

}  // namespace nnc::runtime
