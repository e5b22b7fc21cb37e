// Every printed instruction against its plain meaning, at every level this machine has.
#include <doctest/doctest.h>

#include <map>

#include "compiler/jit/jit.h"
#include "tests/support/kernel_interpreter.h"
#include "tests/support/random_kernel.h"

using namespace nnc;
using kernel::Isa;

namespace {

using Entry = void (*)(void*, void*, void*, void*, void*, void*, void*, void*, void*, void*, void*,
                       void*, void*, void*, int64_t);

void call(void* function, testing::Buffers& buffers) {
  std::vector<void*> p;
  for (auto& buffer : buffers.inputs) p.push_back(buffer.data());
  for (auto& buffer : buffers.outputs) p.push_back(buffer.data());
  reinterpret_cast<Entry>(function)(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9],
                                    p[10], p[11], p[12], p[13], buffers.n);
}

}  // namespace

TEST_CASE("random kernels compute what the interpreter computes, on every instruction set") {
  constexpr int all_lanes[] = {1, 2, 4, 8, 16, 32};
  constexpr int64_t sizes[] = {0, 1, 7, 31, 64, 77};
  for (uint64_t seed = 1; seed <= 36; ++seed) {
    const int lanes = all_lanes[seed % 6];
    const int64_t n = sizes[(seed / 6) % 6];
    const kernel::Module module = testing::random_kernel(seed, lanes);
    kernel::verify(module);
    std::map<bool, testing::Buffers> expected;  // with and without fused multiply-add
    for (bool fma : {false, true}) {
      testing::Buffers buffers(seed, n, lanes);
      testing::interpret(module, "entry", buffers.arguments(), fma);
      expected.emplace(fma, buffers);
    }
    for (Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon}) {
      if (!kernel::host_supports(isa)) continue;
      CAPTURE(seed);
      CAPTURE(lanes);
      CAPTURE(n);
      CAPTURE(std::string(kernel::name_of(isa)));
      jit::Options options;
      options.target = kernel::target_for(isa);
      options.compile_threads = 1 + static_cast<int>(seed % 2);
      auto executable = jit::compile(module, options);
      testing::Buffers buffers(seed, n, lanes);
      call(executable->lookup("entry"), buffers);
      CHECK(testing::first_difference(expected.at(options.target.fma), buffers) == "");
    }
  }
}
