#include "compiler/kernel/target.h"

namespace nnc::kernel {

namespace {
constexpr Isa all_isas[] = {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon};

// Four instructions a cycle, of which the neighbour on the other half of the core takes some; a
// first cache of 32 KiB; a shared cache that is reached through a mesh. Pages lie anywhere in the
// second cache, so that some of its sets are wanted twice as often as others. Fitted to the times
// of 200 shapes on a Cascade Lake server (tests/tiles). An Emerald Rapids server begins six
// instructions and has larger caches, but the neighbour and the mesh as well: steps planned so are
// faster there than those of `common` (784-512-512-10 in three quarters of the time).
void tune_for_intel(Target& target) {
  target.core = Core::intel;
  target.l1_bytes = 32 << 10;
  target.issue = 3;
  target.far_line = 7.5;
  target.new_page = 5.5;
  target.l2_ways = 8;
  target.l2_share = 0;
  target.divides_beside = true;
}
}  // namespace

// Cache sizes are those of common cores of each level, not of this machine: schedules depend on
// them, and equal targets must give equal kernels.
Target target_for(Isa isa, Core core) {
  Target target;
  target.isa = isa;
  switch (isa) {
    case Isa::avx512: break;
    case Isa::avx2:
      target.vector_bytes = 32;
      target.registers = 16;
      target.masks = false;
      target.l1_bytes = 32 << 10;
      target.l2_bytes = 512 << 10;
      break;
    case Isa::sse2:
      target.vector_bytes = 16;
      target.registers = 16;
      target.fma = false;
      target.masks = false;
      target.l1_bytes = 32 << 10;
      target.l2_bytes = 256 << 10;
      break;
    case Isa::neon:
      target.vector_bytes = 16;
      target.registers = 32;
      target.masks = false;
      target.l1_bytes = 64 << 10;
      target.l2_bytes = 512 << 10;
      break;
  }
  if (core == Core::intel && isa != Isa::neon) tune_for_intel(target);
  return target;
}

bool host_supports(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::sse2: return true;
    case Isa::avx2: return __builtin_cpu_supports("x86-64-v3");
    case Isa::avx512: return __builtin_cpu_supports("x86-64-v4");
    case Isa::neon: return false;
  }
  return false;
#elif defined(__aarch64__)
  return isa == Isa::neon;
#else
#error "nnc generates code for x86-64 and aarch64"
#endif
}

Core host_core() {
#if defined(__x86_64__)
  if (__builtin_cpu_is("skylake") || __builtin_cpu_is("skylake-avx512") ||
      __builtin_cpu_is("cascadelake") || __builtin_cpu_is("cooperlake") ||
      (__builtin_cpu_is("intel") && host_supports(Isa::avx512)))
    return Core::intel;
#endif
  return Core::common;
}

Target host_target() {
  for (Isa isa : {Isa::avx512, Isa::avx2, Isa::neon}) {
    if (host_supports(isa)) return host_target(isa);
  }
  return host_target(Isa::sse2);
}

Target host_target(Isa isa) { return target_for(isa, host_core()); }

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::sse2: return "sse2";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::neon: return "neon";
  }
  return "?";
}

bool parse_isa(const std::string& text, Isa& isa) {
  for (Isa candidate : all_isas) {
    if (text == name_of(candidate)) {
      isa = candidate;
      return true;
    }
  }
  return false;
}

}  // namespace nnc::kernel
