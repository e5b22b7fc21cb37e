// Limits that the control groups of Linux put on this process (version 1 or 2).
#pragma once

#include <functional>
#include <string>

namespace nnc::runtime {

// What the files in the folder of one group say; 0: no limit.
using GroupLimit = std::function<double(const std::string& folder)>;

// The tightest limit of the group named in `self` (/proc/self/cgroup) and of its parents, of which
// the folders lie below `root`; 0: there is none. `controller`: "cpu", "memory".
double cgroup_limit(const std::string& self, const std::string& root, const std::string& controller,
                    const GroupLimit& version1, const GroupLimit& version2);

// The first line of a file, or an empty text.
std::string first_line_of(const std::string& path);

}  // namespace nnc::runtime
