// Every file of tests/errors is wrong in one way (a few in many) and has beside it, in
// NAME.expected, exactly what the user is told.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/check_model.h"
#include "tests/support/paths.h"

namespace {

const std::filesystem::path folder =
    std::filesystem::path(nnc::testing::source_dir()) / "tests" / "errors";

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// What `nnc check` prints for the file, under the file's bare name.
std::string check(const std::filesystem::path& path) {
  nnc::Diagnostics diagnostics;
  nnc::testing::check_model(read(path), path.filename().string(), diagnostics);
  return nnc::testing::rendered(diagnostics);
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> result;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") result.push_back(entry.path());
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::filesystem::path expected_path(std::filesystem::path path) {
  return path.replace_extension(".expected");
}

}  // namespace

TEST_CASE("each wrong file gets exactly the expected message") {
  const auto all = files();
  REQUIRE(all.size() >= 40);
  for (const auto& path : all) {
    CAPTURE(path.filename().string());
    CHECK(check(path) == read(expected_path(path)));
  }
}

TEST_CASE("no expected message is left without its file") {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".expected") continue;
    std::filesystem::path yaml = entry.path();
    CAPTURE(entry.path().filename().string());
    CHECK(std::filesystem::exists(yaml.replace_extension(".yaml")));
  }
}

// After a deliberate change of words: test_language --no-skip --test-case="write the expected
// messages", and read the difference.
TEST_CASE("write the expected messages" * doctest::skip()) {
  for (const auto& path : files()) std::ofstream(expected_path(path)) << check(path);
}
