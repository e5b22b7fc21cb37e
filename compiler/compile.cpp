#include "compiler/compile.h"

#include <fmt/format.h>

#include <chrono>
#include <mutex>

#include "compiler/autodiff/autodiff.h"
#include "compiler/jit/jit.h"
#include "compiler/kernel/program.h"
#include "compiler/passes/pass.h"
#include "compiler/spec/graph/update.h"
#include "compiler/spec/resolve.h"

namespace nnc {

namespace {

class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - start_;
    total_ += took.count();
  }

 private:
  double& total_;
  std::chrono::steady_clock::time_point start_;
};

// Steps of less work than this are done before other threads have woken up.
constexpr double shared_flops = 1e6;

// Rows of evaluation and prediction per call.
constexpr int64_t default_inference_batch = 256;

bool is_index(const spec::FieldInfo& field) {
  return field.classes > 0 || !field.vocabulary.empty();
}

// Prediction takes raw numbers in the model's own precision, whatever the data set stores.
std::vector<spec::FieldInfo> raw_fields(std::vector<spec::FieldInfo> fields, bool f64) {
  for (spec::FieldInfo& field : fields)
    if (!is_index(field)) field.dtype = f64 ? abi::DType::f64 : abi::DType::f32;
  return fields;
}

std::vector<int64_t> sizes_of(const ir::Shape& shape, size_t first) {
  std::vector<int64_t> sizes;
  for (size_t i = first; i < shape.size(); ++i) sizes.push_back(shape[i].size);
  return sizes;
}

struct Entry {
  std::unique_ptr<ir::Graph> graph;  // before the step passes
  std::unique_ptr<ir::Graph> fused;
  std::unique_ptr<kernel::LoweredProgram> lowered;
  std::unique_ptr<jit::Executable> code;
  abi::EntryDesc description;
};

class Model final : public CompiledModel {
 public:
  Model(const spec::Description& description, const std::vector<spec::FieldInfo>& fields,
        const CompileOptions& options)
      : description_(description), fields_(fields), options_(options) {}

  // Builds the graphs of all entries; false if there are mistakes.
  bool build(Diagnostics& diagnostics);

  const abi::Program& program() const override { return program_; }
  const spec::Forward& forward() const override { return forward_; }
  bool has_entry(const std::string& name) const override { return entries_.count(name) > 0; }
  const abi::EntryDesc& entry(const std::string& name) override;
  double flops(const std::string& name) override;
  const abi::EntryDesc& profiled_entry(const std::string& name) override;
  std::vector<kernel::GroupSummary> groups(const std::string& name) override;
  LoweredEntry lower(const std::string& name, const kernel::Target& target, int64_t rows) override;
  std::string dump(const std::string& stage, const std::string& entry) override;
  CompileTimings timings() const override { return timings_; }

 private:
  bool build_step(Diagnostics& diagnostics);
  bool build_forward_only(spec::Mode mode, const std::string& name, Diagnostics& diagnostics);
  void add_states(const std::vector<abi::StateDesc>& states);
  void run_passes(ir::Graph& graph, const std::vector<passes::Pass>& list);
  Entry& find(const std::string& name);
  void make_native(const std::string& name, Entry& entry);
  void fuse(Entry& entry);
  void lower(Entry& entry);
  void check_memory(size_t arena_bytes) const;
  abi::EntryDesc describe(const std::string& name, const ir::Graph& graph,
                          const kernel::LoweredProgram& lowered) const;
  int64_t inference_rows() const {
    if (options_.inference_batch > 0) return options_.inference_batch;
    const int64_t training = forward_.graph ? forward_.graph->batch : 0;
    return std::max(default_inference_batch, training);
  }

  const spec::Description description_;
  const std::vector<spec::FieldInfo> fields_;
  const CompileOptions options_;
  abi::Program program_;
  spec::Forward forward_;
  std::map<std::string, size_t> offsets_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> profiled_;
  std::map<std::string, std::string> early_dumps_;  // "graph", "grad": text of the step's stages
  CompileTimings timings_;
  std::mutex mutex_;
};

void Model::run_passes(ir::Graph& graph, const std::vector<passes::Pass>& list) {
  passes::PassOptions options;
  options.stop_after = options_.stop_after;
  options.verify_each = options_.verify_each;
  options.observe = [&](const passes::PassReport& report, const ir::Graph&) {
    timings_.passes.push_back({report.name, report.milliseconds, report.changed});
  };
  passes::run_passes(graph, list, options);
}

void Model::add_states(const std::vector<abi::StateDesc>& states) {
  for (const abi::StateDesc& state : states) {
    if (offsets_.count(state.name)) continue;
    abi::StateDesc placed = state;
    placed.offset = program_.state_bytes;
    offsets_[state.name] = placed.offset;
    const size_t bytes = placed.elements() * abi::size_of(placed.dtype);
    program_.state_bytes += (bytes + 63) / 64 * 64;
    program_.states.push_back(std::move(placed));
  }
}

bool Model::build_step(Diagnostics& diagnostics) {
  auto forward =
      spec::build_forward(description_, fields_, spec::Mode::train, diagnostics, options_.batch);
  if (!forward) return false;
  if (!forward->graph || !forward->total() || forward->trainable().empty()) {
    forward_ = std::move(*forward);
    return true;
  }
  ir::Graph& graph = *forward->graph;
  early_dumps_["graph"] = ir::print(graph);
  run_passes(graph, passes::canonical_passes());
  const auto gradients = autodiff::gradients(graph, forward->total(), forward->trainable());
  early_dumps_["grad"] = ir::print(graph);
  spec::append_update(*forward, gradients, description_, diagnostics);
  if (diagnostics.has_errors()) return false;
  // What training minimises was needed for its derivative only; the trainer adds up the rows.
  std::erase_if(graph.outputs, [](const ir::Output& output) { return output.name == "total"; });
  graph.remove_dead();
  entries_["step"].graph = forward->graph->clone();
  entries_["step"].graph->name = "step";
  forward_ = std::move(*forward);
  return true;
}

bool Model::build_forward_only(spec::Mode mode, const std::string& name, Diagnostics& diagnostics) {
  const bool predict = mode == spec::Mode::predict;
  const bool f64 = description_.precision == spec::Precision::f64;
  auto forward = spec::build_forward(description_, predict ? raw_fields(fields_, f64) : fields_,
                                     mode, diagnostics, inference_rows());
  if (!forward) return false;
  if (forward->graph->outputs.empty()) return true;
  if (early_dumps_["graph"].empty()) early_dumps_["graph"] = ir::print(*forward->graph);
  early_dumps_["graph:" + name] = ir::print(*forward->graph);
  run_passes(*forward->graph, passes::canonical_passes());
  entries_[name].graph = std::move(forward->graph);
  entries_[name].graph->name = name;
  if (predict) forward_.outputs = forward->outputs;
  if (forward_.layers.empty()) forward_.layers = forward->layers;
  if (!predict && forward_.loss_terms.empty() && forward_.metrics.empty()) {
    forward_.metrics = forward->metrics;
    forward_.loss_terms = forward->loss_terms;
  }
  add_states(forward->states);
  return true;
}

bool Model::build(Diagnostics& diagnostics) {
  const Stopwatch watch(timings_.graph_ms);
  program_.name = description_.name;
  if (options_.training) {
    if (!build_step(diagnostics)) return false;
    add_states(forward_.states);
    if (!build_forward_only(spec::Mode::eval, "evaluate", diagnostics)) return false;
  } else {
    Diagnostics ignored;  // a model without loss has nothing to evaluate
    build_forward_only(spec::Mode::eval, "evaluate", ignored);
  }
  if (!build_forward_only(spec::Mode::predict, "predict", diagnostics)) return false;
  program_.state_bytes += 64;  // vectors may be loaded past the end
  program_.loss_terms = forward_.loss_terms;
  program_.metrics = forward_.metrics;
  for (const abi::StateDesc& state : program_.states)
    if (state.kind == abi::StateKind::parameter)
      program_.parameters += static_cast<int64_t>(state.elements());
  return !diagnostics.has_errors();
}

Entry& Model::find(const std::string& name) {
  auto it = entries_.find(name);
  internal_check(it != entries_.end(), "no entry '" + name + "'");
  return it->second;
}

void Model::fuse(Entry& entry) {
  if (entry.fused) return;
  const Stopwatch watch(timings_.passes_ms);
  entry.fused = entry.graph->clone();
  run_passes(*entry.fused, passes::step_passes());
}

void Model::lower(Entry& entry) {
  if (entry.lowered) return;
  fuse(entry);
  const Stopwatch watch(timings_.kernels_ms);
  entry.lowered = std::make_unique<kernel::LoweredProgram>(
      kernel::lower_program(*entry.fused, offsets_, options_.target));
  check_memory(entry.lowered->plan.arena_bytes);
}

void Model::check_memory(size_t arena_bytes) const {
  const size_t needed = program_.state_bytes + arena_bytes;
  if (options_.max_memory == 0 || needed <= options_.max_memory) return;
  const auto amount = [](size_t bytes) {
    const auto size = static_cast<double>(bytes);
    return size < 1e9 ? fmt::format("{:.1f} MB", size * 1e-6)
                      : fmt::format("{:.1f} GB", size * 1e-9);
  };
  throw UserError(description_.model.span, "the model needs more memory than it may take",
                  "at most " + amount(options_.max_memory) + " (--max-memory)",
                  amount(needed) + " for weights, optimizer and scratch");
}

abi::EntryDesc Model::describe(const std::string& name, const ir::Graph& graph,
                               const kernel::LoweredProgram& lowered) const {
  abi::EntryDesc result;
  result.name = name;
  for (const ir::Param& param : graph.params)
    if (param.kind == ir::ParamKind::input)
      result.inputs.push_back(
          {param.external_name, param.value->type.dtype, sizes_of(param.value->type.shape, 1)});
  for (const ir::Output& output : graph.outputs) {
    const ir::Type& type = output.value->type;
    const bool per_row = !type.shape.empty() && type.shape[0].batch;
    result.outputs.push_back(
        {output.name, type.dtype, sizes_of(type.shape, per_row ? 1 : 0), per_row});
  }
  result.scalars = lowered.plan.scalars;
  result.arena_bytes = lowered.plan.arena_bytes;
  result.thread_bytes = lowered.plan.thread_bytes;
  result.max_rows = graph.batch;
  result.preferred_threads = lowered.flops < shared_flops ? 1 : 0;
  result.flush_to_zero = name == "step" && description_.precision == spec::Precision::f32;
  return result;
}

// Machine code for a lowered entry, and what the runtime must know of it.
void Model::make_native(const std::string& name, Entry& entry) {
  const Stopwatch watch(timings_.native_ms);
  jit::Options options;
  options.target = options_.target;
  options.compile_threads = options_.compile_threads;
  options.cache = options_.cache;
  options.cache_dir = options_.cache_dir;
  jit::Timings timings;
  entry.code = jit::compile(entry.lowered->module, options, &timings);
  timings_.from_cache = timings.from_cache;
  entry.description = describe(name, *entry.fused, *entry.lowered);
  entry.description.function =
      reinterpret_cast<abi::EntryFn>(entry.code->lookup(entry.lowered->entry));
  internal_check(entry.description.function != nullptr, "no code for entry " + name);
}

const abi::EntryDesc& Model::entry(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Entry& entry = find(name);
  if (!entry.code) {
    lower(entry);
    make_native(name, entry);
  }
  return entry.description;
}

const abi::EntryDesc& Model::profiled_entry(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Entry& entry = profiled_[name];
  if (!entry.code) {
    entry.graph = find(name).graph->clone();
    fuse(entry);
    entry.lowered = std::make_unique<kernel::LoweredProgram>(
        kernel::lower_program(*entry.fused, offsets_, options_.target, true));
    make_native(name, entry);
  }
  return entry.description;
}

std::vector<kernel::GroupSummary> Model::groups(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Entry& entry = find(name);
  lower(entry);
  return entry.lowered->groups;
}

double Model::flops(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Entry& entry = find(name);
  lower(entry);
  return entry.lowered->flops;
}

LoweredEntry Model::lower(const std::string& name, const kernel::Target& target, int64_t rows) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<ir::Graph> graph = find(name).graph->clone();
  graph->batch = rows;
  run_passes(*graph, passes::step_passes());
  kernel::LoweredProgram lowered = kernel::lower_program(*graph, offsets_, target);
  LoweredEntry result;
  result.description = describe(name, *graph, lowered);
  result.core = lowered.core;
  result.flops = lowered.flops;
  result.module = std::move(lowered.module);
  return result;
}

std::string Model::dump(const std::string& stage, const std::string& which) {
  const std::lock_guard lock(mutex_);
  const std::string name = !which.empty() ? which : has_entry("step") ? "step" : "predict";
  if (stage == "spec") return spec::dump(description_);
  if (!has_entry(name))
    throw UserError({}, "this model has no entry '" + name + "'", "step, evaluate or predict");
  if (stage == "graph") {
    auto it = early_dumps_.find(name == "step" ? "graph" : "graph:" + name);
    return it == early_dumps_.end() ? std::string() : it->second;
  }
  Entry& entry = find(name);
  if (stage == "grad") return name == "step" ? early_dumps_.at("grad") : ir::print(*entry.graph);
  if (stage == "step") return ir::print(*entry.graph);
  fuse(entry);
  if (stage == "fused") return ir::print(*entry.fused);
  lower(entry);
  if (stage == "kernels") return kernel::print(entry.lowered->module);
  if (stage == "llvm") return jit::emit_llvm_ir(entry.lowered->module, options_.target);
  if (stage == "asm") return jit::emit_assembly(entry.lowered->module, options_.target);
  throw UserError({}, "unknown stage '" + stage + "'",
                  "spec, graph, grad, step, fused, kernels, llvm or asm");
}

}  // namespace

std::unique_ptr<CompiledModel> compile(const spec::Description& description,
                                       const std::vector<spec::FieldInfo>& fields,
                                       const CompileOptions& options, Diagnostics& diagnostics) {
  auto model = std::make_unique<Model>(description, fields, options);
  if (!model->build(diagnostics)) return nullptr;
  return model;
}

}  // namespace nnc
