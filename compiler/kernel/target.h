// What the schedules and the printers need to know of a machine. Never a measurement: what is
// chosen from it may not change results, and equal targets give equal kernels.
#pragma once

#include <string>

namespace nnc::kernel {

constexpr int64_t line = 64;  // bytes of a cache line, on every machine that kernels are made for
constexpr size_t whole_lines(size_t bytes) { return (bytes + line - 1) / line * line; }

enum class Isa { sse2, avx2, avx512, neon };

// Cores that differ in what the same instructions cost. `intel`: Intel's of 2015 to 2020, laptop to
// server (Skylake, Kaby, Coffee, Comet, Cascade and Cooper Lake), and whatever has AVX-512 since
// (Ice Lake to Granite Rapids); `common`: AMD's, and Intel's newer ones with AVX2 alone.
enum class Core { common, intel };

struct Target {
  Isa isa = Isa::avx512;
  int vector_bytes = 64;  // width of a native register
  int registers = 32;     // vector registers
  bool fma = true;
  bool masks = true;  // masked loads and stores are as cheap as plain ones
  long l1_bytes = 48 << 10;
  long l2_bytes = 1 << 20;
  Core core = Core::common;
  double issue = 8;       // instructions that a thread begins in a cycle
  double far_line = 4.4;  // cycles for a cache line from behind the second cache
  double new_page = 0;    // cycles for a row of B that lies in another page than the last one
  // Ways of the second cache that a panel may count on, and how much of its share there is found by
  // the next tile if the panel is larger.
  int l2_ways = 16;
  double l2_share = 1;
  // Whether roots and divisions take no time from multiply-adds that do not wait for them.
  bool divides_beside = false;
  int threads = 2;  // what rows are expected to be shared by; any number may run
  // The tile of every contraction, for measurements of the cost model; 0: chosen.
  int forced_rows = 0, forced_vectors = 0;
  bool forced_packing = false;
  int forced_rest = 0;  // 0: chosen, even if the rest of the tile is not

  int lanes(int element_bytes) const { return vector_bytes / element_bytes; }
  // Vectors of this machine whose instructions are written in turn where each is a long chain.
  int side_by_side() const { return registers >= 32 ? 4 : 2; }
  bool operator==(const Target&) const = default;
};

Target target_for(Isa isa, Core core = Core::common);
Target host_target();         // the best level of this machine, as its cores want it
Target host_target(Isa isa);  // that level instead
Core host_core();
const char* name_of(Isa isa);  // "avx512"
bool parse_isa(const std::string& text, Isa& isa);
bool host_supports(Isa isa);

}  // namespace nnc::kernel
