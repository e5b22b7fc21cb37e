#include "runtime/unit_variance.h"

#include <algorithm>
#include <cmath>

namespace nnc::runtime {
namespace {

constexpr int most_attempts = 10;
constexpr double tolerance = 0.01;

Split some_rows(const Split& split, int64_t most) {
  Split chosen = split;
  const auto wanted = std::min(split.rows.size(), static_cast<size_t>(most));
  chosen.rows.clear();
  for (size_t i = 0; i < wanted; ++i) {
    chosen.rows.push_back(split.rows[i * split.rows.size() / wanted]);
  }
  return chosen;
}

double variance(const Prediction& moments, size_t rows) {
  double mean = 0, square = 0;
  for (size_t row = 0; row < rows; ++row) {
    mean += moments.number(2 * row) / static_cast<double>(rows);
    square += moments.number(2 * row + 1) / static_cast<double>(rows);
  }
  return square - mean * mean;
}

template <class T>
void scale(void* data, size_t n, double factor) {
  auto* values = static_cast<T*>(data);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<T>(values[i] * factor);
}

void scale(const abi::Program& program, const std::string& name, Buffer& state, double factor) {
  for (const abi::StateDesc& desc : program.states) {
    if (desc.name != name) continue;
    void* data = state.as<char>() + desc.offset;
    if (desc.dtype == abi::DType::f64) {
      scale<double>(data, desc.elements(), factor);
    } else {
      scale<float>(data, desc.elements(), factor);
    }
  }
}

}  // namespace

void make_unit_variance(const abi::Program& program, const abi::EntryDesc& entry,
                        const Split& split, Buffer& state, ThreadPool& pool) {
  const Split rows = some_rows(split, entry.max_rows);
  if (rows.rows.empty()) return;
  for (size_t layer = 0; layer < entry.outputs.size(); ++layer) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      const std::vector<Prediction> moments = predict(entry, rows, state, pool);
      const double found = variance(moments[layer], rows.rows.size());
      if (!(found > 1e-12) || !std::isfinite(found) || std::abs(found - 1) < tolerance) break;
      scale(program, moments[layer].name, state, 1 / std::sqrt(found));
    }
  }
}

}  // namespace nnc::runtime
