// The graphs of every model file, at every stage, read back from their text as they were printed.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "compiler/ir/graph.h"

namespace {

// What `nnc dump MODEL --stage STAGE` prints; empty if it fails.
std::string dump(const std::string& model, const std::string& stage) {
  const std::string command = NNC_BINARY " dump '" + model + "' --stage " + stage + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  std::array<char, 4096> buffer{};
  while (const size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), n);
  }
  const bool good = pclose(pipe) == 0;
  CHECK_MESSAGE(good, text);
  return good ? text : "";
}

}  // namespace

TEST_CASE("print(parse(text)) == text for the graphs of all models") {
  int graphs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(NNC_SOURCE_DIR "/models")) {
    if (entry.path().extension() != ".yaml") continue;
    for (const std::string stage : {"graph", "grad", "step", "fused"}) {
      CAPTURE(entry.path().filename().string());
      CAPTURE(stage);
      const std::string text = dump(entry.path().string(), stage);
      REQUIRE(text.substr(0, 7) == "graph @");
      const auto graph = nnc::ir::parse(text);
      CHECK_NOTHROW(nnc::ir::verify(*graph));
      CHECK(nnc::ir::print(*graph) == text);
      ++graphs;
    }
  }
  CHECK(graphs >= 40);
}
