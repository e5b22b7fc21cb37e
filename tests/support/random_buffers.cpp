#include <cmath>
#include <cstring>
#include <random>

#include "tests/support/kernel_interpreter.h"
#include "tests/support/random_kernel.h"

namespace nnc::testing {

using kernel::Scalar;

namespace {

bool is_nan(Scalar s, uint64_t bits) {
  switch (s) {
    case Scalar::f32: return (bits & 0x7fffffff) > 0x7f800000;
    case Scalar::f64: return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
    case Scalar::bf16: return (bits & 0x7fff) > 0x7f80;
    default: return false;
  }
}

// Ordinary numbers mostly, and now and then the special ones.
double random_number(std::mt19937_64& random) {
  constexpr double special[] = {0.0, -0.0, 1.0,  -1.0,   0.5,      1.5,
                                2.5, -2.5, 1e30, -1e-40, INFINITY, NAN};
  if (random() % 8 == 0) return special[random() % 12];
  return std::normal_distribution<double>(0, 20)(random);
}

uint64_t random_element(Scalar s, std::mt19937_64& random) {
  uint64_t lane = lane_of(random_number(random));
  switch (s) {
    case Scalar::f32:
    case Scalar::f64:
    case Scalar::bf16:
      return s == Scalar::f64 ? lane : evaluate(kernel::Op::convert, s, Scalar::f64, &lane, false);
    case Scalar::i1: return random() & 1;
    default: return random() >> random() % 60;
  }
}

}  // namespace

Buffers::Buffers(uint64_t seed, int64_t n, int lanes) : n(n) {
  std::mt19937_64 random(seed);
  for (Scalar s : buffer_scalars) {
    const auto size = static_cast<size_t>(kernel::bytes_of(s));
    auto& input = inputs.emplace_back((static_cast<size_t>(n + 2 * lanes) + 64) * size);
    for (size_t i = 0; i < input.size(); i += size) {
      const uint64_t element = random_element(s, random);
      std::memcpy(&input[i], &element, size);
    }
    outputs.emplace_back(4 * static_cast<size_t>(n + 2 * lanes) * size, 0);
  }
}

std::vector<uint64_t> Buffers::arguments() {
  std::vector<uint64_t> all;
  for (auto& buffer : inputs) all.push_back(lane_of(buffer.data()));
  for (auto& buffer : outputs) all.push_back(lane_of(buffer.data()));
  all.push_back(static_cast<uint64_t>(n));
  return all;
}

std::string first_difference(const Buffers& a, const Buffers& b) {
  for (int i = 0; i < buffer_count; ++i) {
    const auto size = static_cast<size_t>(kernel::bytes_of(buffer_scalars[i]));
    for (size_t at = 0; at < a.outputs[i].size(); at += size) {
      uint64_t x = 0, y = 0;
      std::memcpy(&x, &a.outputs[i][at], size);
      std::memcpy(&y, &b.outputs[i][at], size);
      const bool both_nan = is_nan(buffer_scalars[i], x) && is_nan(buffer_scalars[i], y);
      if (x == y || both_nan) continue;
      return std::string(name_of(buffer_scalars[i])) + " buffer, element " +
             std::to_string(at / size) + ": bits " + std::to_string(x) + " and " +
             std::to_string(y);
    }
  }
  return {};
}

}  // namespace nnc::testing
