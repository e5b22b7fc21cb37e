// The one walk that makes the forward graph. Values are built when they are first asked for, so
// that layers may stand in any order that has no cycle.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/assemble/forward.h"
#include "compiler/ir/builder.h"
#include "compiler/layers/compare.h"
#include "compiler/layers/formula.h"
#include "compiler/layers/layer.h"

namespace nnc::assemble {

// Thrown where a value is missing because of a mistake that was reported already.
struct AlreadyReported {};

class ForwardBuilder : public layers::Scope,
                       public layers::Units,
                       public layers::RandomSource,
                       public layers::Derivatives {
 public:
  ForwardBuilder(const Description& description, const std::vector<FieldInfo>& fields,
                 const EntryPlan& entry, Diagnostics& diagnostics, int64_t batch);

  Forward build();

  // Any name of the model: layer, field, parameter, weight, output.
  layers::Operand find(const std::string& name, const SourceSpan& span) override;
  ir::Value* inverse(ir::Value* value, const Name& field) override;
  ir::Value* draw(const std::string& op, const ir::Shape& shape, const std::string& path) override;
  ir::Value* derivative(ir::Value* y, const SourceSpan& y_place, ir::Value* x,
                        const SourceSpan& x_place) override;

 private:
  // Runs `work` and turns what it throws into diagnostics. False if it failed.
  bool attempt(const std::function<void()>& work);

  // ---- values.cpp
  layers::Operand make(const std::string& name, const SourceSpan& span);
  std::optional<layers::Operand> find_weight(const std::string& name);
  layers::Operand build_parameter(const Parameter& parameter);
  layers::Operand build_output(const NamedFormula& output);
  // `path` names what the formula belongs to, for its random numbers.
  ir::Value* formula(const Formula& formula, layers::Scope& scope, const std::string& path);
  ir::Value* each_row(ir::Value* value);  // one copy per row of a value without a batch axis
  // A state that training or fitting fills; made once.
  ir::Value* add_state(abi::StateDesc state);

  // ---- layers.cpp
  layers::Operand build_layer(const Layer& layer);
  ir::Value* build_body(const Layer& layer);
  ir::Value* weight(const Layer& layer, const layers::Weight& weight);
  ir::Value* shared_weight(const Layer& layer, const layers::Weight& weight);
  layers::Statistic statistic(const Layer& layer, const layers::Weight& weight);
  void assign_statistics();
  void summarize(const Layer& layer, const ir::Value* output, size_t first_node);

  // ---- fields.cpp
  void declare_inputs();
  ir::Value* raw_field(const FieldInfo& info);
  layers::Operand build_field(const FieldInfo& info, const SourceSpan& span);
  layers::Operand raw_operand(const FieldInfo& info);  // without mixup and prepare steps
  layers::Operand mixed_operand(const FieldInfo& info);
  ir::DType prepare_dtype(const FieldInfo& info) const;
  bool is_input(const std::string& field) const;
  layers::Operand prepare(const FieldInfo& info, const Choice& step, int position,
                          layers::Operand operand);
  ir::Value* fitted(const FieldInfo& info, const Choice& step, int position,
                    const std::string& statistic);

  // ---- units.cpp
  const FieldInfo* prepared_field(const std::string& name) const;
  const FieldInfo* prepared_field(const layers::Operand& target) const;
  const FieldInfo* predicted_field(const NamedFormula& output) const;
  ir::Value* inverse(const FieldInfo& info, ir::Value* value);
  ir::Value* undo(const FieldInfo& info, const Choice& step, int position, ir::Value* x);
  static double factor_of(const Choice& step);
  ir::Value* predicted(const NamedFormula& output, ir::Value* value, std::string& units);
  ir::DType to_own_units(layers::Pair& pair);
  void check_units(const layers::Pair& pair);

  // ---- loss.cpp
  void build_loss();
  ir::Value* build_term(const Term& term);
  ir::Value* build_total_per_row();
  ir::Value* per_row(const Formula& total, const std::string& what);
  void report_terms(ir::Value* per_row, ir::Value* penalty);
  ir::Value* build_penalty();
  void add_total(ir::Value* per_row, ir::Value* penalty);

  // ---- metrics.cpp
  void build_metric(const Metric& metric);
  layers::Pair pair_of(const Metric& metric);
  layers::Pair scored_pair(const Metric& metric);

  // ---- class_outputs.cpp
  void name_class_outputs();
  ir::Value* quiet_find(const Name& name);  // null for what cannot be built

  // ---- outputs.cpp
  void build_predictions();
  void add_output(const NamedFormula& output, const layers::Operand& operand);
  void drop_unused();
  void refuse_random();

  // ---- functions.cpp
  void build_function();
  void cut(const Name& input);
  void check_reads(const std::string& field, const SourceSpan& span) const;

  // ---- derivative.cpp
  void check_rows_apart(const ir::Value* y, const ir::Value* x, const SourceSpan& place) const;

  // ---- phases.cpp
  bool updates(const std::string& layer) const;

  const Description& description_;
  const std::vector<FieldInfo>& fields_;
  const EntryPlan& entry_;
  Mode mode_;
  Diagnostics& diagnostics_;
  Forward forward_;
  ir::Builder b_;
  ir::DType dtype_;
  std::map<std::string, layers::Operand> values_;  // finished
  std::set<std::string> failed_;                   // reported
  std::vector<std::string> in_progress_;
  std::map<std::string, ir::Value*> terms_;  // per row, weighted
  struct RunningStatistic {
    ir::Value* state = nullptr;
    ir::Value* now = nullptr;  // after the layers built so far
    std::string layer = {};
    SourceSpan span = {};
  };
  std::map<std::string, RunningStatistic> statistics_;
  struct OwnUnits {
    const FieldInfo* field = nullptr;
    ir::Value* exact = nullptr;  // before it became the model's type
  };
  std::map<const ir::Value*, OwnUnits> own_units_;  // what inverse() made
  struct TermPair {
    const Term* term;
    layers::Pair pair;
  };
  std::map<const ir::Value*, std::string> drawn_for_;  // random numbers: the layer, or nothing
  std::vector<TermPair> pairs_;                        // what the built-in losses compare
  std::map<std::string, Penalty> penalties_;           // of a layer, by layer name
  friend class TermScope;
  friend class OwnLabels;
};

}  // namespace nnc::assemble
