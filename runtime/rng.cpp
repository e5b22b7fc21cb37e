#include "runtime/rng.h"

#include <bit>
#include <cmath>

namespace nnc::runtime {

// x = m·2^e with m in [sqrt(1/2), sqrt(2)), then the series of
// 2·atanh((m-1)/(m+1)).
double natural_log(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int64_t exponent = static_cast<int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * z;
  return static_cast<double>(exponent) * 0.6931471805599453 + 2.0 * (s + s * sum);
}

// To the nearest quarter turn, then Taylor's series.
std::array<double, 2> cos_sin_turns(double u) {
  const int quarter = static_cast<int>(u * 4.0 + 0.5);  // 0 … 4
  const double angle = (u - quarter * 0.25) * 6.283185307179586;
  const double z = angle * angle;
  double c = 0;
  for (int k = 16; k >= 2; k -= 2) c = (c + 1.0) * (-z / static_cast<double>(k * (k - 1)));
  double s = 0;
  for (int k = 17; k >= 3; k -= 2) s = (s + 1.0) * (-z / static_cast<double>(k * (k - 1)));
  const double cosine = 1.0 + c;
  const double sine = angle + angle * s;
  switch (quarter & 3) {
    case 0: return {cosine, sine};
    case 1: return {-sine, cosine};
    case 2: return {-cosine, -sine};
    default: return {sine, -cosine};
  }
}

float uniform_f32(const RandomStream& stream, uint64_t element) {
  return uniform_f32(stream.word(element));
}

double uniform_f64(const RandomStream& stream, uint64_t element) {
  const Words words = stream.block(element / 2);
  const size_t first = (element % 2) * 2;
  return uniform_f64(words[first], words[first + 1]);
}

std::array<double, 2> normal_pair(const Words& words) {
  // 1 - u is in (0, 1], so that its logarithm is finite.
  const double radius = std::sqrt(-2.0 * natural_log(1.0 - uniform_f64(words[0], words[1])));
  const std::array<double, 2> direction = cos_sin_turns(uniform_f64(words[2], words[3]));
  return {radius * direction[0], radius * direction[1]};
}

double normal(const RandomStream& stream, uint64_t element) {
  return normal_pair(stream.block(element / 2))[element % 2];
}

uint64_t stream_of(const char* name) {
  uint64_t hash = 0xCBF29CE484222325ull;
  for (const char* c = name; *c != 0; ++c) {
    hash = (hash ^ static_cast<unsigned char>(*c)) * 0x100000001B3ull;
  }
  // The finisher of MurmurHash3, so that short names differ in all bits.
  hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDull;
  hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return hash ^ (hash >> 33);
}

void shuffle(std::vector<int32_t>& values, const RandomStream& stream) {
  Words words{};
  uint64_t used = 0;
  for (size_t i = values.size(); i > 1; --i, ++used) {
    if (used % 4 == 0) words = stream.block(used / 4);
    const size_t j = static_cast<size_t>((uint64_t{words[used % 4]} * i) >> 32);
    std::swap(values[i - 1], values[j]);
  }
}

std::vector<int32_t> permutation(int64_t rows, uint64_t seed, uint64_t epoch) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  shuffle(order, {seed, stream_of("shuffle"), static_cast<uint32_t>(epoch), 0});
  return order;
}

}  // namespace nnc::runtime
