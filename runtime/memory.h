// Aligned memory for rows, states and scratch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace nnc::runtime {

// Uninitialised memory aligned to 64 bytes; from 256 KiB on in huge pages where the kernel has
// them: rows are read in random order, and matrices down their columns, which otherwise costs a
// walk of the page tables for each. It counts against the memory limit. Throws OutOfMemory.
void* allocate(size_t bytes);
// `bytes` as asked for.
void release(void* data, size_t bytes) noexcept;

// Uninitialised bytes, aligned to 64, with 64 bytes of slack after the end so that vector loads
// may overrun. Moves only.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) : bytes_(bytes) {
    data_ = allocate(total_bytes());
    std::memset(static_cast<char*>(data_) + bytes, 0, total_bytes() - bytes);
  }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(data_, total_bytes()); }

  static Buffer zeros(size_t bytes) {
    Buffer result(bytes);
    std::memset(result.data_, 0, bytes);
    return result;
  }
  Buffer copy() const {
    Buffer result(bytes_);
    if (bytes_ > 0) std::memcpy(result.data_, data_, bytes_);
    return result;
  }

  void* data() { return data_; }
  const void* data() const { return data_; }
  size_t size() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  template <class T>
  T* as() {
    return static_cast<T*>(data_);
  }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data_);
  }

 private:
  size_t total_bytes() const { return (bytes_ + 64 + 63) / 64 * 64; }

  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace nnc::runtime
