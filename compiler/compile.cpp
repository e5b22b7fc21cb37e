#include "compiler/compile.h"

#include <algorithm>
#include <mutex>

#include "compiler/assemble/unit_variance.h"
#include "compiler/assemble/update.h"
#include "compiler/autodiff/autodiff.h"
#include "compiler/compile_entry.h"
#include "compiler/compile_record.h"
#include "compiler/jit/jit.h"
#include "compiler/kernel/program.h"
#include "compiler/kernel/views.h"
#include "compiler/language/resolve.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/prelude.h"
#include "compiler/passes/state_panels.h"
#include "compiler/support/text.h"

namespace nnc {

namespace {

// Rows of evaluation and prediction per call.
constexpr int64_t default_inference_batch = 256;
// More rows at a time need memory and save nothing.
constexpr int64_t most_inference_rows = 4096;

bool is_index(const assemble::FieldInfo& field) {
  return field.classes > 0 || !field.vocabulary.empty();
}

// Prediction takes raw numbers in the precision in which they are prepared, whatever the data set
// stores.
std::vector<assemble::FieldInfo> raw_fields(std::vector<assemble::FieldInfo> fields, bool f64,
                                            bool float_inputs) {
  for (assemble::FieldInfo& field : fields) {
    if (is_index(field)) continue;
    const bool exact = field.exact && (field.wide || !float_inputs);
    field.dtype = f64 || exact ? abi::DType::f64 : abi::DType::f32;
  }
  return fields;
}

class Model final : public CompiledModel {
 public:
  Model(const language::Description& description, const std::vector<assemble::FieldInfo>& fields,
        const CompileOptions& options)
      : description_(description), fields_(fields), options_(options) {}

  // Builds the graphs of all entries; false if there are mistakes.
  bool build(Diagnostics& diagnostics);

  const abi::Program& program() const override { return program_; }
  const assemble::Forward& forward() const override { return forward_; }
  bool has_entry(const std::string& name) const override { return entries_.count(name) > 0; }
  const abi::EntryDesc& entry(const std::string& name) override;
  double flops(const std::string& name) override;
  const abi::EntryDesc& planned_entry(const std::string& name) override;
  ScratchBytes scratch(const std::string& name, int threads) override;
  const abi::EntryDesc& profiled_entry(const std::string& name) override;
  std::vector<kernel::GroupSummary> groups(const std::string& name) override;
  std::vector<abi::StateDesc> states_of(const std::string& name) override;
  LoweredEntry lower(const std::string& name, const kernel::Target& target, int64_t rows) override;
  std::string dump(const std::string& stage, const std::string& entry) override;
  CompileTimings timings() const override { return record_.get(); }

 private:
  bool build_step(const assemble::EntryPlan& plan, Diagnostics& diagnostics);
  bool build_forward_only(const assemble::EntryPlan& plan, Diagnostics& diagnostics);
  std::optional<assemble::Forward> build_forward(const assemble::EntryPlan& plan,
                                                 Diagnostics& diagnostics) const;
  std::string early_dump(const std::string& stage, const Entry& entry);
  bool build_steps(Diagnostics& diagnostics);
  bool build_functions(Diagnostics& diagnostics);
  void keep_forward(assemble::Forward forward);
  void place_panels();
  assemble::EntryPlan plan_of(const std::string& name) const;
  void add_states(const std::vector<abi::StateDesc>& states);
  void build_unit_variance();
  void add_prelude();
  void place_states();
  bool is_called(const abi::EntrySpec& entry) const;
  Entry& find(const std::string& name);
  Entry& add_entry(const abi::EntrySpec& spec, std::unique_ptr<ir::Graph> graph);
  EntryContext context() {
    return {options_, description_, offsets_, program_.state_bytes, record_};
  }
  int64_t inference_rows() const {
    if (options_.inference_batch > 0) return options_.inference_batch;
    const int64_t training = forward_.graph ? forward_.graph->batch : 0;
    return std::clamp(training, default_inference_batch, most_inference_rows);
  }

  const language::Description description_;
  const std::vector<assemble::FieldInfo> fields_;
  const CompileOptions options_;
  abi::Program program_;
  assemble::Forward forward_;
  std::map<std::string, size_t> offsets_;
  std::vector<std::string> in_panels_;    // states that do not lie row by row
  std::map<std::string, Entry> entries_;  // none comes or goes after build()
  std::vector<Entry*> steps_;
  std::map<std::string, Entry> profiled_;
  std::mutex profiled_mutex_;
  TimingRecord record_;
};

// How much products vary, for kernels that are scaled by it before training.
void Model::build_unit_variance() {
  const auto& states = forward_.states;
  if (std::none_of(states.begin(), states.end(),
                   [](const auto& state) { return state.initial.unit_variance; }))
    return;
  Diagnostics ignored;  // evaluation has reported them
  auto forward = build_forward(assemble::evaluate_entry(), ignored);
  if (!forward || !assemble::watch_products(*forward)) return;
  passes::read_states_in_panels(*forward->graph, in_panels_);
  add_entry({"unit_variance", abi::EntryKind::unit_variance}, std::move(forward->graph));
}

void Model::add_states(const std::vector<abi::StateDesc>& states) {
  for (const abi::StateDesc& state : states)
    if (offsets_.try_emplace(state.name, 0).second) program_.states.push_back(state);
}

// Values that evaluation, prediction and functions compute of weights alone are states that the
// entry `prelude` fills.
void Model::add_prelude() {
  Laps laps(record_, "prelude");
  passes::Prelude prelude;
  for (const abi::EntrySpec& spec : program_.entries)
    if (spec.kind != abi::EntryKind::step && spec.kind != abi::EntryKind::unit_variance)
      prelude.take_from(*entries_.at(spec.name).graph);
  if (prelude.states().empty()) return;
  std::vector<abi::StateDesc> derived;
  for (const passes::DerivedState& state : prelude.states()) {
    abi::StateDesc desc;
    desc.name = state.name;
    desc.kind = abi::StateKind::derived;
    desc.dtype = state.type.dtype;
    desc.shape = ir::sizes_of(state.type.shape);
    derived.push_back(std::move(desc));
  }
  add_states(derived);
  add_entry({"prelude", abi::EntryKind::prelude}, prelude.graph().clone());
  laps.lap(Stage::graph, "prelude");
}

// Whether prediction or a function is, of a model that is not trained.
bool Model::is_called(const abi::EntrySpec& entry) const {
  if (entry.kind != abi::EntryKind::predict && entry.kind != abi::EntryKind::function) return false;
  const std::vector<std::string>& called = options_.called;
  return called.empty() || std::find(called.begin(), called.end(), entry.name) != called.end();
}

// Without training those that what is called reads come first: emitted code needs no more.
void Model::place_states() {
  if (!options_.training) {
    std::stable_partition(program_.states.begin(), program_.states.end(), [&](const auto& state) {
      return std::any_of(program_.entries.begin(), program_.entries.end(), [&](const auto& entry) {
        const ir::Graph& graph = *entries_.at(entry.name).graph;
        return is_called(entry) && graph.find_param(ir::ParamKind::state, state.name) != nullptr;
      });
    });
  }
  for (abi::StateDesc& state : program_.states) {
    if (std::count(in_panels_.begin(), in_panels_.end(), state.name) > 0)
      state.panel = kernel::panel_width;
    state.offset = program_.state_bytes;
    offsets_[state.name] = state.offset;
    const size_t bytes = state.elements() * abi::size_of(state.dtype);
    program_.state_bytes += (bytes + 63) / 64 * 64;
  }
  program_.state_bytes += 64;  // vectors may be loaded past the end
}

std::vector<abi::StateDesc> Model::states_of(const std::string& name) {
  const ir::Graph& graph = *find(name).graph;
  std::vector<abi::StateDesc> result;
  for (const abi::StateDesc& state : program_.states)
    if (graph.find_param(ir::ParamKind::state, state.name)) result.push_back(state);
  return result;
}

// Prediction sees raw numbers; steps have rows of their own.
std::optional<assemble::Forward> Model::build_forward(const assemble::EntryPlan& plan,
                                                      Diagnostics& diagnostics) const {
  const bool f64 = description_.precision == language::Precision::f64;
  return assemble::build_forward(
      description_,
      plan.mode == assemble::Mode::predict ? raw_fields(fields_, f64, options_.float_inputs)
                                           : fields_,
      plan, diagnostics, plan.mode == assemble::Mode::train ? options_.batch : inference_rows());
}

bool Model::build_step(const assemble::EntryPlan& plan, Diagnostics& diagnostics) {
  Laps laps(record_, plan.spec.name);
  auto forward = build_forward(plan, diagnostics);
  laps.lap(Stage::graph, "layers and losses");
  if (!forward) return false;
  if (plan.phase != nullptr && forward->trainable().empty()) {
    diagnostics.error(plan.phase->span, "this phase has no weights to change",
                      "a block, a layer or a parameter with weights that are not frozen");
    return false;
  }
  if (!forward->graph || !forward->total() || forward->trainable().empty()) {
    keep_forward(std::move(*forward));
    return true;
  }
  ir::Graph& graph = *forward->graph;
  run_passes(graph, passes::canonical_passes(), Stage::graph, options_, laps);
  const auto gradients = autodiff::gradients(graph, forward->total(), forward->trainable());
  laps.lap(Stage::graph, "derivatives");
  assemble::append_update(*forward, gradients, description_, plan, diagnostics);
  if (diagnostics.has_errors()) return false;
  // What training minimises was needed for its derivative only; the trainer adds up the rows.
  std::erase_if(graph.outputs, [](const ir::Output& output) { return output.name == "total"; });
  graph.remove_dead();
  steps_.push_back(&add_entry(plan.spec, graph.clone()));
  add_states(forward->states);
  keep_forward(std::move(*forward));
  laps.lap(Stage::graph, "update");
  return true;
}

// What the first graph says of layers and parameters holds for all of them.
void Model::keep_forward(assemble::Forward forward) {
  if (!forward_.graph) forward_ = std::move(forward);
}

// Several steps would have to agree on how their states lie in memory; row by row all can use them.
void Model::place_panels() {
  if (steps_.size() == 1) in_panels_ = passes::put_states_in_panels(*steps_[0]->graph);
}

bool Model::build_forward_only(const assemble::EntryPlan& plan, Diagnostics& diagnostics) {
  Laps laps(record_, plan.spec.name);
  auto forward = build_forward(plan, diagnostics);
  laps.lap(Stage::graph, "layers and losses");
  if (!forward) return false;
  if (forward->graph->outputs.empty()) return true;
  run_passes(*forward->graph, passes::canonical_passes(), Stage::graph, options_, laps);
  passes::read_states_in_panels(*forward->graph, in_panels_);
  run_passes(*forward->graph, passes::inference_passes(), Stage::graph, options_, laps);
  add_entry(plan.spec, std::move(forward->graph));
  if (plan.spec.kind == abi::EntryKind::function) {
    forward_.functions[plan.spec.name] = forward->outputs;
    add_states(forward->states);
    return true;
  }
  const bool predict = plan.spec.kind == abi::EntryKind::predict;
  if (predict) forward_.outputs = forward->outputs;
  if (forward_.layers.empty()) forward_.layers = forward->layers;
  if (!predict && forward_.loss_terms.empty() && forward_.metrics.empty()) {
    forward_.metrics = forward->metrics;
    forward_.loss_terms = forward->loss_terms;
  }
  add_states(forward->states);
  return true;
}

bool Model::build_functions(Diagnostics& diagnostics) {
  bool good = true;
  for (const assemble::EntryPlan& plan : assemble::function_entries(description_))
    good = build_forward_only(plan, diagnostics) && good;
  return good;
}

bool Model::build_steps(Diagnostics& diagnostics) {
  bool good = true;
  for (const assemble::EntryPlan& plan : assemble::step_entries(description_))
    good = build_step(plan, diagnostics) && good;
  if (good) place_panels();
  return good;
}

bool Model::build(Diagnostics& diagnostics) {
  program_.name = description_.name;
  if (options_.training) {
    if (!build_steps(diagnostics)) return false;
    add_states(forward_.states);
    if (!build_forward_only(assemble::evaluate_entry(), diagnostics)) return false;
    build_unit_variance();
  } else {
    Diagnostics ignored;  // a model without loss has nothing to evaluate
    build_forward_only(assemble::evaluate_entry(), ignored);
  }
  if (!build_forward_only(assemble::predict_entry(), diagnostics)) return false;
  if (!build_functions(diagnostics)) return false;
  add_prelude();
  place_states();
  program_.loss_terms = forward_.loss_terms;
  program_.metrics = forward_.metrics;
  program_.sums_rows = description_.loss && description_.loss->rows == language::Rows::sum;
  program_.has_total = assemble::has_total(description_);
  for (const abi::StateDesc& state : program_.states)
    if (state.kind == abi::StateKind::parameter)
      program_.parameters += static_cast<int64_t>(state.elements());
  return !diagnostics.has_errors();
}

Entry& Model::add_entry(const abi::EntrySpec& spec, std::unique_ptr<ir::Graph> graph) {
  program_.entries.push_back(spec);
  Entry& entry = entries_[spec.name];
  entry.name = spec.name;
  entry.kind = spec.kind;
  entry.graph = std::move(graph);
  entry.graph->name = spec.name;
  return entry;
}

Entry& Model::find(const std::string& name) {
  auto it = entries_.find(name);
  internal_check(it != entries_.end(), "no entry '" + name + "'");
  return it->second;
}

const abi::EntryDesc& Model::entry(const std::string& name) {
  Entry& entry = find(name);
  const std::lock_guard lock(entry.mutex);
  return entry.native(context());
}

const abi::EntryDesc& Model::planned_entry(const std::string& name) {
  Entry& entry = find(name);
  const std::lock_guard lock(entry.mutex);
  return entry.described(context());
}

ScratchBytes Model::scratch(const std::string& name, int threads) {
  Entry& entry = find(name);
  const std::lock_guard lock(entry.mutex);
  const kernel::Plan& plan = entry.planned(context()).plan;
  return {kernel::arena_bytes(plan, threads), kernel::live_bytes(plan, threads)};
}

const abi::EntryDesc& Model::profiled_entry(const std::string& name) {
  const std::lock_guard lock(profiled_mutex_);
  Entry& entry = profiled_[name];
  if (!entry.graph) {
    entry.name = name;
    entry.profiled = true;
    entry.graph = find(name).graph->clone();
  }
  return entry.native(context());
}

std::vector<kernel::GroupSummary> Model::groups(const std::string& name) {
  Entry& entry = find(name);
  const std::lock_guard lock(entry.mutex);
  return entry.lowered(context()).groups;
}

double Model::flops(const std::string& name) {
  Entry& entry = find(name);
  const std::lock_guard lock(entry.mutex);
  return entry.planned(context()).flops;
}

LoweredEntry Model::lower(const std::string& name, const kernel::Target& target, int64_t rows) {
  std::unique_ptr<ir::Graph> graph = find(name).graph->clone();
  graph->batch = rows;
  Laps laps(record_, name);
  run_passes(*graph, passes::step_passes(), Stage::passes, options_, laps);
  kernel::LoweredProgram lowered = kernel::lower_program(*graph, offsets_, target);
  LoweredEntry result;
  result.description = describe(find(name), *graph, lowered, description_);
  result.core = lowered.core;
  result.flops = lowered.flops;
  result.in_blocks = !lowered.plan.blocks.empty();
  result.batch_last = std::any_of(
      lowered.plan.places.begin(), lowered.plan.places.end(),
      [](const auto& item) { return kernel::counts_rows_last(item.first->type.shape); });
  result.module = std::move(lowered.module);
  return result;
}

// The plan that an entry was built by.
assemble::EntryPlan Model::plan_of(const std::string& name) const {
  std::vector<assemble::EntryPlan> plans = assemble::step_entries(description_);
  for (assemble::EntryPlan& plan : assemble::function_entries(description_))
    plans.push_back(std::move(plan));
  plans.push_back(assemble::evaluate_entry());
  for (const assemble::EntryPlan& plan : plans)
    if (plan.spec.name == name) return plan;
  return assemble::predict_entry();
}

// A stage that nothing keeps: the graph as the layers made it, or with derivatives but no update.
std::string Model::early_dump(const std::string& stage, const Entry& entry) {
  const bool step = entry.kind == abi::EntryKind::step;
  const bool has_plan =
      entry.kind != abi::EntryKind::prelude && entry.kind != abi::EntryKind::unit_variance;
  if ((stage == "grad" && !step) || !has_plan) return ir::print(*entry.graph);
  Diagnostics known;  // build() has reported all there is
  const auto forward = build_forward(plan_of(entry.name), known);
  internal_check(forward.has_value(), "no graph for entry " + entry.name);
  if (stage == "graph") return ir::print(*forward->graph);
  Laps laps(record_, entry.name);
  run_passes(*forward->graph, passes::canonical_passes(), Stage::graph, options_, laps);
  autodiff::gradients(*forward->graph, forward->total(), forward->trainable());
  return ir::print(*forward->graph);
}

std::string Model::dump(const std::string& stage, const std::string& which) {
  const std::string name = !which.empty() ? which : abi::main_entry(program_);
  if (stage == "spec") return language::dump(description_);
  if (!has_entry(name)) {
    std::vector<std::string> known;
    for (const abi::EntrySpec& spec : program_.entries) known.push_back(spec.name);
    throw UserError({}, "this model has no entry '" + name + "'", join(known, "or"));
  }
  if (stage == "graph" || stage == "grad") return early_dump(stage, find(name));
  Entry& entry = find(name);
  const std::lock_guard lock(entry.mutex);
  if (stage == "step") return ir::print(*entry.graph);
  if (stage == "fused") return ir::print(entry.fused(context()));
  const kernel::Module& module = entry.lowered(context()).module;
  if (stage == "kernels") return kernel::print(module);
  if (stage == "llvm") return jit::emit_llvm_ir(module, options_.target);
  if (stage == "asm") return jit::emit_assembly(module, options_.target);
  throw UserError({}, "unknown stage '" + stage + "'",
                  "spec, graph, grad, step, fused, kernels, llvm or asm");
}

}  // namespace

std::unique_ptr<CompiledModel> compile(const language::Description& description,
                                       const std::vector<assemble::FieldInfo>& fields,
                                       const CompileOptions& options, Diagnostics& diagnostics) {
  auto model = std::make_unique<Model>(description, fields, options);
  if (!model->build(diagnostics)) return nullptr;
  return model;
}

}  // namespace nnc
