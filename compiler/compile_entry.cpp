#include "compiler/compile_entry.h"

#include <fmt/format.h>

#include "compiler/kernel/widen_stores.h"

namespace nnc {

namespace {

// Steps of less work than this are done before other threads have woken up.
constexpr double shared_flops = 1e6;

void check_memory(size_t arena_bytes, const EntryContext& context) {
  const size_t most = context.options.max_memory, needed = context.state_bytes + arena_bytes;
  if (most == 0 || needed <= most) return;
  const auto amount = [](size_t bytes) {
    const auto size = static_cast<double>(bytes);
    return size < 1e5   ? fmt::format("{:.1f} KB", size * 1e-3)
           : size < 1e9 ? fmt::format("{:.1f} MB", size * 1e-6)
                        : fmt::format("{:.1f} GB", size * 1e-9);
  };
  throw UserError(context.description.model.span, "the model needs more memory than it may take",
                  "at most " + amount(most) + " (--max-memory)",
                  amount(needed) + " for weights, optimizer and scratch");
}

}  // namespace

void run_passes(ir::Graph& graph, const std::vector<passes::Pass>& list, Stage stage,
                const CompileOptions& options, Laps& laps) {
  passes::PassOptions pass_options;
  pass_options.stop_after = options.stop_after;
  pass_options.verify_each = options.verify_each;
  pass_options.observe = [&](const passes::PassReport& report, const ir::Graph&) {
    laps.lap(stage, report.name, report.changed);
  };
  passes::run_passes(graph, list, pass_options);
}

abi::EntryDesc describe(const Entry& entry, const ir::Graph& graph,
                        const kernel::PlannedProgram& planned, const language::Description& model) {
  abi::EntryDesc result;
  result.name = entry.name;
  for (const ir::Param& param : graph.params) {
    const ir::Type& type = param.value->type;
    if (param.kind == ir::ParamKind::input)
      result.inputs.push_back({param.external_name, type.dtype, ir::sizes_of(type.shape, 1)});
  }
  for (const ir::Output& output : graph.outputs) {
    const ir::Type& type = output.value->type;
    const bool per_row = !type.shape.empty() && type.shape[0].batch;
    result.outputs.push_back(
        {output.name, type.dtype, ir::sizes_of(type.shape, per_row ? 1 : 0), per_row});
  }
  result.scalars = planned.plan.scalars;
  result.arena_bytes = planned.plan.arena_bytes;
  result.thread_bytes = planned.plan.thread_bytes;
  result.max_rows = graph.batch;
  result.preferred_threads = planned.flops < shared_flops ? 1 : 0;
  result.flush_to_zero =
      entry.kind == abi::EntryKind::step && model.precision == language::Precision::f32;
  return result;
}

const ir::Graph& Entry::fused(const EntryContext& context) {
  if (fused_) return *fused_;
  Laps laps(context.record, name);
  fused_ = graph->clone();
  run_passes(*fused_, passes::step_passes(), Stage::passes, context.options, laps);
  return *fused_;
}

const kernel::PlannedProgram& Entry::planned(const EntryContext& context) {
  if (planned_) return *planned_;
  check_memory(0, context);  // passes and schedules of what is far too large would take long
  const ir::Graph& scheduled = fused(context);
  Laps laps(context.record, name);
  planned_ = std::make_unique<kernel::PlannedProgram>(
      kernel::plan_program(scheduled, context.offsets, context.options.target));
  check_memory(planned_->plan.arena_bytes, context);
  description_ = describe(*this, scheduled, *planned_, context.description);
  laps.lap(Stage::kernels, "plan");
  return *planned_;
}

const kernel::LoweredProgram& Entry::lowered(const EntryContext& context) {
  if (lowered_) return *lowered_;
  const kernel::PlannedProgram& plan = planned(context);
  const kernel::Target& target = context.options.target;
  Laps laps(context.record, name);
  lowered_ = std::make_unique<kernel::LoweredProgram>(
      kernel::lower_planned(*fused_, plan, target, profiled));
  if (fused_->batch == 1 && target.threads == 1 && !kernel::updates_states(*fused_))
    kernel::widen_stores(lowered_->module, lowered_->core);
  laps.lap(Stage::kernels, "kernel IR");
  return *lowered_;
}

const abi::EntryDesc& Entry::described(const EntryContext& context) {
  planned(context);
  return description_;
}

// Machine code that was kept. False if there is none.
bool Entry::load(const jit::Options& options, Laps& laps) {
  jit::Timings timings;
  code_ = jit::load({planned_->entry}, options, &timings);
  laps.part(Stage::native, "cache", timings.cache);
  if (code_) laps.lap(Stage::native, "linking");
  return code_ != nullptr;
}

void Entry::compile(const jit::Options& options, const EntryContext& context) {
  const kernel::Module& module = lowered(context).module;
  Laps laps(context.record, name);
  jit::Timings timings;
  code_ = jit::compile(module, options, &timings);
  laps.part(Stage::native, "equal kernels", timings.merge);
  laps.part(Stage::native, "target", timings.slowest.setup);
  laps.part(Stage::native, "LLVM IR", timings.slowest.print);
  laps.part(Stage::native, "LLVM passes", timings.slowest.optimize);
  laps.part(Stage::native, "machine code", timings.slowest.codegen);
  laps.part(Stage::native, "threads", timings.compile - timings.slowest.total());
  laps.part(Stage::native, "linking", timings.link);
  laps.lap(Stage::native, "cache");
}

const abi::EntryDesc& Entry::native(const EntryContext& context) {
  if (code_) return description_;
  const kernel::PlannedProgram& plan = planned(context);
  Laps laps(context.record, name);
  jit::Options options;
  options.target = context.options.target;
  options.compile_threads = context.options.compile_threads;
  options.cache_dir = context.options.cache_dir;
  if (context.options.cache)
    options.identity = kernel::identity(*fused_, plan, options.target, profiled);
  laps.lap(Stage::native, "cache key");
  const bool kept = load(options, laps);
  context.record.set_from_cache(kept);
  if (!kept) compile(options, context);
  description_.function = reinterpret_cast<abi::EntryFn>(code_->lookup(plan.entry));
  internal_check(description_.function != nullptr, "no code for entry " + name);
  return description_;
}

}  // namespace nnc
