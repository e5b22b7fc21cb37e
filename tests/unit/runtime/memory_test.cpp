#include "runtime/memory.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace nnc::runtime;

TEST_CASE("buffers are aligned, have slack, and may be large") {
  constexpr size_t huge = size_t{2} << 20;
  for (const size_t bytes : std::vector<size_t>{0, 1, 63, 64, 65, 4097, huge - 128, huge - 64, huge,
                                                huge + 1, 3 * huge - 65, 5 * huge + 4096}) {
    CAPTURE(bytes);
    Buffer buffer(bytes);
    const auto address = reinterpret_cast<uintptr_t>(buffer.data());
    CHECK(address % (bytes >= huge ? huge : 64) == 0);
    CHECK(buffer.size() == bytes);
    for (size_t i = bytes; i < bytes + 64; ++i) REQUIRE(buffer.as<char>()[i] == 0);
    // All of it can be written and read; a copy has a life of its own.
    for (size_t i = 0; i < bytes; i += 509) buffer.as<uint8_t>()[i] = static_cast<uint8_t>(i * 7);
    const Buffer copy = buffer.copy();
    if (bytes > 0) buffer.as<uint8_t>()[0] = 99;
    for (size_t i = 0; i < bytes; i += 509)
      REQUIRE(copy.as<uint8_t>()[i] == static_cast<uint8_t>(i * 7));
  }
}

TEST_CASE("moved buffers take their memory along") {
  Buffer buffer = Buffer::zeros(5 << 20);
  void* const data = buffer.data();
  Buffer other = std::move(buffer);
  CHECK(other.data() == data);
  CHECK(buffer.empty());
  CHECK(other.as<char>()[(5 << 20) - 1] == 0);
}
