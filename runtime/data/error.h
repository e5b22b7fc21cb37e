// What the user is told when a data file is not what the model file said.
#pragma once

#include <stdexcept>
#include <string>

namespace nnc::runtime {

// Bad data: which file, where in it (a row, a line and column, a byte), what was expected and what
// was found. `what()` is the whole text, ready to print.
class DataError : public std::runtime_error {
 public:
  DataError(std::string file, std::string place, std::string problem, std::string expected = {},
            std::string got = {})
      : std::runtime_error(text(file, place, problem, expected, got)),
        file(std::move(file)),
        place(std::move(place)),
        problem(std::move(problem)),
        expected(std::move(expected)),
        got(std::move(got)) {}

  std::string file;      // as the user wrote it, or "inline data", "generated data"
  std::string place;     // "row 12", "line 3, column 'height'", "byte 16"; may be empty
  std::string problem;   // "the file is truncated"
  std::string expected;  // may be empty
  std::string got;       // may be empty
  std::string split;     // whose rows were read: "train", "valid", "test"; empty: not known

 private:
  static std::string text(const std::string& file, const std::string& place,
                          const std::string& problem, const std::string& expected,
                          const std::string& got) {
    std::string result = file;
    if (!place.empty()) result += ": " + place;
    result += ": " + problem;
    if (!expected.empty()) result += "\n  expected  " + expected;
    if (!got.empty()) result += "\n  got       " + got;
    return result;
  }
};

// Does work on the rows of a split, of which errors then tell.
template <class Work>
auto reading_split(const std::string& split, const Work& work) {
  try {
    return work();
  } catch (DataError& error) {
    if (error.split.empty()) error.split = split;
    throw;
  }
}

}  // namespace nnc::runtime
