// What the fuzzers share: rounds that depend on a seed and their number alone, each under watch.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

namespace nnc::fuzz {

using Random = std::mt19937_64;

// Less than `bound`; 0 if that is 0.
size_t below(Random& random, size_t bound);

struct Arguments {
  double seconds = 10;
  int64_t rounds = -1;  // instead of seconds
  uint64_t seed = 1;
  int64_t only = -1;  // this round alone
};
// --seconds N, --rounds N, --seed S, --only I.
Arguments read_arguments(int count, char** values);

// One round: empty, or what went wrong. `accepted` is set where the input was taken.
using Round = std::function<std::string(Random& random, bool& accepted)>;

// The exit status. A round that takes more than 5 s is a mistake; a crash leaves the number of its
// round behind on standard error.
int run_rounds(const Arguments& arguments, const std::string& things, const Round& round);

}  // namespace nnc::fuzz
