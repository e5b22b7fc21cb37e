// What this machine can do: measured once, kept in the cache folder, the yardstick of profiles.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/kernel/target.h"

namespace nnc::tool {

// Reading memory that stays in one level of the caches, or in none.
struct MemoryLevel {
  std::string name;      // L1, L2, L3, memory
  int64_t capacity = 0;  // bytes; of each core for L1 and L2, of all for L3; memory: 0
  int64_t bytes = 0;     // that each thread read, over and over
  double one = 0;        // GB/s of one thread
  double all = 0;        // GB/s of all threads together, each reading its own
};

// Typical (median) figures but for the peak, which is the best.
struct Machine {
  std::string cpu;
  int cores = 1;
  std::string isa;
  int64_t measured = 0;  // seconds since 1970
  double peak_one = 0;   // GFLOP/s of multiply-adds in registers
  double peak_all = 0;
  std::vector<MemoryLevel> levels;  // the nearest first
  double call_ns = 0;               // handing a call to all threads and waiting for them
  // With one core these are 0: there is nobody to wait for.
  double barrier_ns = 0;
  double give_gbs = 0;  // writing memory that another core has read
  double take_gbs = 0;  // reading memory that another core has written
};

// What a machine is known by: its processor and the cores that this process may use.
std::string cpu_name();

// Measures for about two seconds.
Machine measure_machine(const kernel::Target& target);

// The figures kept for this machine and instruction set; none if there are none or they are
// damaged.
std::optional<Machine> kept_machine(const kernel::Target& target);
// Keeps them, atomically; false where there is no place for it.
bool keep_machine(const Machine& machine);
// Where they are or would be; empty: nowhere.
std::string machine_path(const kernel::Target& target);

// Kept figures, or new ones, which are kept then; says on standard error that it measures.
Machine machine_figures(const kernel::Target& target);

// nnc bench --machine: the table, from what is kept unless `renew`.
void print_machine(const kernel::Target& target, bool renew, bool json);

}  // namespace nnc::tool
