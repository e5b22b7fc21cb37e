#include "compiler/layers/activations.h"

#include <cmath>

#include "compiler/layers/rows.h"
#include "compiler/support/diagnostics.h"

namespace nnc::layers {

using schema::Entry;
using schema::Key;

ir::Value* softmax(ir::Builder& b, ir::Value* x, int64_t axis) {
  ir::Value* top = b.stop_gradient(b.reduce("reduce_max", x, {axis}));
  ir::Value* e = b.unary("exp", b.sub(x, repeat_axis(b, top, x, axis)));
  return b.div(e, repeat_axis(b, b.sum(e, {axis}), x, axis));
}

ir::Value* log_softmax(ir::Builder& b, ir::Value* x, int64_t axis) {
  ir::Value* top = b.stop_gradient(b.reduce("reduce_max", x, {axis}));
  ir::Value* z = b.sub(x, repeat_axis(b, top, x, axis));
  ir::Value* log_sum = b.unary("log", b.sum(b.unary("exp", z), {axis}));
  return b.sub(z, repeat_axis(b, log_sum, x, axis));
}

ir::Value* leaky_relu(ir::Builder& b, ir::Value* x, double slope) {
  ir::Value* positive = b.compare("gt", x, b.constant_like(0, x));
  return b.select(positive, x, b.mul(x, slope));
}

// expm1 is taken of min(x, 0): where x is large its value is not chosen, but an infinity times the
// zero gradient would still be NaN.
ir::Value* elu(ir::Builder& b, ir::Value* x, double alpha) {
  ir::Value* zero = b.constant_like(0, x);
  ir::Value* negative = b.mul(b.unary("expm1", b.binary("min", x, zero)), alpha);
  return b.select(b.compare("gt", x, zero), x, negative);
}

ir::Value* selu(ir::Builder& b, ir::Value* x) {
  constexpr double alpha = 1.6732632423543772;
  constexpr double scale = 1.0507009873554805;
  return b.mul(elu(b, x, alpha), scale);
}

ir::Value* gelu_exact(ir::Builder& b, ir::Value* x) {
  ir::Value* erf = b.unary("erf", b.mul(x, 1 / std::sqrt(2.0)));
  return b.mul(b.mul(x, 0.5), b.add(erf, 1.0));
}

ir::Value* gelu_tanh(ir::Builder& b, ir::Value* x) {
  const double root = std::sqrt(2 / std::acos(-1.0));
  ir::Value* cube = b.mul(b.mul(x, x), x);
  ir::Value* inner = b.mul(b.add(x, b.mul(cube, 0.044715)), root);
  return b.mul(b.mul(x, 0.5), b.add(b.unary("tanh", inner), 1.0));
}

ir::Value* swish(ir::Builder& b, ir::Value* x, double beta) {
  return b.mul(x, b.unary("sigmoid", beta == 1 ? x : b.mul(x, beta)));
}

// As for elu; written with x / alpha, it has the slope 1 at 0 whatever alpha is.
ir::Value* celu(ir::Builder& b, ir::Value* x, double alpha) {
  ir::Value* zero = b.constant_like(0, x);
  ir::Value* below = b.mul(b.binary("min", x, zero), 1 / alpha);
  return b.select(b.compare("gt", x, zero), x, b.mul(b.unary("expm1", below), alpha));
}

ir::Value* mish(ir::Builder& b, ir::Value* x) {
  return b.mul(x, b.unary("tanh", b.unary("softplus", x)));
}

ir::Value* softsign(ir::Builder& b, ir::Value* x) {
  return b.div(x, b.add(b.unary("abs", x), 1.0));
}

ir::Value* log_sigmoid(ir::Builder& b, ir::Value* x) {
  return b.neg(b.unary("softplus", b.neg(x)));
}

// The bound comes first: of equals min and max choose it, and the slope there is 0.
ir::Value* relu6(ir::Builder& b, ir::Value* x) {
  return b.binary("min", b.constant_like(6, x), b.unary("relu", x));
}

ir::Value* hard_sigmoid(ir::Builder& b, ir::Value* x) {
  return b.mul(relu6(b, b.add(x, 3.0)), 1.0 / 6);
}

ir::Value* hard_swish(ir::Builder& b, ir::Value* x) { return b.mul(x, hard_sigmoid(b, x)); }

ir::Value* hard_tanh(ir::Builder& b, ir::Value* x) {
  return b.binary("min", b.constant_like(1, x), b.binary("max", b.constant_like(-1, x), x));
}

namespace {

ir::Value* step(ir::Builder& b, ir::Value* x, const Args&) {
  ir::Value* reached = b.compare("ge", x, b.constant_like(0, x));
  return b.select(reached, b.constant_like(1, x), b.constant_like(0, x));
}

// An activation that is one primitive op.
auto primitive(const std::string& op) {
  return [op](ir::Builder& b, ir::Value* x, const Args&) { return b.unary(op, x); };
}

// An activation without arguments.
auto plain(ir::Value* (*function)(ir::Builder&, ir::Value*)) {
  return [function](ir::Builder& b, ir::Value* x, const Args&) { return function(b, x); };
}

// A function along the last axis.
auto along_last(const std::string& name,
                ir::Value* (*function)(ir::Builder&, ir::Value*, int64_t)) {
  return [name, function](ir::Builder& b, ir::Value* x, const Args& args) {
    if (row_shape(x).empty()) {
      throw UserError(args.whole, name + " needs at least one axis", "a row of shape [n]",
                      "a single number per row");
    }
    return function(b, x, x->type.rank() - 1);
  };
}

std::vector<ActivationDef> simple_activations() {
  return {
      {Entry{.name = "linear",
             .doc = "f(x) = x. The result is the argument itself.",
             .example = "- dense: {units: 10, activation: linear}"},
       [](ir::Builder&, ir::Value* x, const Args&) { return x; }},
      {Entry{.name = "step",
             .doc = "f(x) = 1 where x >= 0, else 0. The perceptron's activation; its derivative is "
                    "0 everywhere, so that nothing before it learns.",
             .source = "Rosenblatt, The perceptron, 1958",
             .example = "- step"},
       step},
      {Entry{.name = "sigmoid",
             .doc = "f(x) = 1 / (1 + exp(-x)), between 0 and 1.",
             .example = "- sigmoid"},
       primitive("sigmoid")},
      {Entry{.name = "tanh", .doc = "f(x) = tanh(x), between -1 and 1.", .example = "- tanh"},
       primitive("tanh")},
      {Entry{.name = "relu",
             .doc = "f(x) = max(x, 0). The derivative at 0 is 0.",
             .source = "Nair, Hinton, Rectified linear units, ICML 2010",
             .example = "- relu"},
       primitive("relu")},
      {Entry{.name = "softplus",
             .doc = "f(x) = log(1 + exp(x)), a smooth relu.",
             .example = "- softplus"},
       primitive("softplus")},
      {Entry{.name = "softmax",
             .doc = "f(x)_i = exp(x_i) / Σ_j exp(x_j) along the last axis. The largest x is "
                    "subtracted first, so that nothing overflows.",
             .example = "- dense: {units: 10, activation: softmax}"},
       along_last("softmax", softmax)},
      {Entry{.name = "log_softmax",
             .doc = "f(x)_i = log(exp(x_i) / Σ_j exp(x_j)) along the last axis.",
             .example = "- log_softmax"},
       along_last("log_softmax", log_softmax)},
      {Entry{.name = "log_sigmoid",
             .doc = "f(x) = log(1 / (1 + exp(-x))), below 0.",
             .example = "- log_sigmoid"},
       plain(log_sigmoid)},
      {Entry{.name = "softsign",
             .doc = "f(x) = x / (1 + |x|), between -1 and 1.",
             .source = "Glorot, Bengio, Understanding the difficulty of training deep feedforward "
                       "networks, AISTATS 2010",
             .example = "- softsign"},
       plain(softsign)},
  };
}

std::vector<ActivationDef> bounded_activations() {
  return {
      {Entry{.name = "relu6",
             .doc = "f(x) = min(max(x, 0), 6). The derivative at 0 and at 6 is 0.",
             .source = "Howard et al., MobileNets, 2017",
             .example = "- relu6"},
       plain(relu6)},
      {Entry{.name = "hard_tanh",
             .doc = "f(x) = min(max(x, -1), 1). The derivative at -1 and at 1 is 0.",
             .example = "- hard_tanh"},
       plain(hard_tanh)},
      {Entry{.name = "hard_sigmoid",
             .doc = "f(x) = min(max(x + 3, 0), 6) / 6, a sigmoid of straight lines.",
             .source = "Howard et al., Searching for MobileNetV3, ICCV 2019",
             .example = "- hard_sigmoid"},
       plain(hard_sigmoid)},
      {Entry{.name = "hard_swish",
             .doc = "f(x) = x * min(max(x + 3, 0), 6) / 6.",
             .source = "Howard et al., Searching for MobileNetV3, ICCV 2019",
             .example = "- hard_swish"},
       plain(hard_swish)},
      {Entry{.name = "mish",
             .doc = "f(x) = x * tanh(log(1 + exp(x))).",
             .source = "Misra, Mish, BMVC 2020",
             .example = "- mish"},
       plain(mish)},
  };
}

std::vector<ActivationDef> shaped_activations() {
  return {
      {Entry{.name = "leaky_relu",
             .doc = "f(x) = x where x > 0, else slope * x.",
             .source = "Maas, Hannun, Ng, Rectifier nonlinearities, ICML 2013",
             .example = "- leaky_relu: 0.1",
             .principal = "slope",
             .keys = {Key("slope", schema::number(), "factor of negative x").by_default("0.01")}},
       [](ir::Builder& b, ir::Value* x, const Args& args) {
         return leaky_relu(b, x, args.number("slope"));
       }},
      {Entry{.name = "elu",
             .doc = "f(x) = x where x > 0, else alpha * (exp(x) - 1).",
             .source = "Clevert, Unterthiner, Hochreiter, ELU, ICLR 2016",
             .example = "- elu",
             .principal = "alpha",
             .keys = {Key("alpha", schema::number(), "limit for negative x, as -alpha")
                          .by_default("1")}},
       [](ir::Builder& b, ir::Value* x, const Args& args) {
         return elu(b, x, args.number("alpha"));
       }},
      {Entry{.name = "celu",
             .doc = "f(x) = x where x > 0, else alpha * (exp(x / alpha) - 1).",
             .source = "Barron, Continuously differentiable exponential linear units, 2017",
             .example = "- celu: 1.5",
             .principal = "alpha",
             .keys = {Key("alpha", schema::number().above(0), "limit for negative x, as -alpha")
                          .by_default("1")}},
       [](ir::Builder& b, ir::Value* x, const Args& args) {
         return celu(b, x, args.number("alpha"));
       }},
      {Entry{.name = "selu",
             .doc = "f(x) = 1.0507 * elu(x, alpha = 1.67326): keeps mean 0 and variance 1 through "
                    "layers with lecun_normal weights.",
             .source = "Klambauer et al., Self-normalizing neural networks, NIPS 2017",
             .example = "- dense: {units: 64, activation: selu, init: lecun_normal}"},
       [](ir::Builder& b, ir::Value* x, const Args&) { return selu(b, x); }},
      {Entry{.name = "gelu",
             .doc = "exact: f(x) = x/2 * (1 + erf(x/√2)); tanh: f(x) = x/2 * (1 + tanh(√(2/π) * (x "
                    "+ 0.044715 x³))).",
             .source = "Hendrycks, Gimpel, Gaussian error linear units, 2016",
             .example = "- gelu: tanh",
             .principal = "form",
             .keys = {Key("form", schema::choice({"exact", "tanh"}), "which formula")
                          .by_default("exact")}},
       [](ir::Builder& b, ir::Value* x, const Args& args) {
         return args.text("form") == "tanh" ? gelu_tanh(b, x) : gelu_exact(b, x);
       }},
      {Entry{.name = "swish",
             .doc = "f(x) = x / (1 + exp(-beta * x)); with beta 1 also called SiLU.",
             .source = "Ramachandran, Zoph, Le, Searching for activation functions, 2017",
             .example = "- swish",
             .principal = "beta",
             .keys = {Key("beta", schema::number(), "steepness of the sigmoid").by_default("1")}},
       [](ir::Builder& b, ir::Value* x, const Args& args) {
         return swish(b, x, args.number("beta"));
       }},
  };
}

}  // namespace

const std::vector<ActivationDef>& activation_table() {
  static const std::vector<ActivationDef> table = [] {
    std::vector<ActivationDef> all;
    for (auto part : {simple_activations, bounded_activations, shaped_activations})
      for (ActivationDef& def : part()) all.push_back(std::move(def));
    return all;
  }();
  return table;
}

const ActivationDef* find_activation(const std::string& name) {
  for (const ActivationDef& def : activation_table()) {
    if (def.entry.name == name) return &def;
  }
  return nullptr;
}

ir::Value* activate(ir::Builder& b, ir::Value* x, const EntryValue& choice) {
  const ActivationDef* def = find_activation(choice.kind.text);
  internal_check(def != nullptr, "activation " + choice.kind.text + " passed the schema");
  static const Args none;
  const SourceSpan before = b.span();
  b.set_span(choice.kind.span.known() ? choice.kind.span : before);
  ir::Value* result = def->build(b, x, choice.args ? *choice.args : none);
  b.set_span(before);
  return result;
}

}  // namespace nnc::layers
