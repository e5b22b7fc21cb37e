#include "runtime/threads.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <numeric>

#include "support.h"

using namespace nnc;
using namespace nnc::runtime;

namespace {

// Each thread adds up its neighbour's number of the round before: wrong without barriers.
struct Ring {
  std::vector<int64_t> values;
  int rounds = 0;
};

void ring(const abi::Context* context, int64_t thread) {
  auto* ring = static_cast<Ring*>(context->state);
  const auto n = static_cast<size_t>(context->threads);
  const auto me = static_cast<size_t>(thread);
  for (int round = 0; round < ring->rounds; ++round) {
    const int64_t neighbour = ring->values[(me + 1) % n];
    context->barrier(context->barrier_state, thread);
    ring->values[me] += neighbour;
    context->barrier(context->barrier_state, thread);
  }
}

void count(const abi::Context* context, int64_t thread) {
  static_cast<int64_t*>(context->state)[thread * 8] += context->threads;
}

void halve_smallest(const abi::Context* context, int64_t thread) {
  volatile float x = std::numeric_limits<float>::min();
  volatile float half = 0.5f;
  static_cast<float*>(context->state)[thread] = x * half;
}

}  // namespace

TEST_CASE("all threads meet at every barrier") {
  for (int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    Ring state{std::vector<int64_t>(static_cast<size_t>(threads), 1), 50};
    abi::Context context;
    context.state = &state;
    pool.run(ring, context, threads, false);
    for (int64_t value : state.values) CHECK(value == int64_t{1} << 50);
  }
}

TEST_CASE("a pool can be run many times, with fewer threads too") {
  ThreadPool pool(3);
  CHECK(pool.threads() == 3);
  std::vector<int64_t> counts(24);
  abi::Context context;
  context.state = counts.data();
  for (int i = 0; i < 2000; ++i) pool.run(count, context, 1 + i % 3, false);
  // Runs with 1, 2 and 3 threads: 667, 667 and 666.
  CHECK(counts[0] == 667 + 2 * 667 + 3 * 666);
  CHECK(counts[8] == 2 * 667 + 3 * 666);
  CHECK(counts[16] == 3 * 666);
}

TEST_CASE("a pool wakes up after a long pause") {
  ThreadPool pool(2);
  std::vector<int64_t> counts(16);
  abi::Context context;
  context.state = counts.data();
  for (int i = 0; i < 3; ++i) {
    pool.run(count, context, 2, false);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(counts[8] == 6);
}

TEST_CASE("an entry may ask for fewer threads") {
  ThreadPool pool(3);
  std::vector<int64_t> counts(24);
  abi::Context context;
  context.state = counts.data();
  abi::EntryDesc entry;
  entry.function = count;
  pool.run(entry, context);
  CHECK(counts[16] == 3);
  entry.preferred_threads = 1;
  pool.run(entry, context);
  CHECK(counts[0] == 4);
  CHECK(counts[8] == 3);
}

TEST_CASE("denormals are flushed on every thread where asked for, and only there") {
  ThreadPool pool(2);
  float results[2] = {1, 1};
  abi::Context context;
  context.state = results;
  pool.run(halve_smallest, context, 2, true);
  CHECK(results[0] == 0);
  CHECK(results[1] == 0);
  pool.run(halve_smallest, context, 2, false);
  CHECK(results[0] == std::numeric_limits<float>::min() / 2);
  CHECK(results[1] == std::numeric_limits<float>::min() / 2);
}

TEST_CASE("there is a core") {
  CHECK(available_cores() >= 1);
  CHECK_FALSE(ThreadPool(1).oversubscribed());
  CHECK(ThreadPool(available_cores() + 1).oversubscribed());
}

TEST_CASE("the cgroup's quota is read, version 1 and 2, with its parents") {
  test::TemporaryFolder folder;
  namespace fs = std::filesystem;
  fs::create_directories(folder / "v2/a/b");
  folder.write("v2/a/cpu.max", "150000 100000\n");
  folder.write("v2/a/b/cpu.max", "max 100000\n");
  folder.write("self2", "0::/a/b\n");
  CHECK(cgroup_quota(folder / "self2", folder / "v2") == 1.5);

  fs::create_directories(folder / "v1/cpu/job");
  folder.write("v1/cpu/job/cpu.cfs_quota_us", "50000\n");
  folder.write("v1/cpu/job/cpu.cfs_period_us", "100000\n");
  folder.write("v1/cpu/cpu.cfs_quota_us", "-1\n");
  folder.write("v1/cpu/cpu.cfs_period_us", "100000\n");
  folder.write("self1", "5:memory:/job\n4:cpu,cpuacct:/job\n");
  CHECK(cgroup_quota(folder / "self1", folder / "v1") == 0.5);
  CHECK(cgroup_quota(folder / "none", folder / "v1") == 0);
}
