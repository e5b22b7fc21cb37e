#include "tests/fuzz/rounds.h"

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace nnc::fuzz {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Whether all was well.
bool run_round(const Arguments& arguments, int64_t number, const Round& round, int64_t& accepted) {
  std::seed_seq seed{arguments.seed, static_cast<uint64_t>(number)};
  Random random(seed);
  const auto start = Clock::now();
  bool taken = false;
  std::string problem = round(random, taken);
  const double seconds = seconds_since(start);
  constexpr double patience = 5;
  if (seconds > patience) problem = "it took " + std::to_string(seconds) + " s";
  accepted += taken ? 1 : 0;
  if (problem.empty()) return true;
  std::cout << "round " << number << " with seed " << arguments.seed << ": " << problem << "\n";
  return false;
}

}  // namespace

size_t below(Random& random, size_t bound) {
  return bound == 0 ? 0 : static_cast<size_t>(random() % bound);
}

Arguments read_arguments(int count, char** values) {
  Arguments result;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = values[i];
    if (name == "--seconds") result.seconds = std::atof(values[i + 1]);
    if (name == "--rounds") result.rounds = std::atoll(values[i + 1]);
    if (name == "--seed") result.seed = std::strtoull(values[i + 1], nullptr, 10);
    if (name == "--only") result.only = std::atoll(values[i + 1]);
  }
  return result;
}

int run_rounds(const Arguments& arguments, const std::string& things, const Round& round) {
  const auto start = Clock::now();
  int64_t accepted = 0;
  if (arguments.only >= 0) return run_round(arguments, arguments.only, round, accepted) ? 0 : 1;
  const auto goes_on = [&](int64_t number) {
    return arguments.rounds >= 0 ? number < arguments.rounds
                                 : seconds_since(start) < arguments.seconds;
  };
  int64_t number = 0;
  for (; goes_on(number); ++number) {
    std::cerr << "\rround " << number << std::flush;
    if (!run_round(arguments, number, round, accepted)) return 1;
  }
  std::cerr << "\r";
  std::cout << number << " " << things << ", " << accepted << " of them accepted\n";
  return 0;
}

}  // namespace nnc::fuzz
