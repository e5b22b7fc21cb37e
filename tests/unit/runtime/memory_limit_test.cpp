#include "runtime/memory_limit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "runtime/data/load.h"
#include "runtime/data/stream.h"
#include "runtime/memory.h"
#include "runtime/shape.h"
#include "tests/unit/runtime/support.h"

using namespace nnc;
using namespace nnc::runtime;

namespace {

// Within a test: what is taken already, and so many bytes more.
class Limit {
 public:
  explicit Limit(uint64_t more) : before_(memory_limit()) {
    set_memory_limit(memory_taken() + more);
  }
  ~Limit() { set_memory_limit(before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  uint64_t before_;
};

template <class Error, class Work>
std::optional<Error> thrown_by(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("products of extents stop at the largest number") {
  CHECK(elements_of({}) == 1);
  CHECK(elements_of({3, 4, 5}) == 60);
  CHECK(elements_of({1024, 1024, 1024, 1024}) == most_elements);
  CHECK(elements_of({1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024}) == INT64_MAX);
  CHECK(elements_of({int64_t{1} << 32, int64_t{1} << 32}) == INT64_MAX);
  CHECK(elements_of({INT64_MAX, 0}) == 0);
}

TEST_CASE("buffers over the limit are refused, and give back what they took") {
  const uint64_t before = memory_taken();
  const Limit limit(3'000'000);
  {
    const Buffer two(2'000'000);
    CHECK(memory_taken() > before + 2'000'000 - 1);
    const auto error = thrown_by<OutOfMemory>([] { Buffer(1'500'000); });
    REQUIRE(error);
    CHECK(error->expected().find("(--max-memory)") != std::string::npos);
    CHECK(error->got().find("1.5 MB more, with ") == 0);
    CHECK_THROWS_AS(two.copy(), OutOfMemory);
    Buffer moved = Buffer(100);
    moved = Buffer(900'000);
  }
  CHECK(memory_taken() == before);
  const Buffer fits(2'900'000);
}

TEST_CASE("without a limit only the system refuses") {
  const Limit none(0);
  set_memory_limit(0);
  CHECK(memory_left() == UINT64_MAX);
  const auto error = thrown_by<OutOfMemory>([] { Buffer(size_t{1} << 60); });
  REQUIRE(error);
  CHECK(error->expected().find("ulimit") != std::string::npos);
  CHECK(machine_memory() > 0);
}

TEST_CASE("rows that do not fit are an error of their file") {
  const test::TemporaryFolder folder;
  std::string bytes("\0\0\x08\x02\0\0\x03\xe8\0\0\x03\xe8", 12);
  bytes.append(1'000'000, '\1');
  DataSpec spec;
  spec.train = Source{IdxSource{{{"x", folder.write("x", bytes)}}}, {}};
  CHECK(load(spec).train.size() == 1000);
  const Limit limit(500'000);
  const auto error = thrown_by<DataError>([&] { load(spec); });
  REQUIRE(error);
  CHECK(error->file == folder / "x");
  CHECK(error->problem == "the rows do not fit into memory");
  CHECK(error->got.find("1.0 MB more, with ") == 0);
}

TEST_CASE("pipes and devices are no data: nobody waits for them") {
  const test::TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const auto pipe = thrown_by<DataError>([&] { open_stream(folder / "pipe"); });
  REQUIRE(pipe);
  CHECK(pipe->got.find("a pipe") == 0);
  const auto zero = thrown_by<DataError>([] { read_all("/dev/zero"); });
  REQUIRE(zero);
  CHECK(zero->got == "a device");
  CHECK(thrown_by<DataError>([&] { open_stream(folder.path()); })->got == "a folder");
}
