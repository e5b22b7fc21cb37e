// The stage driver and the compiler's public face: from a typed model description to native entry
// points, every stage of which can be printed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/assemble/forward.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/program.h"
#include "compiler/kernel/target.h"
#include "compiler/language/description.h"
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
  bool float_inputs = false;    // prediction takes f32 where that tells raw numbers apart (emit)
  bool training = true;         // false: no step and no optimizer state (predict, emit)
  std::vector<std::string> called;  // without training: what is, predict or functions; empty: all
  std::string stop_after;           // name of a pass after which the list is left (dump only)
  bool verify_each = false;         // verify the graph around every pass
};

enum class Stage {
  graph,    // description to graphs: layers, simplification, derivatives, update
  passes,   // the graph of a step to fused groups
  kernels,  // groups to kernel IR
  native,   // kernel IR to machine code, or reading it from the cache
};

// One stretch of compiling; none lies inside another.
struct PhaseTime {
  Stage stage = Stage::graph;
  std::string entry;  // its name
  std::string name;   // "derivatives", "fuse", "machine code" …
  double milliseconds = 0;
  std::optional<bool> changed;  // of a pass over the graph: whether it changed anything
};

// Of everything done so far. What was compiled in the background counts too.
struct CompileTimings {
  std::vector<PhaseTime> phases;  // in the order in which they ended
  bool from_cache = false;        // the first entry that was made callable
  double of(Stage stage) const;
  double total() const;
};

// A planned entry before machine code: what emission and dumps need.
struct LoweredEntry {
  kernel::Module module;       // exported function: `core` below
  std::string core;            // its name; parameters as kernel/program.h says
  abi::EntryDesc description;  // `function` is null
  double flops = 0;            // of one call with `rows` rows, by the rule of the benchmarks
  bool in_blocks = false;      // its scratch is bounded by the caches, for any number of rows
  bool batch_last = false;     // vectors run along rows: a few rows cost as much as many
};

// Scratch of an entry, in bytes.
struct ScratchBytes {
  size_t arena = 0;  // as planned
  size_t live = 0;   // of the values alive at once, at most: no plan needs less
};

class CompiledModel {
 public:
  virtual ~CompiledModel() = default;
  // States of all entries with their offsets in the slab; loss terms and metrics.
  virtual const abi::Program& program() const = 0;
  virtual const assemble::Forward& forward() const = 0;  // layer summary, parameters
  // Those of program().entries: steps (only if something is trainable), "evaluate" (only with a
  // loss or metrics), "predict", functions.
  virtual bool has_entry(const std::string& name) const = 0;
  // Machine code, compiled on first need and valid as long as the model. Thread-safe.
  // InternalError for a name that has_entry denies.
  // Different entries are compiled at the same time if several threads ask.
  virtual const abi::EntryDesc& entry(const std::string& name) = 0;
  // The same without machine code: `function` may be null.
  virtual const abi::EntryDesc& planned_entry(const std::string& name) = 0;
  // Of one call with the largest number of rows: 2 for each multiply-add of contractions.
  virtual double flops(const std::string& entry) = 0;
  virtual ScratchBytes scratch(const std::string& entry, int threads) = 0;
  // The same entry with marks for `nnc bench --profile` (kernel/program.h, profile_shift), and its
  // groups in the order of the marks. `arena_bytes` and the rest are as for entry().
  virtual const abi::EntryDesc& profiled_entry(const std::string& name) = 0;
  virtual std::vector<kernel::GroupSummary> groups(const std::string& entry) = 0;
  // The states that an entry reads, in the order of their places.
  virtual std::vector<abi::StateDesc> states_of(const std::string& name) = 0;
  // Kernels for another target and at most `rows` rows, for emission. Nothing is kept of them.
  virtual LoweredEntry lower(const std::string& entry, const kernel::Target& target,
                             int64_t rows) = 0;
  // One of spec, graph, grad, step, fused, kernels, llvm, asm of an entry (empty: the main one).
  // UserError for an unknown stage.
  virtual std::string dump(const std::string& stage, const std::string& entry = {}) = 0;
  virtual CompileTimings timings() const = 0;
};

// Builds the graphs of all entries; machine code comes with entry(). `fields` are what probing the
// data found. Null when the description has errors (they are in `diagnostics`).
std::unique_ptr<CompiledModel> compile(const language::Description& description,
                                       const std::vector<assemble::FieldInfo>& fields,
                                       const CompileOptions& options, Diagnostics& diagnostics);

}  // namespace nnc
