// How many cores this process may use.
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <thread>

#include "runtime/cgroup.h"
#include "runtime/threads.h"

namespace nnc::runtime {
namespace {

// "max 100000" or "150000 100000".
double quota_v2(const std::string& folder) {
  std::istringstream text(first_line_of(folder + "/cpu.max"));
  double quota = 0;
  double period = 0;
  if (!(text >> quota >> period) || period <= 0) return 0;
  return quota / period;
}

double quota_v1(const std::string& folder) {
  std::istringstream quota_text(first_line_of(folder + "/cpu.cfs_quota_us"));
  std::istringstream period_text(first_line_of(folder + "/cpu.cfs_period_us"));
  double quota = 0;
  double period = 0;
  if (!(quota_text >> quota) || !(period_text >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

}  // namespace

double cgroup_quota(const std::string& self, const std::string& root) {
  return cgroup_limit(self, root, "cpu", quota_v1, quota_v2);
}

int available_cores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  const double quota = cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  if (quota > 0) cores = std::min(cores, static_cast<int>(std::ceil(quota)));
  return std::max(cores, 1);
}

}  // namespace nnc::runtime
