// What the schedules and the printers need to know of a machine. Never a measurement: what is
// chosen from it may not change results, and equal targets give equal kernels.
#pragma once

#include <string>

namespace nnc::kernel {

enum class Isa { sse2, avx2, avx512, neon };

struct Target {
  Isa isa = Isa::avx512;
  int vector_bytes = 64;  // width of a native register
  int registers = 32;     // vector registers
  bool fma = true;
  bool masks = true;  // masked loads and stores are as cheap as plain ones
  long l1_bytes = 48 << 10;
  long l2_bytes = 1 << 20;
  int threads = 2;  // what rows are expected to be shared by; any number may run
  // The tile of every contraction, for measurements of the cost model; 0: chosen.
  int forced_rows = 0, forced_vectors = 0;
  bool forced_packing = false;

  int lanes(int element_bytes) const { return vector_bytes / element_bytes; }
};

Target target_for(Isa isa);
Target host_target();          // the best level of this machine
const char* name_of(Isa isa);  // "avx512"
bool parse_isa(const std::string& text, Isa& isa);
bool host_supports(Isa isa);

}  // namespace nnc::kernel
