#include "runtime/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "runtime/orthogonal.h"
#include "runtime/rng.h"

namespace nnc::runtime {
namespace {

using abi::DType;
using abi::Initial;

void store(void* data, DType dtype, size_t i, double value) {
  switch (dtype) {
    case DType::f32: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case DType::f64: static_cast<double*>(data)[i] = value; return;
    case DType::i32: static_cast<int32_t*>(data)[i] = static_cast<int32_t>(value); return;
    case DType::i64: static_cast<int64_t*>(data)[i] = static_cast<int64_t>(value); return;
    case DType::u8:
    case DType::boolean: static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(value); return;
    case DType::bf16: break;
  }
  throw std::invalid_argument("a state of type bf16 cannot be initialised");
}

// low + (high - low)·u: in f32 arithmetic for f32, with 24 random bits; else with 53.
void fill_uniform(const abi::StateDesc& desc, const RandomStream& stream, void* data) {
  const double low = desc.initial.a;
  const double width = desc.initial.b - desc.initial.a;
  const size_t n = desc.elements();
  if (desc.dtype == DType::f32) {
    auto* out = static_cast<float*>(data);
    Words words{};
    for (size_t i = 0; i < n; ++i) {
      if (i % 4 == 0) words = stream.block(i / 4);
      out[i] = static_cast<float>(low + width * static_cast<double>(uniform_f32(words[i % 4])));
    }
    return;
  }
  for (size_t i = 0; i < n; ++i) store(data, desc.dtype, i, low + width * uniform_f64(stream, i));
}

void fill_normal(const abi::StateDesc& desc, const RandomStream& stream, void* data) {
  const size_t n = desc.elements();
  for (size_t i = 0; i < n; i += 2) {
    const std::array<double, 2> pair = normal_pair(stream.block(i / 2));
    for (size_t lane = 0; lane < 2 && i + lane < n; ++lane) {
      store(data, desc.dtype, i + lane, desc.initial.a + desc.initial.b * pair[lane]);
    }
  }
}

// Within two standard deviations, by rejection; `time` counts the attempts.
void fill_truncated_normal(const abi::StateDesc& desc, RandomStream stream, void* data) {
  const size_t n = desc.elements();
  for (size_t i = 0; i < n; ++i) {
    double value = 0;
    stream.time = 0;
    do {
      value = normal(stream, i);
      ++stream.time;
    } while (value < -2 || value > 2);
    store(data, desc.dtype, i, desc.initial.a + desc.initial.b * value);
  }
}

void fill_orthogonal(const abi::StateDesc& desc, const RandomStream& stream, void* data) {
  const size_t n = desc.elements();
  std::vector<double> matrix(n);
  for (size_t i = 0; i < n; ++i) matrix[i] = normal(stream, i);
  const size_t columns = desc.shape.empty() ? 1 : static_cast<size_t>(desc.shape.back());
  if (n > 0) orthonormalise(matrix, n / columns, columns);
  for (size_t i = 0; i < n; ++i) store(data, desc.dtype, i, desc.initial.a * matrix[i]);
}

const std::vector<double>& fitted_values(const abi::StateDesc& desc,
                                         const std::vector<FittedStep>& fitted) {
  for (const FittedStep& step : fitted) {
    if (step.field == desc.initial.fit_field && step.step == desc.initial.fit_step) {
      return step.statistic(desc.initial.fit_statistic);
    }
  }
  throw std::invalid_argument(
      fmt::format("state '{}' needs prepare step {} of field '{}', which "
                  "was not fitted",
                  desc.name, desc.initial.fit_step, desc.initial.fit_field));
}

void fill_values(const abi::StateDesc& desc, const std::vector<double>& values, void* data) {
  if (values.size() != desc.elements()) {
    throw std::invalid_argument(
        fmt::format("state '{}' has {} elements, but its initial value "
                    "has {}",
                    desc.name, desc.elements(), values.size()));
  }
  for (size_t i = 0; i < values.size(); ++i) store(data, desc.dtype, i, values[i]);
}

}  // namespace

void initialize(const abi::StateDesc& desc, uint64_t seed, const std::vector<FittedStep>& fitted,
                void* data) {
  const RandomStream stream{seed, desc.stream, 0, 0};
  switch (desc.initial.kind) {
    case Initial::Kind::constant:
      for (size_t i = 0; i < desc.elements(); ++i) store(data, desc.dtype, i, desc.initial.a);
      return;
    case Initial::Kind::uniform: fill_uniform(desc, stream, data); return;
    case Initial::Kind::normal: fill_normal(desc, stream, data); return;
    case Initial::Kind::truncated_normal: fill_truncated_normal(desc, stream, data); return;
    case Initial::Kind::orthogonal: fill_orthogonal(desc, stream, data); return;
    case Initial::Kind::values: fill_values(desc, desc.initial.values, data); return;
    case Initial::Kind::fitted: fill_values(desc, fitted_values(desc, fitted), data); return;
  }
}

Buffer initial_state(const abi::Program& program, uint64_t seed,
                     const std::vector<FittedStep>& fitted) {
  Buffer state = Buffer::zeros(program.state_bytes);
  for (const abi::StateDesc& desc : program.states) {
    if (desc.panel == 0) {
      initialize(desc, seed, fitted, state.as<char>() + desc.offset);
      continue;
    }
    Buffer values(desc.elements() * abi::size_of(desc.dtype));
    initialize(desc, seed, fitted, values.data());
    write_state(desc, values.data(), state);
  }
  return state;
}

namespace {

// Calls body(byte in the order of the shape, byte in the slab, bytes) for every run of elements
// that lie side by side in both.
template <class Body>
void each_run(const abi::StateDesc& desc, const Body& body) {
  const size_t bytes = abi::size_of(desc.dtype);
  if (desc.panel == 0) return body(size_t{0}, desc.offset, desc.elements() * bytes);
  const auto rows = static_cast<size_t>(desc.shape[0]), width = static_cast<size_t>(desc.panel);
  const size_t panels = static_cast<size_t>(desc.shape[1]) / width;
  for (size_t panel = 0; panel < panels; ++panel) {
    for (size_t row = 0; row < rows; ++row) {
      body((row * panels + panel) * width * bytes,
           desc.offset + (panel * rows + row) * width * bytes, width * bytes);
    }
  }
}

}  // namespace

void read_state(const abi::StateDesc& desc, const Buffer& slab, void* to) {
  each_run(desc, [&](size_t in_order, size_t in_slab, size_t bytes) {
    std::memcpy(static_cast<char*>(to) + in_order, slab.as<char>() + in_slab, bytes);
  });
}

void write_state(const abi::StateDesc& desc, const void* from, Buffer& slab) {
  each_run(desc, [&](size_t in_order, size_t in_slab, size_t bytes) {
    std::memcpy(slab.as<char>() + in_slab, static_cast<const char*>(from) + in_order, bytes);
  });
}

std::vector<FittedStep> fitted_steps(const abi::Program& program, const Buffer& state) {
  std::vector<FittedStep> result;
  for (const abi::StateDesc& desc : program.states) {
    if (desc.initial.kind != Initial::Kind::fitted) continue;
    auto step = std::find_if(result.begin(), result.end(), [&](const FittedStep& known) {
      return known.field == desc.initial.fit_field && known.step == desc.initial.fit_step;
    });
    if (step == result.end()) {
      step = result.insert(result.end(), FittedStep{});
      step->field = desc.initial.fit_field;
      step->step = desc.initial.fit_step;
    }
    std::vector<double>& values = step->statistic(desc.initial.fit_statistic);
    const char* from = state.as<char>() + desc.offset;
    for (size_t i = 0; i < desc.elements(); ++i) {
      const auto* f32 = reinterpret_cast<const float*>(from);
      const auto* f64 = reinterpret_cast<const double*>(from);
      values.push_back(desc.dtype == DType::f64 ? f64[i] : static_cast<double>(f32[i]));
    }
  }
  return result;
}

namespace {

// Whether the exponent of any number has all its bits, as in infinity and NaN.
template <class Bits>
bool any_has(const void* data, size_t count, Bits exponent) {
  const char* from = static_cast<const char*>(data);
  bool any = false;
  for (size_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, from + i * sizeof bits, sizeof bits);
    any |= (bits & exponent) == exponent;
  }
  return any;
}

bool has_non_finite(const abi::StateDesc& desc, const void* data) {
  if (desc.dtype == DType::f32) return any_has(data, desc.elements(), uint32_t{0xff} << 23);
  if (desc.dtype == DType::f64) return any_has(data, desc.elements(), uint64_t{0x7ff} << 52);
  return false;
}

}  // namespace

const abi::StateDesc* non_finite_parameter(const abi::Program& program, const Buffer& state) {
  for (const abi::StateDesc& desc : program.states) {
    const bool is_weight = desc.kind == abi::StateKind::parameter;
    if (is_weight && has_non_finite(desc, state.as<char>() + desc.offset)) return &desc;
  }
  return nullptr;
}

}  // namespace nnc::runtime
