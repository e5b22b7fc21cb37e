// A model from YAML text, evaluated by the reference evaluator: what most tests here need.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/assemble/forward.h"
#include "compiler/ir/op.h"

namespace nnc::testing {

using Tensors = std::map<std::string, ir::Tensor>;

struct Model {
  language::Description description;
  std::vector<assemble::FieldInfo> fields;
  Diagnostics diagnostics;

  // The forward graph; fails the test with the rendered diagnostics if there are errors.
  assemble::Forward forward(assemble::Mode mode);
  // Its diagnostics as text, one rendered message after the other.
  std::string errors(assemble::Mode mode);
};

// Fails the test if the text does not parse.
Model load(const std::string& yaml, const std::vector<assemble::FieldInfo>& fields);

assemble::FieldInfo field(const std::string& name, const std::vector<int64_t>& row_shape,
                          abi::DType dtype = abi::DType::f32, int64_t classes = 0);

ir::Tensor tensor(const std::vector<int64_t>& shape, const std::vector<double>& data);
ir::Tensor scalar(double value);

// Numbers that differ from each other, the same for the same seed.
ir::Tensor random_tensor(const std::vector<int64_t>& shape, unsigned seed);

// A model of one layer (as YAML list items) over one field `x` of the given row shape; its output
// for the rows `x`. Weights by name.
ir::Tensor run_layers(const std::string& layers, const ir::Tensor& x, Tensors weights = {},
                      assemble::Mode mode = assemble::Mode::predict);

void check_close(const ir::Tensor& found, const std::vector<double>& expected,
                 double tolerance = 1e-12);

}  // namespace nnc::testing
