// Activations: elementwise functions (and softmax) that are layers of their own and also the
// `activation:` argument of other layers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/support/args.h"
#include "compiler/support/schema.h"

namespace nnc::layers {

struct ActivationDef {
  schema::Entry entry;
  // The argument has any shape; softmax works along the last axis.
  std::function<ir::Value*(ir::Builder&, ir::Value*, const Args&)> build;
};

const std::vector<ActivationDef>& activation_table();
const ActivationDef* find_activation(const std::string& name);  // null if unknown

// Applies the activation that an argument names. UserError where softmax has no axis.
ir::Value* activate(ir::Builder& b, ir::Value* x, const EntryValue& choice);

// exp(x - max) / Σ exp(x - max) along `axis` of the value; the maximum carries no gradient.
ir::Value* softmax(ir::Builder& b, ir::Value* x, int64_t axis);
// x - max - log Σ exp(x - max) along `axis` of the value.
ir::Value* log_softmax(ir::Builder& b, ir::Value* x, int64_t axis);

// Functions shared with formulas.
ir::Value* leaky_relu(ir::Builder& b, ir::Value* x, double slope);
ir::Value* elu(ir::Builder& b, ir::Value* x, double alpha);
ir::Value* selu(ir::Builder& b, ir::Value* x);
ir::Value* gelu_exact(ir::Builder& b, ir::Value* x);
ir::Value* gelu_tanh(ir::Builder& b, ir::Value* x);
ir::Value* swish(ir::Builder& b, ir::Value* x, double beta);
ir::Value* celu(ir::Builder& b, ir::Value* x, double alpha);
ir::Value* mish(ir::Builder& b, ir::Value* x);
ir::Value* softsign(ir::Builder& b, ir::Value* x);
ir::Value* log_sigmoid(ir::Builder& b, ir::Value* x);
ir::Value* relu6(ir::Builder& b, ir::Value* x);
ir::Value* hard_sigmoid(ir::Builder& b, ir::Value* x);
ir::Value* hard_swish(ir::Builder& b, ir::Value* x);
ir::Value* hard_tanh(ir::Builder& b, ir::Value* x);

}  // namespace nnc::layers
