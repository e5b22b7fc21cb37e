// What cannot be done, in words for the person who asked for it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "compiler/support/diagnostics.h"

namespace nnc::workbench {

// Where the reason lies.
enum class Fault {
  request,  // what was asked for: the model file, options
  work      // what came up while it was done: data, disk, NaN
};

// `hint` says what would work; it may be empty.
class WorkError : public std::runtime_error {
 public:
  WorkError(Fault where, const std::string& message, std::string advice = {})
      : std::runtime_error(message), fault(where), hint(std::move(advice)) {}
  Fault fault;
  std::string hint;
};

// Data that are not what the model file says, with the place where it says so.
class DataMistake : public UserError {
 public:
  explicit DataMistake(const Diagnostic& at)
      : UserError(at.span, at.message, at.expected, at.got) {}
};

// The model file is wrong; the reporter has been told of every mistake (reporter.h).
struct Reported {};

}  // namespace nnc::workbench
