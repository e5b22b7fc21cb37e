#include "compiler/layers/optimizers.h"

#include "compiler/support/text.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

ir::Value* scaled(UpdateContext& context, ir::Value* x, const std::string& scalar) {
  return context.b.mul(x, context.scalar(scalar));
}

// gradient + decay · parameter: weight decay as an L2 penalty.
ir::Value* with_decay(UpdateContext& context) {
  const double decay = context.args.number("weight_decay");
  if (decay == 0 || !context.decays) return context.gradient;
  return context.b.add(context.gradient, context.b.mul(context.parameter, decay));
}

// v' = momentum · v + g; p' = p - rate · v', or with Nesterov p - rate · (g + momentum · v').
ir::Value* sgd(UpdateContext& context) {
  ir::Builder& b = context.b;
  const double momentum = context.args.number("momentum");
  ir::Value* g = with_decay(context);
  ir::Value* direction = g;
  if (momentum > 0) {
    ir::Value* velocity = context.state("sgd.velocity");
    ir::Value* next = b.add(b.mul(velocity, momentum), g);
    b.assign(velocity, next);
    direction = context.args.boolean("nesterov") ? b.add(g, b.mul(next, momentum)) : next;
  }
  return b.sub(context.parameter, scaled(context, direction, "rate"));
}

// m' = β1 m + (1-β1) g; v' = β2 v + (1-β2) g²; the step is rate · m̂ / (√v̂ + ε), where m̂ =
// m'/(1-β1^t) and v̂ = v'/(1-β2^t). With the fewest multiplications for each weight that is
// rate · √(1-β2^t) / (1-β1^t) · m' / (√v' + ε √(1-β2^t)), as at the end of the paper's section 2.
ir::Value* adam_step(UpdateContext& context, ir::Value* g) {
  ir::Builder& b = context.b;
  const double beta1 = context.args.number("beta1");
  const double beta2 = context.args.number("beta2");
  ir::Value* m = context.state("adam.m");
  ir::Value* v = context.state("adam.v");
  ir::Value* next_m = b.add(m, b.mul(b.sub(g, m), 1 - beta1));
  ir::Value* square_less = b.add(b.mul(g, g), b.neg(v));  // one multiply-add
  ir::Value* next_v = b.add(v, b.mul(square_less, 1 - beta2));
  b.assign(m, next_m);
  b.assign(v, next_v);
  ir::Value* root = b.unary("sqrt", context.scalar("bias_correction:" + number_text(beta2)));
  ir::Value* rate =
      b.mul(context.scalar("rate"), context.scalar("bias_correction:" + number_text(beta1)));
  ir::Value* epsilon = b.div(b.constant_like(context.args.number("epsilon"), root), root);
  ir::Value* direction = b.div(next_m, b.add(b.unary("sqrt", next_v), epsilon));
  return b.mul(direction, b.div(rate, root));
}

ir::Value* adam(UpdateContext& context) {
  return context.b.sub(context.parameter, adam_step(context, with_decay(context)));
}

// Weight decay beside the gradient: p' = p - rate · decay · p - step.
ir::Value* adamw(UpdateContext& context) {
  ir::Builder& b = context.b;
  const double decay = context.args.number("weight_decay");
  ir::Value* step = adam_step(context, context.gradient);
  if (decay != 0 && context.decays) {
    step = b.add(step, scaled(context, b.mul(context.parameter, decay), "rate"));
  }
  return b.sub(context.parameter, step);
}

Key rate_key(const std::string& value) {
  return Key("rate", schema::number().at_least(0), "learning rate, before the schedule's factor")
      .by_default(value);
}

Key decay_key(const std::string& value, const std::string& doc) {
  return Key("weight_decay", schema::number().at_least(0), doc + "; kernels only")
      .by_default(value);
}

std::vector<Key> adam_keys(const Key& decay) {
  const schema::Type share = schema::number().at_least(0).below(1);
  return {rate_key("0.001"), Key("beta1", share, "memory of the mean gradient").by_default("0.9"),
          Key("beta2", share, "memory of the mean squared gradient").by_default("0.999"),
          Key("epsilon", schema::number().above(0), "added to the root").by_default("1e-8"), decay};
}

std::vector<OptimizerDef> make_optimizers() {
  return {
      {Entry{.name = "sgd",
             .doc = "w ← w - rate · v with v ← momentum · v + gradient. With `nesterov` the step "
                    "is rate · (gradient + momentum · v).",
             .source = "Sutskever et al., On the importance of initialization and momentum, 2013",
             .example = "optimizer: {sgd: {rate: 0.1, momentum: 0.9}}",
             .keys = {rate_key("0.01"),
                      Key("momentum", schema::number().at_least(0).below(1),
                          "how much of the last step is kept")
                          .by_default("0"),
                      Key("nesterov", schema::boolean(), "look ahead along the momentum")
                          .by_default("false"),
                      decay_key("0", "added to the gradient, times the weight")}},
       sgd},
      {Entry{.name = "adam",
             .doc = "w ← w - rate · m̂ / (√v̂ + epsilon), with running means m of the gradient and "
                    "v of its square, corrected for their start at zero.",
             .source = "Kingma, Ba, Adam, ICLR 2015",
             .example = "optimizer: {adam: {rate: 0.001}}",
             .keys = adam_keys(decay_key("0", "added to the gradient, times the weight"))},
       adam},
      {Entry{.name = "adamw",
             .doc = "Adam with decoupled weight decay: w ← w - rate · (m̂ / (√v̂ + epsilon) + "
                    "weight_decay · w).",
             .source = "Loshchilov, Hutter, Decoupled weight decay, ICLR 2019",
             .example = "optimizer: {adamw: {rate: 0.001, weight_decay: 0.01}}",
             .keys = adam_keys(decay_key("0.01", "taken off the weight, times the rate"))},
       adamw},
  };
}

}  // namespace

const std::vector<OptimizerDef>& optimizer_table() {
  static const std::vector<OptimizerDef> table = make_optimizers();
  return table;
}

const OptimizerDef* find_optimizer(const std::string& name) {
  for (const OptimizerDef& def : optimizer_table()) {
    if (def.entry.name == name) return &def;
  }
  return nullptr;
}

std::vector<ir::Value*> clip_by_value(ir::Builder& b, const std::vector<ir::Value*>& gradients,
                                      double limit) {
  std::vector<ir::Value*> result;
  for (ir::Value* g : gradients) {
    ir::Value* capped = b.binary("min", g, b.constant_like(limit, g));
    result.push_back(b.binary("max", capped, b.constant_like(-limit, g)));
  }
  return result;
}

std::vector<ir::Value*> clip_by_norm(ir::Builder& b, const std::vector<ir::Value*>& gradients,
                                     double limit) {
  ir::Value* total = nullptr;
  for (ir::Value* g : gradients) {
    std::vector<int64_t> axes;
    for (int64_t i = 0; i < g->type.rank(); ++i) axes.push_back(i);
    ir::Value* square = b.sum(b.mul(g, g), axes);
    total = total == nullptr ? square : b.add(total, square);
  }
  if (total == nullptr) return {};
  // min(1, limit / norm): a zero norm gives infinity, and so 1.
  ir::Value* ratio = b.div(b.constant_like(limit, total), b.unary("sqrt", total));
  ir::Value* factor = b.binary("min", ratio, b.constant_like(1, ratio));
  std::vector<ir::Value*> result;
  for (ir::Value* g : gradients) result.push_back(b.mul(g, factor));
  return result;
}

}  // namespace nnc::layers
