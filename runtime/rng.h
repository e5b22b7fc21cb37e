// Counter-based random numbers: a number is a function of (seed, stream, step, time, element), so
// results depend neither on the number of threads nor on the order of calls.
// Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace nnc::runtime {

using Words = std::array<uint32_t, 4>;

// The ten rounds.
inline Words philox(Words counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// One stream of random numbers at one step and time. Key: seed xor stream; counter: block (64
// bits), step, time.
struct RandomStream {
  uint64_t seed = 0;
  uint64_t stream = 0;
  uint32_t step = 0;
  uint32_t time = 0;

  // Four random words; a block serves several elements.
  Words block(uint64_t index) const {
    const uint64_t key = seed ^ stream;
    return philox({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), step, time},
                  {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  }
  // Word `element % 4` of block `element / 4`.
  uint32_t word(uint64_t element) const { return block(element / 4)[element % 4]; }
};

// 24 random bits in [0, 1).
inline float uniform_f32(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
// 53 random bits in [0, 1).
inline double uniform_f64(uint32_t high, uint32_t low) {
  return static_cast<double>((uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

// log(x) of a normal positive number, accurate to about 2 ULP, and cos(2πu) and sin(2πu) for u in
// [0, 1): the same bits everywhere.
double natural_log(double x);
std::array<double, 2> cos_sin_turns(double u);

// Uniform in [0, 1): word `element` of the stream as f32; two words an element as f64.
float uniform_f32(const RandomStream& stream, uint64_t element);
double uniform_f64(const RandomStream& stream, uint64_t element);

// Standard normal numbers by Box and Muller, two from a block, in f64 arithmetic with log and cos
// of our own, so that bits do not depend on the C library.
std::array<double, 2> normal_pair(const Words& words);
double normal(const RandomStream& stream, uint64_t element);

// A hash of a name, to be used as a stream (FNV-1a, 64 bits, finished by a mixer).
uint64_t stream_of(const char* name);

// The numbers 0 … rows-1 in the order of `epoch`: Fisher and Yates, by (seed, epoch) only.
std::vector<int32_t> permutation(int64_t rows, uint64_t seed, uint64_t epoch);
// Shuffles `values` in place in the same way.
void shuffle(std::vector<int32_t>& values, const RandomStream& stream);

}  // namespace nnc::runtime
