// Input that can be read once only, kept as a file: readers look at it more than once.
#pragma once

#include <string>

namespace nnc::workbench {

// Whether this is standard input ("-") or a pipe.
bool is_stream(const std::string& path);

// A copy of a stream in the folder for temporary files, removed at the end. DataError if there is
// no room for it.
class SpooledInput {
 public:
  explicit SpooledInput(const std::string& path);
  ~SpooledInput();
  SpooledInput(const SpooledInput&) = delete;
  SpooledInput& operator=(const SpooledInput&) = delete;
  const std::string& path() const { return copy_; }

 private:
  std::string copy_;
};

}  // namespace nnc::workbench
