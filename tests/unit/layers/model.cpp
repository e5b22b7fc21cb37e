#include "tests/unit/layers/model.h"

#include <doctest/doctest.h>

#include <random>

#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"

namespace nnc::testing {

namespace {

std::string rendered(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) text += render(diagnostic) + "\n";
  return text;
}

}  // namespace

assemble::Forward Model::forward(assemble::Mode mode) {
  std::optional<assemble::Forward> result =
      assemble::build_forward(description, fields, mode, diagnostics);
  INFO(rendered(diagnostics));
  REQUIRE(result.has_value());
  ir::verify(*result->graph);
  return std::move(*result);
}

std::string Model::errors(assemble::Mode mode) {
  Diagnostics found;
  const bool built = assemble::build_forward(description, fields, mode, found).has_value();
  CHECK(built != found.has_errors());
  return rendered(found);
}

Model load(const std::string& yaml, const std::vector<assemble::FieldInfo>& fields) {
  Model model;
  std::optional<language::Description> description =
      language::parse_text(yaml, "model.yaml", {}, layers::catalogue(), model.diagnostics);
  INFO(rendered(model.diagnostics));
  INFO(yaml);
  REQUIRE(description.has_value());
  model.description = std::move(*description);
  model.fields = fields;
  return model;
}

assemble::FieldInfo field(const std::string& name, const std::vector<int64_t>& row_shape,
                          abi::DType dtype, int64_t classes) {
  return {
      .name = name, .dtype = dtype, .row_shape = row_shape, .classes = classes, .vocabulary = {}};
}

ir::Tensor tensor(const std::vector<int64_t>& shape, const std::vector<double>& data) {
  return {shape, data};
}

ir::Tensor scalar(double value) { return {{}, {value}}; }

ir::Tensor random_tensor(const std::vector<int64_t>& shape, unsigned seed) {
  ir::Tensor result{shape, {}};
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> uniform(-2, 2);
  for (int64_t i = 0; i < count; ++i) result.data.push_back(uniform(engine));
  return result;
}

ir::Tensor run_layers(const std::string& layers, const ir::Tensor& x, Tensors weights,
                      assemble::Mode mode) {
  std::string numbers = "0";
  const std::vector<int64_t> row(x.shape.begin() + 1, x.shape.end());
  for (auto extent = row.rbegin(); extent != row.rend(); ++extent) {
    std::string list;
    for (int64_t i = 0; i < *extent; ++i) list += (i > 0 ? ", " : "") + numbers;
    numbers = "[" + list + "]";
  }
  Model model = load("nnc: 1\nprecision: f64\ndata:\n  train: {inline: {x: [" + numbers + "]}}\n" +
                         "model:\n  inputs: [x]\n  layers:\n" + layers,
                     {field("x", row, abi::DType::f64)});
  const assemble::Forward forward = model.forward(mode);
  weights["x"] = x;
  return ir::evaluate(*forward.graph, weights, {.batch = x.shape[0]}).at("output");
}

void check_close(const ir::Tensor& found, const std::vector<double>& expected, double tolerance) {
  REQUIRE(found.data.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    INFO("element " << i);
    CHECK(found.data[i] == doctest::Approx(expected[i]).epsilon(tolerance).scale(1));
  }
}

}  // namespace nnc::testing
