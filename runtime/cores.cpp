// How many cores this process may use.
#include <sched.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "runtime/threads.h"

namespace nnc::runtime {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The smaller of two limits, where 0 is none.
double tighter(double a, double b) {
  if (a <= 0) return b;
  if (b <= 0) return a;
  return std::min(a, b);
}

// "max 100000" or "150000 100000".
double quota_v2(const std::string& folder) {
  std::istringstream text(first_line(folder + "/cpu.max"));
  double quota = 0;
  double period = 0;
  if (!(text >> quota >> period) || period <= 0) return 0;
  return quota / period;
}

double quota_v1(const std::string& folder) {
  std::istringstream quota_text(first_line(folder + "/cpu.cfs_quota_us"));
  std::istringstream period_text(first_line(folder + "/cpu.cfs_period_us"));
  double quota = 0;
  double period = 0;
  if (!(quota_text >> quota) || !(period_text >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

// A group is limited by its parents too.
template <class Quota>
double tightest(const std::string& root, std::string group, Quota quota) {
  double result = quota(root);
  while (group.size() > 1) {
    result = tighter(result, quota(root + group));
    group.erase(group.rfind('/'));
  }
  return result;
}

bool names_cpu(const std::string& controllers) {
  std::istringstream list(controllers);
  std::string name;
  while (std::getline(list, name, ',')) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

double cgroup_quota(const std::string& self, const std::string& root) {
  std::ifstream file(self);
  std::string line;
  double result = 0;
  while (std::getline(file, line)) {  // "0::/group" or "4:cpu,cpuacct:/group"
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      result = tighter(result, tightest(root, group, quota_v2));
    } else if (names_cpu(controllers)) {
      result = tighter(result, tightest(root + "/cpu", group, quota_v1));
    }
  }
  return result;
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
