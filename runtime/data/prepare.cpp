#include "runtime/data/prepare.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nnc::runtime {
namespace {

using abi::DType;
using Kind = PrepareStep::Kind;

std::vector<const FittedStep*> steps_of(const FieldSpec& field,
                                        const std::vector<FittedStep>& fitted) {
  std::vector<const FittedStep*> result(field.prepare.size(), nullptr);
  for (const FittedStep& step : fitted)
    if (step.field == field.name) result.at(static_cast<size_t>(step.step)) = &step;
  return result;
}

}  // namespace

Prepared prepared_in(const FieldSpec& field, DType source, DType precision) {
  if (field.prepared) return *field.prepared;
  const bool numbers = !field.is_index() && !field.prepare.empty();
  if (!numbers || source == DType::u8 || precision == DType::f64) return Prepared::in_program;
  // Pictures of floats hold all that there is of them.
  if (field.augmented)
    return source == DType::f32 ? Prepared::in_program : Prepared::in_program_f64;
  // The logarithm of the C library is not the program's to the last bit.
  const bool log = std::any_of(field.prepare.begin(), field.prepare.end(),
                               [](const PrepareStep& step) { return step.kind == Kind::log; });
  return log ? Prepared::in_program_f64 : Prepared::while_loading;
}

double prepared_number(double x, const std::vector<PrepareStep>& steps, size_t count,
                       const std::vector<const FittedStep*>& fitted, size_t channel) {
  for (size_t i = 0; i < count; ++i) {
    const PrepareStep& step = steps[i];
    const FittedStep* fit = fitted[i];
    switch (step.kind) {
      case Kind::scale: x *= step.a; break;
      case Kind::clip: x = std::min(std::max(x, step.a), step.b); break;
      case Kind::log: x = std::log(x + step.a); break;
      case Kind::impute: x = std::isnan(x) ? fit->mean[channel] : x; break;
      case Kind::standardize: x = (x - fit->mean[channel]) / fit->stddev[channel]; break;
      case Kind::minmax:
        // Fused, as the program's sum of a product is.
        x = std::fma((x - fit->min[channel]) / (fit->max[channel] - fit->min[channel]),
                     step.b - step.a, step.a);
        break;
      case Kind::category:
      case Kind::one_hot: break;
    }
  }
  return x;
}

bool is_fitted(const FieldSpec& field, const std::vector<FittedStep>& fitted) {
  const std::vector<const FittedStep*> steps = steps_of(field, fitted);
  for (size_t i = 0; i < steps.size(); ++i)
    if (field.prepare[i].learns() && steps[i] == nullptr) return false;
  return true;
}

void prepare_column(Column& column, const FieldSpec& field, const std::vector<FittedStep>& fitted) {
  if (!is_fitted(field, fitted))
    throw std::invalid_argument("field '" + field.name + "' was not fitted");
  const std::vector<const FittedStep*> steps = steps_of(field, fitted);
  const auto channels =
      column.row_shape.empty() ? size_t{1} : static_cast<size_t>(column.row_shape.back());
  const size_t count = column.bytes.size() / abi::size_of(column.dtype);
  Buffer result(count * sizeof(float));
  size_t channel = 0;
  for (size_t i = 0; i < count; ++i) {
    result.as<float>()[i] =
        static_cast<float>(prepared_number(column.number(static_cast<int64_t>(i)), field.prepare,
                                           field.prepare.size(), steps, channel));
    if (++channel == channels) channel = 0;
  }
  column.bytes = std::move(result);
  column.dtype = DType::f32;
}

}  // namespace nnc::runtime
