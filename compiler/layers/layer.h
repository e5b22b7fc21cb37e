// What a layer is to the compiler: one record with its documentation, its arguments and the
// function that builds its graph. Adding a layer is adding one entry to one table (ADDING.md).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/support/args.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/schema.h"
#include "runtime/abi.h"

namespace nnc::layers {

enum class Mode { train, eval, predict };

// A value of the model as layers and formulas see it. Values of a row have shape [b, row…];
// weights and numbers have no batch axis.
struct Operand {
  ir::Value* value = nullptr;
  std::string origin = {};  // for messages: "output of 'fc1', line 5"
  int64_t classes = 0;      // > 0: an index of so many classes, not a number
  int64_t shares = 0;       // > 0: an index of so many classes that mixup made shares of them
};

// Names that formulas and losses may use: fields, layers, weights, parameters, outputs.
class Scope {
 public:
  virtual ~Scope() = default;
  // Throws UserError with `span` for a name that is not there.
  virtual Operand find(const std::string& name, const SourceSpan& span) = 0;
};

// Where the random numbers of layers and formulas come from.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // [b, row…] of the model's dtype from the op "random_uniform" or "random_normal". `path` names
  // the place that draws: equal paths draw equal numbers, wherever they stand in the file.
  virtual ir::Value* draw(const std::string& op, const ir::Shape& shape,
                          const std::string& path) = 0;
};

// Who knows how values depend on each other.
class Derivatives {
 public:
  virtual ~Derivatives() = default;
  // The derivative of the row's number `y` by the row's value `x`, of the shape of x. UserError
  // where y does not depend on x, or where rows see each other on the way.
  virtual ir::Value* derivative(ir::Value* y, const SourceSpan& y_place, ir::Value* x,
                                const SourceSpan& x_place) = 0;
};

// A trainable array that a layer asks for.
struct Weight {
  std::string name;  // "kernel", "bias"
  std::vector<int64_t> shape;
  abi::Initial initial = {};
  bool decays = false;  // penalties and weight decay apply (kernels, not biases)
};

// An array that a layer keeps from step to step and that has no derivative: a running mean.
// While training, a layer gives it its next value; elsewhere it is only read.
struct Statistic {
  ir::Value* value = nullptr;              // before this layer
  std::function<void(ir::Value*)> update;  // its value from the next step on
};

// What a layer's build function gets.
struct LayerContext {
  ir::Builder& b;
  Mode mode = Mode::train;
  ir::DType dtype = ir::DType::f32;  // of the model
  std::string kind;                  // "dense"
  std::string name;                  // "fc1", or "dense_2" if the file gives none
  SourceSpan span;
  const Args& args;
  std::vector<Operand> inputs;
  Scope& scope;
  RandomSource& random;
  Derivatives& derivatives;
  // The state parameter of a weight, made or, for `share`, found.
  std::function<ir::Value*(const Weight&)> weight;
  // The same for what is kept but not trained. It is saved with the weights.
  std::function<Statistic(const Weight&)> statistic;
  // Says what a kernel makes of the layer's input, before a bias: what `init: lsuv` is about.
  std::function<void(const ir::Value* kernel, ir::Value* product)> makes;
  // `freeze`: weights and statistics stay as they are.
  bool frozen = false;
  // Whether a layer that draws random numbers does so in this mode: `when`.
  bool draws = false;

  // "dense 'fc1'", for messages.
  std::string title() const;
  // The only input; UserError if there are several or if it is an index.
  ir::Value* input() const;
  // Input i as a number; UserError if it is an index.
  ir::Value* input(size_t i) const;
};

struct LayerDef {
  schema::Entry entry;
  std::function<ir::Value*(LayerContext&)> build;
};

// Every layer but the activations, in the order of the reference.
const std::vector<LayerDef>& layer_table();

// The build function of a layer or an activation; null if there is none of this name.
std::function<ir::Value*(LayerContext&)> find_layer(const std::string& name);

// FNV-1a, 64 bits: the random stream of a name.
uint64_t stream_of(const std::string& name);

}  // namespace nnc::layers
