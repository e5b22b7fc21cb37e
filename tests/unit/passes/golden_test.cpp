// One pass, text in, text out: tests/ir/passes/PASS.nnir holds cases "// why", a graph, "=>", the
// graph that the pass makes of it; "----" stands between cases. With NNC_UPDATE_GOLDEN set the
// second graphs are written anew: read the difference before you believe it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/ir/op.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_runner.h"
#include "tests/support/paths.h"

namespace {

using namespace nnc;

struct Case {
  std::string why, before, after;
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Case> cases(1);
  bool result = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "----") {
      cases.emplace_back();
      result = false;
    } else if (line == "=>") {
      result = true;
    } else {
      Case& now = cases.back();
      (line.rfind("//", 0) == 0 ? now.why : result ? now.after : now.before) += line + "\n";
    }
  }
  return cases;
}

void write_cases(const std::filesystem::path& path, const std::vector<Case>& cases) {
  std::ofstream file(path);
  for (const Case& now : cases)
    file << (&now == &cases.front() ? "" : "----\n") << now.why << now.before << "=>\n"
         << now.after;
}

const passes::Pass* find_pass(const std::string& name) {
  for (const auto* list :
       {&passes::canonical_passes(), &passes::inference_passes(), &passes::step_passes()})
    for (const passes::Pass& pass : *list)
      if (pass.name == name) return &pass;
  return nullptr;
}

TEST_CASE("every pass makes of its golden graphs what it should, and keeps their meaning") {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::source_dir() + "/tests/ir/passes")) {
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    const passes::Pass* pass = find_pass(name);
    REQUIRE(pass != nullptr);
    auto cases = read_cases(entry.path());
    for (Case& now : cases) {
      CAPTURE(now.why);
      const auto before = ir::parse(now.before, entry.path().string());
      const auto after = before->clone();
      const bool changed = pass->run(*after);
      CHECK_NOTHROW(ir::verify(*after));
      const std::string text = ir::print(*after);
      CHECK((changed || text == ir::print(*before)));
      if (std::getenv("NNC_UPDATE_GOLDEN") != nullptr) now.after = text;
      CHECK(text == now.after);
      const auto params = test::random_params(*before, 5, -1, 1);
      const auto expected = ir::evaluate(*before, params), got = ir::evaluate(*after, params);
      for (const auto& [output, tensor] : expected)
        CHECK(test::distance(got.at(output), tensor) < 1e-12);
      ++count;
    }
    if (std::getenv("NNC_UPDATE_GOLDEN") != nullptr) write_cases(entry.path(), cases);
  }
  CHECK(count >= 25);
}

// Every pass that is in a list has its golden file (numbered repetitions share one).
TEST_CASE("no pass is without a golden file") {
  for (const auto* list :
       {&passes::canonical_passes(), &passes::inference_passes(), &passes::step_passes()})
    for (const passes::Pass& pass : *list) {
      std::string name = pass.name.substr(0, pass.name.find("-2"));
      CAPTURE(name);
      CHECK(std::filesystem::exists(testing::source_dir() + "/tests/ir/passes/" + name + ".nnir"));
    }
}

}  // namespace
