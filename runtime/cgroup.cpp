#include "runtime/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace nnc::runtime {
namespace {

// The smaller of two limits, where 0 is none.
double tighter(double a, double b) {
  if (a <= 0) return b;
  if (b <= 0) return a;
  return std::min(a, b);
}

// A group is limited by its parents too.
double tightest(const std::string& root, std::string group, const GroupLimit& limit) {
  double result = limit(root);
  while (group.size() > 1) {
    result = tighter(result, limit(root + group));
    group.erase(group.rfind('/'));
  }
  return result;
}

bool names(const std::string& controllers, const std::string& wanted) {
  std::istringstream list(controllers);
  std::string name;
  while (std::getline(list, name, ',')) {
    if (name == wanted) return true;
  }
  return false;
}

}  // namespace

double cgroup_limit(const std::string& self, const std::string& root, const std::string& controller,
                    const GroupLimit& version1, const GroupLimit& version2) {
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
      result = tighter(result, tightest(root, group, version2));
    } else if (names(controllers, controller)) {
      result = tighter(result, tightest(root + "/" + controller, group, version1));
    }
  }
  return result;
}

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace nnc::runtime
