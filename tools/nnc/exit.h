// How a command ends when it cannot do what it was asked to.
#pragma once

#include <stdexcept>
#include <string>

namespace nnc::tool {

enum class Exit : int {
  done = 0,
  failed = 1,    // while running: data, disk, NaN
  usage = 2,     // the file or the command line is wrong
  stopped = 130  // by Ctrl-C: with a checkpoint, or before the first step
};

// What is wrong with the request, in words for the person who made it. `hint` says what would work.
class CommandError : public std::runtime_error {
 public:
  CommandError(Exit code, const std::string& message, std::string advice = {})
      : std::runtime_error(message), exit(code), hint(std::move(advice)) {}
  Exit exit;
  std::string hint;
};

// Ends the command with this code; everything has been said already.
struct Ended {
  Exit exit = Exit::failed;
};

}  // namespace nnc::tool
