#include "runtime/memory_limit.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <sstream>

#include "runtime/cgroup.h"

namespace nnc::runtime {
namespace {

std::atomic<uint64_t> limit{0};
std::atomic<int64_t> taken{0};

// Groups without a limit say "max", or a number near 2^63.
double group_memory(const std::string& file) {
  std::istringstream text(first_line_of(file));
  constexpr double none = 1e18;
  double bytes = 0;
  return text >> bytes && bytes < none ? bytes : 0;
}

double group_memory_v1(const std::string& folder) {
  return group_memory(folder + "/memory.limit_in_bytes");
}
double group_memory_v2(const std::string& folder) { return group_memory(folder + "/memory.max"); }

}  // namespace

std::string memory_text(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  return size < 1e4   ? fmt::format("{} bytes", bytes)
         : size < 1e5 ? fmt::format("{:.1f} KB", size * 1e-3)
         : size < 1e9 ? fmt::format("{:.1f} MB", size * 1e-6)
                      : fmt::format("{:.1f} GB", size * 1e-9);
}

std::string at_most_memory(uint64_t bytes) {
  return fmt::format("at most {} (--max-memory)", memory_text(bytes));
}

void set_memory_limit(uint64_t bytes) { limit = bytes; }
uint64_t memory_limit() { return limit; }
// Nobody is refused because something was given back that had not been counted.
uint64_t memory_taken() { return static_cast<uint64_t>(std::max<int64_t>(taken, 0)); }

uint64_t memory_left() {
  const uint64_t most = limit, now = memory_taken();
  if (most == 0) return UINT64_MAX;
  return most > now ? most - now : 0;
}

uint64_t machine_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
  uint64_t bytes = UINT64_MAX;
  if (pages > 0 && size > 0) bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(size);
  const double group = cgroup_limit("/proc/self/cgroup", "/sys/fs/cgroup", "memory",
                                    group_memory_v1, group_memory_v2);
  if (group > 0) bytes = std::min(bytes, static_cast<uint64_t>(group));
  rlimit space{};
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<uint64_t>(bytes, space.rlim_cur);
  }
  return bytes == UINT64_MAX ? 0 : bytes;
}

void take_memory(uint64_t bytes) {
  const uint64_t most = limit.load(std::memory_order_relaxed);
  const auto size = static_cast<int64_t>(bytes);
  const int64_t counted = taken.fetch_add(size, std::memory_order_relaxed);
  const auto before = static_cast<uint64_t>(std::max<int64_t>(counted, 0));
  if (most == 0 || (before <= most && bytes <= most - before)) return;
  taken.fetch_sub(size, std::memory_order_relaxed);
  throw OutOfMemory(bytes, OutOfMemory::Reason::limit);
}

void give_memory_back(uint64_t bytes) noexcept {
  taken.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}

std::string OutOfMemory::expected() const {
  if (reason_ == Reason::system) return "memory that this process can still get (ulimit -v)";
  return at_most_memory(memory_limit());
}

std::string OutOfMemory::got() const {
  return fmt::format("{} more, with {} in use", memory_text(asked_), memory_text(taken_));
}

}  // namespace nnc::runtime
