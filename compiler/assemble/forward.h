// From a model description to the graph of its forward pass: fields, prepare steps, layers,
// formulas, losses, metrics and outputs. The derivative and the update are appended later
// (compiler/autodiff, update.h), so that one graph becomes the whole training step.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/assemble/entries.h"
#include "compiler/assemble/fields.h"
#include "compiler/ir/graph.h"
#include "compiler/language/description.h"
#include "compiler/layers/layer.h"
#include "compiler/support/diagnostics.h"
#include "runtime/abi.h"

namespace nnc::assemble {

// What this folder reads is a description.
using namespace language;

// train: dropout. eval: loss and metrics, nothing random. predict: the model's outputs.
using layers::Mode;

// A value that training changes: a weight of a layer or a free parameter of the model.
struct ParameterInfo {
  std::string name;                        // "fc1.kernel", or "m" for a free parameter
  ir::Value* value = nullptr;              // the state parameter of the graph
  bool trainable = true;                   // false: frozen
  bool decays = false;                     // a kernel: penalties and weight decay apply
  std::optional<double> minimum, maximum;  // enforced after every update
  SourceSpan span;                         // of its layer
};

// One line of the table that `nnc check` prints.
struct LayerSummary {
  std::string name;
  std::string kind;
  std::vector<int64_t> output_shape;  // of one row
  int64_t parameters = 0;             // of its own (shared weights count where they are made)
  int64_t statistics = 0;             // numbers that it keeps but does not train
  double flops = 0;                   // per row; multiply-adds of contractions count as 2
  bool frozen = false;
  SourceSpan span;
};

// A named result of prediction.
struct OutputInfo {
  std::string name;
  std::vector<int64_t> shape;  // of one row
  std::string class_field;     // its last axis holds scores of the classes of this field; or empty
  std::string units;           // the prepared field in whose units it is; or empty
};

struct Forward {
  // Inputs (ParamKind::input) have the stored dtype and shape [b, row…].
  // train: outputs "loss.TERM" [b] ("loss.penalty" []), "loss" [b] where a total or a weight is
  // given, "metric.NAME" [b,k], "total" [], which is what training minimises.
  // eval: the same without "total". predict: the model's outputs by name.
  std::unique_ptr<ir::Graph> graph;
  std::vector<ParameterInfo> parameters;  // in file order
  std::vector<abi::StateDesc> states;     // without offsets; parameters, then prepared constants
  std::vector<std::string> loss_terms;
  std::vector<abi::MetricDesc> metrics;
  std::vector<LayerSummary> layers;
  std::vector<OutputInfo> outputs;                           // predict and functions only
  std::map<std::string, std::vector<OutputInfo>> functions;  // outputs of each, by its name
  // Fields that losses compare as prepared values, although they have units of their own.
  std::vector<std::string> prepared_targets;
  // Kernels, and what they make, in the order in which a row meets them.
  std::vector<std::pair<const ir::Value*, ir::Value*>> products;

  // The value that training minimises; null without a loss or without `train`. Found by name,
  // because passes may have replaced it.
  ir::Value* total() const;
  // State parameters of the graph to differentiate for, in file order. Empty: there is no step.
  std::vector<ir::Value*> trainable() const;
  int64_t parameter_count() const;
};

// Builds the forward graph of an entry. `batch` rows (0: train.batch, or 256 where that says
// `all`). Mistakes go to `diagnostics`, all that can be found in one walk; null if there are any.
std::optional<Forward> build_forward(const Description& description,
                                     const std::vector<FieldInfo>& fields, const EntryPlan& entry,
                                     Diagnostics& diagnostics, int64_t batch = 0);
// The same for a mode: the first step, evaluate or predict.
std::optional<Forward> build_forward(const Description& description,
                                     const std::vector<FieldInfo>& fields, Mode mode,
                                     Diagnostics& diagnostics, int64_t batch = 0);

}  // namespace nnc::assemble
