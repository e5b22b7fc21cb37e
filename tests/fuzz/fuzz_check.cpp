// Random and mutated model files must never crash the front end, whatever they are.
//
//   fuzz_check [--seconds N] [--seed S] [--only I]
//
// Every round depends on the seed and its number alone: --only repeats one and prints its text.
// Build it with -DNNC_SANITIZE=address,undefined to find what would otherwise go unnoticed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "compiler/layers/catalogue.h"
#include "compiler/spec/parse.h"
#include "compiler/spec/resolve.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/check_model.h"
#include "tests/support/paths.h"

namespace {

using namespace nnc;
using Clock = std::chrono::steady_clock;

std::vector<std::string> read_corpus() {
  std::vector<std::filesystem::path> paths;
  const std::filesystem::path root(testing::source_dir());
  for (const auto& folder : {root / "models", root / "tests" / "errors"}) {
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> result;
  for (const auto& path : paths) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    result.push_back(text.str());
  }
  return result;
}

// Empty, or what is wrong with how the text was answered.
std::string problem_with(const std::string& text, bool& loads) {
  Diagnostics diagnostics;
  const auto description = testing::check_model(text, "fuzz.yaml", diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    if (render(diagnostic).empty()) return "an empty message";
  }
  loads = description.has_value();
  if (!loads) return diagnostics.has_errors() ? "" : "refused without a message";
  // What loads can be written and loads again, to the same.
  const std::string resolved = spec::to_yaml(*description);
  spec::dump(*description);
  Diagnostics again;
  const auto second = spec::parse_text(resolved, "resolved.yaml", {}, layers::catalogue(), again);
  if (!second) {
    return "its resolved form does not load:\n" + resolved + render(again.sorted().front());
  }
  const std::string twice = spec::to_yaml(*second);
  return twice == resolved ? "" : "its resolved form changes:\n" + resolved + "----\n" + twice;
}

struct Arguments {
  double seconds = 10;
  uint64_t seed = 1;
  int64_t only = -1;
};

Arguments read_arguments(int count, char** values) {
  Arguments result;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = values[i];
    if (name == "--seconds") result.seconds = std::atof(values[i + 1]);
    if (name == "--seed") result.seed = std::strtoull(values[i + 1], nullptr, 10);
    if (name == "--only") result.only = std::atoll(values[i + 1]);
  }
  return result;
}

// Returns whether all was well.
bool run_round(const std::vector<std::string>& corpus, const Arguments& arguments, int64_t number,
               int64_t& loaded) {
  std::seed_seq seed{arguments.seed, static_cast<uint64_t>(number)};
  fuzz::Random random(seed);
  const std::string text = fuzz::mutated(corpus, random);
  if (arguments.only >= 0) std::cout << text << "\n====\n" << std::flush;
  const auto start = Clock::now();
  bool loads = false;
  std::string problem = problem_with(text, loads);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  constexpr double patience = 5;
  if (seconds > patience) problem = "it took " + std::to_string(seconds) + " s";
  loaded += loads ? 1 : 0;
  if (problem.empty()) return true;
  std::cout << "round " << number << " with seed " << arguments.seed << ": " << problem << "\n";
  return false;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = read_arguments(count, values);
  const std::vector<std::string> corpus = read_corpus();
  const auto start = Clock::now();
  int64_t loaded = 0;
  if (arguments.only >= 0) return run_round(corpus, arguments, arguments.only, loaded) ? 0 : 1;
  int64_t round = 0;
  for (; std::chrono::duration<double>(Clock::now() - start).count() < arguments.seconds; ++round) {
    // A crash leaves the number of its round behind.
    std::cerr << "\rround " << round << std::flush;
    if (!run_round(corpus, arguments, round, loaded)) return 1;
  }
  std::cerr << "\r";
  std::cout << round << " texts, " << loaded << " of them load\n";
  return 0;
}
