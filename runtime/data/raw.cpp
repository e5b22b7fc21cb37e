#include "runtime/data/raw.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/data/error.h"
#include "runtime/memory_limit.h"
#include "runtime/shape.h"

namespace nnc::runtime {

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " × "));
}

uint64_t checked_bytes(const std::string& file, const std::vector<int64_t>& shape,
                       size_t element_bytes, uint64_t max_bytes) {
  constexpr uint64_t most_rows = 0x7FFFFFFF;  // batches index rows with 32 bits
  const uint64_t most = max_bytes > 0 ? max_bytes : most_elements * element_bytes;
  uint64_t bytes = element_bytes;
  for (int64_t extent : shape) {
    if (extent < 0) throw DataError(file, "its header", "a negative size", "", shape_text(shape));
    if (extent > 0 && bytes > most / static_cast<uint64_t>(extent)) {
      throw DataError(file, "its header", "the array does not fit into memory",
                      max_bytes > 0 ? at_most_memory(most) : fmt::format("at most {} bytes", most),
                      fmt::format("{} numbers of {} bytes", shape_text(shape), element_bytes));
    }
    bytes *= static_cast<uint64_t>(extent);
  }
  if (!shape.empty() && static_cast<uint64_t>(shape[0]) > most_rows) {
    throw DataError(file, "its header", "too many rows", fmt::format("at most {}", most_rows),
                    fmt::format("{}", shape[0]));
  }
  return bytes;
}

void read_exactly(const std::string& file, ByteStream& stream, void* to, uint64_t bytes,
                  const std::vector<int64_t>& shape) {
  const size_t got = stream.read(to, static_cast<size_t>(bytes));
  const std::string expected =
      fmt::format("{} bytes of data ({}, as its header says)", bytes, shape_text(shape));
  if (got < bytes) {
    throw DataError(file, fmt::format("byte {} of the data", got), "the file is truncated",
                    expected, fmt::format("{} bytes", got));
  }
  char extra = 0;
  if (stream.read(&extra, 1) != 0) {
    throw DataError(file, fmt::format("byte {} of the data", bytes),
                    "the file is longer than its header says", expected, "more");
  }
  if (stream.truncated()) {
    throw DataError(file, fmt::format("byte {} of the data", bytes),
                    "the compressed file is truncated", "the check sum that ends a gzip file");
  }
}

}  // namespace nnc::runtime
