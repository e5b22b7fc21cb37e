#include "compiler/assemble/forward.h"

#include "compiler/assemble/forward_builder.h"
#include "compiler/layers/rows.h"

namespace nnc::assemble {

namespace {

constexpr int64_t rows_where_the_file_says_all = 256;

int64_t batch_rows(const Description& description, int64_t asked) {
  if (asked > 0) return asked;
  if (description.train && !description.train->batch.all) return description.train->batch.rows;
  return rows_where_the_file_says_all;
}

}  // namespace

ir::Value* Forward::total() const {
  for (const ir::Output& output : graph->outputs) {
    if (output.name == "total") return output.value;
  }
  return nullptr;
}

std::vector<ir::Value*> Forward::trainable() const {
  std::vector<ir::Value*> values;
  for (const ParameterInfo& parameter : parameters) {
    if (parameter.trainable) values.push_back(parameter.value);
  }
  return values;
}

int64_t Forward::parameter_count() const {
  int64_t count = 0;
  for (const abi::StateDesc& state : states) {
    if (state.kind == abi::StateKind::parameter) count += static_cast<int64_t>(state.elements());
  }
  return count;
}

ForwardBuilder::ForwardBuilder(const Description& description, const std::vector<FieldInfo>& fields,
                               const EntryPlan& entry, Diagnostics& diagnostics, int64_t batch)
    : description_(description),
      fields_(fields),
      entry_(entry),
      mode_(entry.mode),
      diagnostics_(diagnostics),
      forward_{.graph = std::make_unique<ir::Graph>(description.name, batch),
               .parameters = {},
               .states = {},
               .loss_terms = {},
               .metrics = {},
               .layers = {},
               .outputs = {},
               .functions = {},
               .prepared_targets = {},
               .products = {}},
      b_(*forward_.graph),
      dtype_(description.precision == Precision::f64 ? ir::DType::f64 : ir::DType::f32) {}

bool ForwardBuilder::attempt(const std::function<void()>& work) {
  const SourceSpan before = b_.span();
  try {
    work();
    return true;
  } catch (const UserError& error) {
    const Diagnostic& d = error.diagnostic;
    diagnostics_.error(d.span, d.message, d.expected, d.got);
  } catch (const AlreadyReported&) {
  }
  b_.set_span(before);
  return false;
}

Forward ForwardBuilder::build() {
  if (entry_.function != nullptr) {
    build_function();
    drop_unused();
    refuse_random();
    return std::move(forward_);
  }
  declare_inputs();
  for (const Parameter& parameter : description_.model.params) {
    attempt([&] { find(parameter.name.text, parameter.name.span); });
  }
  for (const Layer& layer : description_.model.layers) {
    attempt([&] { find(layer.name, layer.span); });
  }
  build_predictions();
  if (mode_ != Mode::predict) {
    if (description_.loss) build_loss();
    for (const Metric& metric : description_.metrics) {
      if (!entry_.is_first) break;
      attempt([&] { build_metric(metric); });
    }
  }
  if (mode_ == Mode::train) assign_statistics();
  drop_unused();
  if (mode_ == Mode::predict) refuse_random();
  return std::move(forward_);
}

std::optional<Forward> build_forward(const Description& description,
                                     const std::vector<FieldInfo>& fields, const EntryPlan& entry,
                                     Diagnostics& diagnostics, int64_t batch) {
  const int errors_before = diagnostics.errors();
  ForwardBuilder builder(description, fields, entry, diagnostics, batch_rows(description, batch));
  Forward forward = builder.build();
  if (diagnostics.errors() > errors_before) return std::nullopt;
  return forward;
}

std::optional<Forward> build_forward(const Description& description,
                                     const std::vector<FieldInfo>& fields, Mode mode,
                                     Diagnostics& diagnostics, int64_t batch) {
  const EntryPlan entry = mode == Mode::train  ? step_entries(description).front()
                          : mode == Mode::eval ? evaluate_entry()
                                               : predict_entry();
  return build_forward(description, fields, entry, diagnostics, batch);
}

}  // namespace nnc::assemble
