// Where warnings, notes and mistakes in a model file go: whoever uses the workbench says so.
#pragma once

#include <string>

namespace nnc {
class Diagnostics;
}

namespace nnc::workbench {

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void warning(const std::string& message) = 0;
  virtual void note(const std::string& message) = 0;
  // All that one look at a model file has found; there may be nothing.
  virtual void diagnostics(const Diagnostics& found) = 0;
};

// Once, before any work; the reporter must outlive it. Without one, nothing is said.
void set_reporter(Reporter& reporter);
Reporter& reporter();

}  // namespace nnc::workbench
