// Every function of formulas can be called as the reference writes its operands.
#include <doctest/doctest.h>

#include <map>
#include <sstream>

#include "compiler/layers/formula_function.h"
#include "tests/unit/layers/model.h"

using namespace nnc;
using namespace nnc::testing;

namespace {

// What stands for an operand: most are values of the model, [4, 4] in each row.
std::string operand(const std::string& written) {
  static const std::map<std::string, std::string> others = {
      {"condition", "x > y"}, {"n", "2"},  {"shape", "[4, 4]"},
      {"from", "0"},          {"to", "1"}, {"axis=", ""},
      {"epochs=", "epochs=3"}};
  const auto found = others.find(written);
  if (found != others.end()) return found->second;
  const size_t preset = written.find("=");
  if (preset == std::string::npos) return written;
  // A preset is given by its place (alpha=1) or, an axis, by its name.
  return written.rfind("axis", 0) == 0 ? written : written.substr(preset + 1);
}

// The operands between commas; those in brackets and quotes belong together.
std::vector<std::string> split(const std::string& operands) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  int depth = 0;
  for (const char c : operands) {
    if (c == '\'') quoted = !quoted;
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c == ',' && !quoted && depth == 0) {
      parts.emplace_back();
    } else if (c != ' ' || !parts.back().empty()) {
      parts.back() += c;
    }
  }
  return parts;
}

std::string call_of(const layers::FormulaFunction& function) {
  if (function.name == "grad") return "grad(sum(square(x)), x)";  // of a number that x moves
  if (function.name == "shape") return "reshape(y, shape(x))";    // a shape alone is no number
  std::string result;
  for (const std::string& written : split(function.operands)) {
    const std::string given = operand(written);
    if (!given.empty()) result += (result.empty() ? "" : ", ") + given;
  }
  return function.name + "(" + result + ")";
}

// The formula where it may stand: inverse() speaks of predictions, all others of layers too.
std::string model_with(const std::string& name, const std::string& call) {
  const std::string layer = name == "inverse" ? "x" : "x + sum(1 * " + call + ")";
  const std::string output = name == "inverse" ? call : "sum(result)";
  return "nnc: 1\ndata:\n  train: {npy: {x: x.npy, y: y.npy, field: f.npy}}\n"
         "  fields: {field: {prepare: [{scale: 0.5}]}}\n"
         "model:\n  inputs: [x, y]\n  layers:\n"
         "    - {expr: \"x*y\", name: a}\n    - {expr: \"x+y\", name: b}\n"
         "    - {expr: \"x-1\", name: low}\n    - {expr: \"x+1\", name: high}\n"
         "    - {expr: \"x/2\", name: mean}\n    - {expr: \"abs(x)\", name: deviation}\n"
         "    - {expr: \"sigmoid(x)\", name: p}\n"
         "    - {expr: \"" +
         layer +
         "\", name: result, predict: \"x\"}\n"
         "    - {dense: 4, name: y_hat, from: a}\n"
         "  outputs: {value: \"" +
         output +
         "\"}\n"
         "loss: {mean_squared_error: {prediction: y_hat, target: field}}\n"
         "train: {epochs: 1, optimizer: sgd}\n";
}

}  // namespace

TEST_CASE("every function of formulas can be called as the reference writes it") {
  for (const layers::FormulaFunction& function : layers::formula_function_table()) {
    const std::string call = call_of(function);
    CAPTURE(call);
    Model model = load(model_with(function.name, call),
                       {field("x", {4, 4}), field("y", {4, 4}), field("field", {4, 4})});
    for (const assemble::Mode mode :
         {assemble::Mode::train, assemble::Mode::eval, assemble::Mode::predict})
      CHECK(model.errors(mode) == "");
  }
}
