// The stage driver and the compiler's public face: from a typed model description to native entry
// points, every stage of which can be printed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"
#include "compiler/kernel/program.h"
#include "compiler/kernel/target.h"
#include "compiler/spec/description.h"
#include "compiler/spec/graph/forward.h"
#include "compiler/support/diagnostics.h"
#include "runtime/abi.h"

namespace nnc {

struct CompileOptions {
  kernel::Target target = kernel::host_target();
  int compile_threads = 2;
  bool cache = true;            // the object cache on disk
  std::string cache_dir;        // empty: $XDG_CACHE_HOME/nnc or ~/.cache/nnc
  int64_t batch = 0;            // rows of a step; 0: as the file says
  int64_t inference_batch = 0;  // rows of evaluate and predict at most; 0: chosen
  size_t max_memory = 0;        // bytes for weights, optimizer and scratch; 0: no limit
  bool training = true;         // false: no step and no optimizer state (predict, emit)
  std::string stop_after;       // name of a pass after which the list is left (dump only)
  bool verify_each = false;     // verify the graph around every pass
};

struct PassTime {
  std::string name;
  double milliseconds = 0;
  bool changed = false;
};

// Of everything done so far.
struct CompileTimings {
  double graph_ms = 0;    // description to the graphs of the asked entries
  double passes_ms = 0;   // simplification, derivatives, fusion
  double kernels_ms = 0;  // kernel IR
  double native_ms = 0;   // machine code, or reading it from the cache
  bool from_cache = false;
  std::vector<PassTime> passes;
  double total() const { return graph_ms + passes_ms + kernels_ms + native_ms; }
};

// A planned entry before machine code: what emission and dumps need.
struct LoweredEntry {
  kernel::Module module;       // exported function: `core` below
  std::string core;            // its name; parameters as kernel/program.h says
  abi::EntryDesc description;  // `function` is null
  double flops = 0;            // of one call with `rows` rows, by the rule of the benchmarks
};

class CompiledModel {
 public:
  virtual ~CompiledModel() = default;
  // States of all entries with their offsets in the slab; loss terms and metrics.
  virtual const abi::Program& program() const = 0;
  virtual const spec::Forward& forward() const = 0;  // layer summary, parameters
  // "step" (only if something is trainable), "evaluate" (only with a loss or metrics), "predict".
  virtual bool has_entry(const std::string& name) const = 0;
  // Machine code, compiled on first need and valid as long as the model. Thread-safe.
  // InternalError for a name that has_entry denies.
  virtual const abi::EntryDesc& entry(const std::string& name) = 0;
  // Of one call with the largest number of rows: 2 for each multiply-add of contractions.
  virtual double flops(const std::string& entry) = 0;
  // The same entry with marks for `nnc bench --profile` (kernel/program.h, profile_shift), and its
  // groups in the order of the marks. `arena_bytes` and the rest are as for entry().
  virtual const abi::EntryDesc& profiled_entry(const std::string& name) = 0;
  virtual std::vector<kernel::GroupSummary> groups(const std::string& entry) = 0;
  // Kernels for another target and at most `rows` rows, for emission. Nothing is kept of them.
  virtual LoweredEntry lower(const std::string& entry, const kernel::Target& target,
                             int64_t rows) = 0;
  // One of spec, graph, grad, step, fused, kernels, llvm, asm of an entry ("step" where there is
  // one, else "predict"). UserError for an unknown stage.
  virtual std::string dump(const std::string& stage, const std::string& entry = {}) = 0;
  virtual CompileTimings timings() const = 0;
};

// Builds the graphs of all entries; machine code comes with entry(). `fields` are what probing the
// data found. Null when the description has errors (they are in `diagnostics`).
std::unique_ptr<CompiledModel> compile(const spec::Description& description,
                                       const std::vector<spec::FieldInfo>& fields,
                                       const CompileOptions& options, Diagnostics& diagnostics);

}  // namespace nnc
