#include "runtime/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/state.h"

namespace nnc::runtime {
namespace {

using abi::DType;

template <class T>
std::vector<double> widened(const Buffer& values, size_t count) {
  return {values.as<T>(), values.as<T>() + count};
}

}  // namespace

std::vector<double> numbers_of(const abi::StateDesc& desc, const Buffer& slab) {
  const size_t count = desc.elements();
  Buffer values(count * abi::size_of(desc.dtype));
  read_state(desc, slab, values.data());
  switch (desc.dtype) {
    case DType::f32: return widened<float>(values, count);
    case DType::f64: return widened<double>(values, count);
    case DType::i32: return widened<int32_t>(values, count);
    case DType::i64: return widened<int64_t>(values, count);
    case DType::u8:
    case DType::boolean: return widened<uint8_t>(values, count);
    case DType::bf16: break;  // no state is kept so
  }
  return {};
}

Summary summarize(const std::vector<double>& numbers, size_t parts) {
  Summary result;
  result.numbers = static_cast<int64_t>(numbers.size());
  result.histogram.assign(parts, 0);
  double sum = 0;
  result.least = std::numeric_limits<double>::infinity();
  result.most = -result.least;
  for (double x : numbers) {
    if (!std::isfinite(x)) {
      ++result.not_finite;
      continue;
    }
    sum += x;
    result.least = std::min(result.least, x);
    result.most = std::max(result.most, x);
  }
  const auto finite = static_cast<double>(result.numbers - result.not_finite);
  if (finite == 0) {
    result.mean = result.deviation = result.least = result.most = std::nan("");
    return result;
  }
  result.mean = sum / finite;
  const double width = result.most * 0.5 - result.least * 0.5;  // halves cannot overflow
  double squares = 0;
  for (double x : numbers) {
    if (!std::isfinite(x)) continue;
    squares += (x - result.mean) * (x - result.mean);
    const double place = width > 0 ? (x * 0.5 - result.least * 0.5) / width : 0;
    const auto part = static_cast<size_t>(place * static_cast<double>(parts));
    if (parts > 0) ++result.histogram[std::min(part, parts - 1)];
  }
  result.deviation = std::sqrt(squares / finite);
  return result;
}

}  // namespace nnc::runtime
