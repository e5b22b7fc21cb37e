// One entry of a model on its way from a graph to machine code. Each stage is made when somebody
// needs it, once, and code that was kept on disk needs no kernels at all.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "compiler/compile.h"
#include "compiler/compile_record.h"
#include "compiler/jit/jit.h"
#include "compiler/passes/pass.h"

namespace nnc {

// What the entries of a model share.
struct EntryContext {
  const CompileOptions& options;
  const language::Description& description;
  const std::map<std::string, size_t>& offsets;  // of states in the slab, by name
  size_t state_bytes = 0;                        // of the slab
  TimingRecord& record;
};

// The passes of a list, each timed.
void run_passes(ir::Graph& graph, const std::vector<passes::Pass>& list, Stage stage,
                const CompileOptions& options, Laps& laps);

class Entry {
 public:
  std::mutex mutex;  // whoever calls the functions below holds it
  std::string name;  // as in its EntrySpec
  abi::EntryKind kind = abi::EntryKind::predict;
  std::unique_ptr<ir::Graph> graph;  // before the step passes; stays as it is
  bool profiled = false;             // with marks between its groups

  const ir::Graph& fused(const EntryContext& context);
  const kernel::PlannedProgram& planned(const EntryContext& context);
  const kernel::LoweredProgram& lowered(const EntryContext& context);
  // The same description; its `function` is null before the first native().
  const abi::EntryDesc& described(const EntryContext& context);
  const abi::EntryDesc& native(const EntryContext& context);

 private:
  bool load(const jit::Options& options, Laps& laps);
  void compile(const jit::Options& options, const EntryContext& context);

  std::unique_ptr<ir::Graph> fused_;
  std::unique_ptr<kernel::PlannedProgram> planned_;
  std::unique_ptr<kernel::LoweredProgram> lowered_;
  std::unique_ptr<jit::Executable> code_;
  abi::EntryDesc description_;
};

// How the entry is called; `function` is null.
abi::EntryDesc describe(const Entry& entry, const ir::Graph& graph,
                        const kernel::PlannedProgram& planned, const language::Description& model);

}  // namespace nnc
