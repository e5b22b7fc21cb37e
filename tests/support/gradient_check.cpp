#include "tests/support/gradient_check.h"

#include <cmath>

namespace nnc::testing {
namespace {

constexpr double kStep = 1e-5;
// The difference is wrong by about step² (third derivatives of order 10) and 1e-16/step.
constexpr double kTolerance = 2e-7;

// values + step · direction
Tensors moved(const Tensors& values, const Tensors& direction, double step) {
  Tensors result = values;
  for (const auto& [name, d] : direction) {
    std::vector<double>& data = result.at(name).data;
    for (size_t i = 0; i < data.size(); ++i) data[i] += step * d.data[i];
  }
  return result;
}

}  // namespace

GradientCheck check_gradients(const ir::Graph& graph, const Tensors& values,
                              const std::string& loss, const std::vector<std::string>& targets,
                              const std::vector<std::string>& gradients, std::mt19937_64& random) {
  GradientCheck check;
  const Tensors results = ir::evaluate(graph, values);
  std::uniform_real_distribution<double> draw(-1, 1);
  for (int trial = 0; trial < 2; ++trial) {
    Tensors direction;
    double predicted = 0, magnitude = 1;
    for (size_t i = 0; i < targets.size(); ++i) {
      ir::Tensor d = values.at(targets[i]);
      for (double& x : d.data) x = draw(random);
      for (size_t k = 0; k < d.data.size() && !gradients[i].empty(); ++k) {
        const double term = results.at(gradients[i]).data.at(k) * d.data[k];
        predicted += term;
        magnitude += std::fabs(term);
        check.all_zero = check.all_zero && term == 0;
      }
      direction[targets[i]] = d;
    }
    const double up = ir::evaluate(graph, moved(values, direction, kStep)).at(loss).data[0];
    const double down = ir::evaluate(graph, moved(values, direction, -kStep)).at(loss).data[0];
    const double measured = (up - down) / (2 * kStep);
    const double scale = magnitude + std::fabs(up) * 1e-4;
    if (std::fabs(measured - predicted) <= kTolerance * scale) continue;
    check.good = false;
    check.message = "difference quotient " + std::to_string(measured) + ", derivative " +
                    std::to_string(predicted);
  }
  return check;
}

}  // namespace nnc::testing
