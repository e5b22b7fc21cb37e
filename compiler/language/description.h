// The typed model description: what a model file says, checked as far as it can be without shapes.
// Settings are filled in, arithmetic is done, paths are absolute, defaults are in place, names are
// known to exist; every value keeps its place in the file. spec makes it, layers turn it into a
// graph, the runtime reads `data` and `train`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/support/args.h"

namespace nnc::language {

// A value with its place. For a default, the place of the section that lacks it (or none).
template <class T>
struct Located {
  T value{};
  SourceSpan span;
};

// kind + arguments: a source, a prepare step, an optimizer, a schedule, a loss, a metric.
struct Choice {
  std::string kind;
  Args args;
  SourceSpan span;
};

// A number that goes from one to another while training, in so many epochs or steps.
struct Ramp {
  double from = 0;
  double to = 1;
  double length = 1;
  bool steps = false;
};

struct Setting {
  Name name;
  std::string text;
  std::optional<double> number;   // if it is plain and a number or arithmetic
  bool plain = true;              // not in quotes
  std::optional<Ramp> ramp = {};  // then `text` is the formula that stands for it
};

// ---- data

// {fraction: 0.1, stratify: label, seed: 7}: rows taken from the train source.
struct Fraction {
  Located<double> share;
  std::optional<Name> stratify;
  Located<int64_t> seed;
};

// A split has a source of its own, or is a fraction of train's.
struct Split {
  Name name;  // train, valid, test
  std::optional<Choice> source;
  std::optional<Formula> where;  // keep only the rows for which this holds (on stored values)
  std::optional<Fraction> fraction;
  std::vector<std::string> missing;  // words and numbers that stand for missing values
};

struct Field {
  Name name;
  std::optional<Located<std::vector<int64_t>>> shape;  // of one row
  std::optional<Located<int64_t>> classes;             // given, or the number of class names
  std::vector<std::string> class_names;                // empty: the indices are the names
  std::vector<Choice> prepare;                         // in order
  std::vector<Choice> augment;                         // in order; of training rows only
};

struct Data {
  SourceSpan span;
  std::vector<Split> splits;  // train first
  std::vector<Field> fields;  // every field that a source names or `fields` describes
  const Split* split(const std::string& name) const;
  const Field* field(const std::string& name) const;
};

// ---- model

struct Penalty {
  double l1 = 0;
  double l2 = 0;
  SourceSpan span;
};

// The modes in which a random layer draws; in the others its input passes unchanged. A prediction
// draws nothing.
struct When {
  bool train = false;
  bool eval = false;
  SourceSpan span;
};

// Weights to begin with: those of `name` in the run in `folder`.
struct InitFrom {
  Located<std::string> folder;
  std::string name;
};

// Blocks, repeats and residuals are flattened: what is left are plain layers with dotted names.
struct Layer {
  Name kind;           // the layer's word and its place
  Args args;           // `inputs` of a merge layer are in `from`, not here
  std::string name;    // given, or KIND_1, KIND_2 … (only for tables and weights); d_real.conv
  bool named = false;  // whether the name was given: only then it can be referenced
  SourceSpan span;     // of the name if given, else of the kind
  // Its inputs; default: the layer above, or the only input of the model. Empty only for a layer
  // whose principal argument is a formula: that names its inputs itself.
  std::vector<Name> from;
  bool from_given = false;
  std::optional<Name> share;  // the layer whose weights it uses
  Located<bool> freeze;
  std::optional<Penalty> penalty;  // overrides loss.penalty for this layer
  std::optional<Formula> predict;  // what stands in its place in predict mode
  std::optional<When> when;        // of a random layer; default: while training
  std::optional<InitFrom> init_from;
};

// A block, a repeat or a residual as it was written: its layers are those called NAME.….
struct Composite {
  std::string name;
  std::string block;                 // the template of a block; otherwise empty
  std::vector<std::string> outputs;  // of a block with several values, which has none of its own
  SourceSpan span;
};

// A free trainable value for formulas: a number, or an array of the same in every row.
struct Parameter {
  Name name;
  std::vector<int64_t> shape;   // []: a number
  Value init;                   // a number, an initialiser or the values
  std::optional<double> start;  // where that is one number for all elements
  std::optional<Located<double>> minimum, maximum;
};

struct NamedFormula {
  Name name;
  Formula formula;
};

struct Model {
  SourceSpan span;
  std::vector<Name> inputs;  // fields of data
  std::vector<Parameter> params;
  std::vector<Layer> layers;
  std::vector<NamedFormula> outputs;  // default: `output`, the last layer
  bool outputs_given = false;
  std::vector<Composite> composites;
  const Layer* layer(const std::string& name) const;  // by given or automatic name
  // The longest part of a dotted name that is a layer: d_real.conv of d_real.conv.kernel. Without
  // one the part before the first dot.
  std::string head_of(const std::string& name) const;
};

// A part of the model that can be called on its own.
struct Function {
  Name name;
  std::vector<Name> inputs;  // fields, and named values at which the graph is cut
  std::vector<NamedFormula> outputs;
  std::vector<NamedFormula> draw;  // random values of inputs that nobody gives
};

// ---- loss and metrics

// Either a built-in loss or a formula that gives one number per row.
struct Term {
  Name name;  // a single loss is a term called after its kind
  std::optional<Choice> loss;
  std::optional<Formula> formula;
  std::optional<Formula> weight;  // multiplies each row's value; may be a constant
};

enum class Rows { mean, sum };

struct Loss {
  SourceSpan span;
  std::vector<Term> terms;
  std::optional<Formula> total;  // of term names; default: their sum
  Rows rows = Rows::mean;
  std::optional<Penalty> penalty;
};

struct Metric {
  std::string name;  // how it is reported: its kind, numbered if it stands twice
  Choice choice;
};

// ---- train

struct Batch {
  bool all = false;
  int64_t rows = 32;
  SourceSpan span;
};

struct Clip {
  std::optional<Located<double>> norm;   // of the whole gradient
  std::optional<Located<double>> value;  // of each element
};

struct EarlyStop {
  Located<std::string> watch;  // "valid.loss", "valid.accuracy"
  Located<int64_t> patience;   // evaluations without improvement
  double min_delta = 0;
};

enum class Keep { best, last };

// What training does with each batch, one phase after the other. Without phases there is one, that
// minimises the total for all weights.
struct Phase {
  std::string name;  // the term that it minimises, numbered if it stands twice
  Formula minimize;  // of loss terms
  SourceSpan span;
  std::vector<Name> update;         // as written; empty: all
  std::vector<std::string> layers;  // whose weights and statistics it updates; and free parameters
  Located<int64_t> steps;           // of each batch
  Choice optimizer;
  std::optional<Choice> schedule;
  std::optional<Clip> clip;
};

struct Train {
  SourceSpan span;
  std::optional<Located<int64_t>> epochs, steps;  // exactly one of them
  Batch batch;
  Choice optimizer;
  std::optional<Choice> schedule;  // none: constant
  std::optional<Clip> clip;
  std::optional<EarlyStop> early_stop;
  Located<Keep> keep;
  Located<bool> shuffle;
  Located<int64_t> seed;
  std::vector<Phase> phases;  // empty: optimizer, schedule and clip above
};

// ---- the whole

enum class Precision { f32, f64 };

struct Description {
  std::shared_ptr<const SourceFile> file;
  std::string name;
  SourceSpan name_span;
  Precision precision = Precision::f32;
  std::vector<Setting> settings;
  std::optional<Data> data;
  Model model;
  std::vector<Function> functions;
  std::optional<Loss> loss;
  std::vector<Metric> metrics;
  std::optional<Train> train;
};

}  // namespace nnc::language
