#include "compiler/kernel/target.h"

namespace nnc::kernel {

namespace {
constexpr Isa all_isas[] = {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon};
}  // namespace

// Cache sizes are those of common cores of each level, not of this machine: schedules depend on
// them, and equal targets must give equal kernels.
Target target_for(Isa isa) {
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

Target host_target() {
  for (Isa isa : {Isa::avx512, Isa::avx2, Isa::neon}) {
    if (host_supports(isa)) return target_for(isa);
  }
  return target_for(Isa::sse2);
}

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
