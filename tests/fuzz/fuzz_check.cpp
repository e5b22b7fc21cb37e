// Random and mutated model files must never crash the front end, whatever they are.
//
//   fuzz_check [--seconds N | --rounds N] [--seed S] [--only I]
//
// Every round depends on the seed and its number alone: --only repeats one and prints its text.
// Build it with -DNNC_SANITIZE=address,undefined to find what would otherwise go unnoticed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "compiler/language/parse.h"
#include "compiler/language/resolve.h"
#include "compiler/layers/catalogue.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/rounds.h"
#include "tests/support/check_model.h"
#include "tests/support/paths.h"

namespace {

using namespace nnc;

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
  const std::string resolved = language::to_yaml(*description);
  language::dump(*description);
  Diagnostics again;
  const auto second =
      language::parse_text(resolved, "resolved.yaml", {}, layers::catalogue(), again);
  if (!second) {
    return "its resolved form does not load:\n" + resolved + render(again.sorted().front());
  }
  const std::string twice = language::to_yaml(*second);
  return twice == resolved ? "" : "its resolved form changes:\n" + resolved + "----\n" + twice;
}

}  // namespace

int main(int count, char** values) {
  const fuzz::Arguments arguments = fuzz::read_arguments(count, values);
  const std::vector<std::string> corpus = read_corpus();
  return fuzz::run_rounds(arguments, "texts", [&](fuzz::Random& random, bool& loads) {
    const std::string text = fuzz::mutated(corpus, random);
    if (arguments.only >= 0) std::cout << text << "\n====\n" << std::flush;
    return problem_with(text, loads);
  });
}
