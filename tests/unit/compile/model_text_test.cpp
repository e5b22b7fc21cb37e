// The graphs of every model file, at every stage, read back from their text as they were printed;
// and the text by which compiled programs are kept.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>

#include "compiler/ir/graph.h"
#include "compiler/kernel/canonical.h"
#include "compiler/kernel/program.h"
#include "compiler/passes/pass.h"
#include "tests/support/paths.h"

namespace {

using namespace nnc;

// What `nnc dump MODEL --stage STAGE` prints; empty if it fails.
std::string dump(const std::string& model, const std::string& stage) {
  const std::string command =
      testing::nnc_binary() + " dump '" + model + "' --stage " + stage + " 2>&1";
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

std::vector<std::filesystem::path> model_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_dir() + "/models"))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  return files;
}

// What the functions of a program compute, and what it is known by.
struct Kernels {
  std::string code, identity;
};

Kernels kernels_of(const ir::Graph& fused, const kernel::Target& target) {
  std::map<std::string, size_t> offsets;
  for (const ir::Param& param : fused.params)
    if (param.kind == ir::ParamKind::state)
      offsets[param.external_name] = offsets.size() * size_t{1 << 20};
  const auto program = kernel::lower_program(fused, offsets, target);
  const auto by_name = [](const std::string& name) -> const std::string& { return name; };
  Kernels kernels;
  for (const auto& function : program.module.functions)
    kernels.code += function->name + kernel::encode(*function, by_name);
  kernels.identity = kernel::identity(fused, program, target);
  return kernels;
}

}  // namespace

TEST_CASE("print(parse(text)) == text for the graphs of all models") {
  int graphs = 0;
  for (const auto& file : model_files()) {
    for (const std::string stage : {"graph", "grad", "step", "fused"}) {
      CAPTURE(file.filename().string());
      CAPTURE(stage);
      const std::string text = dump(file.string(), stage);
      REQUIRE(text.substr(0, 7) == "graph @");
      const auto graph = ir::parse(text);
      CHECK_NOTHROW(ir::verify(*graph));
      CHECK(ir::print(*graph) == text);
      ++graphs;
    }
  }
  CHECK(graphs >= 40);
}

// Code is taken from the cache by this text alone: whatever it leaves out may not matter.
TEST_CASE("kernels follow from the identity of their program") {
  const auto target = kernel::host_target();
  std::map<std::string, std::string> seen;  // identity -> code
  for (const auto& file : model_files()) {
    CAPTURE(file.filename().string());
    const auto fused = ir::parse(dump(file.string(), "fused"));
    const Kernels kernels = kernels_of(*fused, target);
    const std::string text = ir::identity(*fused);
    auto again = ir::parse(text.substr(text.find("graph @")));
    again->batch = fused->batch;
    const Kernels from_text = kernels_of(*again, target);
    CHECK(from_text.identity == kernels.identity);
    CHECK(from_text.code == kernels.code);
    const auto [same, fresh] = seen.emplace(kernels.identity, kernels.code);
    CHECK((fresh || same->second == kernels.code));
  }
}

TEST_CASE("a program's identity depends on its batch, its numbers, its places and its target") {
  const auto graph = [](const char* rows, const char* factor) {
    std::string text =
        "graph @step(%x: f32[4b,3], %w: f32[3] state) {\n"
        "  %f: f32[3] = constant {dtype=f32, shape=[3], value=FACTOR}\n"
        "  %y: f32[3] = mul %w, %f\n"
        "  %z: f32[4b,3] = mul %x, %x\n  return y=%y, z=%z\n}\n";
    for (size_t at; (at = text.find("4b")) != std::string::npos;) text.replace(at, 2, rows);
    text.replace(text.find("FACTOR"), 6, factor);
    auto result = ir::parse(text);
    passes::run_passes(*result, passes::step_passes());
    return result;
  };
  const auto identity = [](const ir::Graph& fused, size_t offset, const kernel::Target& target) {
    const auto planned = kernel::plan_program(fused, {{"w", offset}}, target);
    return kernel::identity(fused, planned, target);
  };
  const auto target = kernel::host_target();
  auto other = target;
  other.l2_bytes *= 2;
  const auto base = graph("8b", "2.0");
  const std::string known = identity(*base, 0, target);
  CHECK(identity(*graph("8b", "2.0"), 0, target) == known);
  CHECK(identity(*graph("9b", "2.0"), 0, target) != known);
  CHECK(identity(*graph("8b", "2.0000001"), 0, target) != known);
  CHECK(identity(*base, 64, target) != known);
  CHECK(identity(*base, 0, other) != known);
}
