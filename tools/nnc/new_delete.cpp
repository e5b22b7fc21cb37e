// operator new and delete on top of mimalloc. Its own ones end the process when memory runs out;
// these throw, and count large blocks against the memory limit (runtime/memory_limit.h).
#include <cstddef>
#include <cstdint>

#include "runtime/memory_limit.h"

// Sanitizers bring their own.
#ifdef NNC_COUNTED_NEW
#include <mimalloc.h>

namespace {

using nnc::runtime::OutOfMemory;

// Blocks of more room than this count. Whether one does is decided by its room alone, when it is
// taken and when it is freed: a request may be given much more than it asks for.
constexpr size_t uncounted_room = size_t{128} << 10;

// Smaller requests get no such block, and need no look at it.
constexpr size_t small = uncounted_room / 2;

[[noreturn]] void refuse(size_t bytes) { throw OutOfMemory(bytes, OutOfMemory::Reason::system); }

void* counted_new(size_t bytes, size_t alignment) {
  nnc::runtime::take_memory(bytes);
  void* block = alignment <= alignof(std::max_align_t) ? mi_malloc(bytes)
                                                       : mi_malloc_aligned(bytes, alignment);
  if (block == nullptr) {
    nnc::runtime::give_memory_back(bytes);
    refuse(bytes);
  }
  const size_t room = mi_usable_size(block);
  const size_t counted = room > uncounted_room ? room : 0;
  nnc::runtime::give_memory_back(bytes - counted);  // modulo 2^64: the rounding up is added
  return block;
}

void counted_delete(void* block) noexcept {
  const size_t room = mi_usable_size(block);
  mi_free(block);
  if (room > uncounted_room) nnc::runtime::give_memory_back(room);
}

void* plain_new(size_t bytes) {
  if (bytes > small) [[unlikely]]
    return counted_new(bytes, alignof(std::max_align_t));
  void* block = mi_malloc(bytes);
  if (block == nullptr) [[unlikely]]
    refuse(bytes);
  return block;
}

void* aligned_new(size_t bytes, size_t alignment) {
  // A small one may lie in a block that is large enough to count, and then counts when it is freed.
  if (bytes > small || alignment > alignof(std::max_align_t)) [[unlikely]]
    return counted_new(bytes, alignment);
  void* block = mi_malloc_aligned(bytes, alignment);
  if (block == nullptr) [[unlikely]]
    refuse(bytes);
  return block;
}

template <class Allocate>
void* or_null(const Allocate& allocate) noexcept {
  try {
    return allocate();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void sized_delete(void* block, size_t bytes) noexcept {
  bytes > small ? counted_delete(block) : mi_free(block);
}

}  // namespace

void* operator new(size_t n) { return plain_new(n); }
void* operator new[](size_t n) { return plain_new(n); }
void* operator new(size_t n, std::align_val_t a) { return aligned_new(n, static_cast<size_t>(a)); }
void* operator new[](size_t n, std::align_val_t a) {
  return aligned_new(n, static_cast<size_t>(a));
}
void* operator new(size_t n, const std::nothrow_t&) noexcept {
  return or_null([&] { return plain_new(n); });
}
void* operator new[](size_t n, const std::nothrow_t&) noexcept {
  return or_null([&] { return plain_new(n); });
}
void* operator new(size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return or_null([&] { return aligned_new(n, static_cast<size_t>(a)); });
}
void* operator new[](size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return or_null([&] { return aligned_new(n, static_cast<size_t>(a)); });
}

void operator delete(void* p) noexcept { counted_delete(p); }
void operator delete[](void* p) noexcept { counted_delete(p); }
void operator delete(void* p, size_t n) noexcept { sized_delete(p, n); }
void operator delete[](void* p, size_t n) noexcept { sized_delete(p, n); }
void operator delete(void* p, std::align_val_t) noexcept { counted_delete(p); }
void operator delete[](void* p, std::align_val_t) noexcept { counted_delete(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { counted_delete(p); }
void operator delete[](void* p, size_t, std::align_val_t) noexcept { counted_delete(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { counted_delete(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { counted_delete(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  counted_delete(p);
}
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  counted_delete(p);
}

#endif
