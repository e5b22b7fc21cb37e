#include "compiler/layers/losses.h"

#include <limits>

#include "compiler/layers/activations.h"
#include "compiler/layers/loss_parts.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

using schema::Entry;
using schema::Key;

ir::Value* fold_elements(const CompareContext& context, ir::Value* loss) {
  const std::vector<int64_t> axes = all_row_axes(loss);
  if (context.args.text("elements") == "sum") return context.b.sum(loss, axes);
  return mean(context.b, loss, axes);
}

Key elements_key(const std::string& otherwise) {
  return Key("elements", schema::choice({"mean", "sum"}), "how the elements of one row are joined")
      .by_default(otherwise);
}

std::vector<Key> loss_keys(const std::vector<std::string>& forms) {
  std::vector<Key> keys = pair_keys(forms, true);
  keys.push_back(elements_key());
  return keys;
}

ir::Value* class_weights(ir::Builder& b, const Classes& classes) {
  if (classes.index == nullptr) return classes.weights;
  const ir::Value* scores = classes.scores;
  ir::Value* position = positions(b, ir::DType::i32, scores->type.shape);
  ir::Value* index = repeat_axis(b, classes.index, scores, scores->type.rank() - 1);
  return b.cast(b.compare("eq", position, index), scores->type.dtype);
}

namespace {

ir::Value* squared_error(const CompareContext& context) {
  const Numbers n = numbers(context);
  ir::Value* difference = context.b.sub(n.prediction, n.target);
  return fold_elements(context, context.b.mul(difference, difference));
}

ir::Value* absolute_error(const CompareContext& context) {
  const Numbers n = numbers(context);
  return fold_elements(context, context.b.unary("abs", context.b.sub(n.prediction, n.target)));
}

// With d = |p - t| and q = min(d, δ): q (d - q/2), which is d²/2 below δ and δ (d - δ/2) above.
ir::Value* huber(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Numbers n = numbers(context);
  ir::Value* distance = b.unary("abs", b.sub(n.prediction, n.target));
  ir::Value* capped =
      b.binary("min", distance, b.constant_like(context.args.number("delta"), distance));
  return fold_elements(context, b.mul(capped, b.sub(distance, b.mul(capped, 0.5))));
}

// -Σ_c target_c · log p_c, where an index picks one class.
ir::Value* cross_entropy(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Classes c = classes(context);
  const int64_t axis = c.scores->type.rank() - 1;
  ir::Value* log_p =
      context.pair.form == Form::logits ? log_softmax(b, c.scores, axis) : b.unary("log", c.scores);
  ir::Value* picked = nullptr;
  if (c.index != nullptr) {
    ir::Value* position = positions(b, ir::DType::i32, log_p->type.shape);
    ir::Value* is_target = b.compare("eq", position, repeat_axis(b, c.index, log_p, axis));
    picked = b.select(is_target, log_p, b.constant_like(0, log_p));
  } else {
    picked = b.mul(c.weights, log_p);
  }
  ir::Value* loss = b.neg(b.sum(picked, {axis}));
  const double smoothing = context.args.number("label_smoothing");
  if (smoothing > 0) {
    ir::Value* uniform = b.mul(mean(b, log_p, {axis}), smoothing);
    loss = b.sub(b.mul(loss, 1 - smoothing), uniform);
  }
  return fold_elements(context, loss);
}

// From logits: softplus(x) - t·x, which never overflows. From probabilities:
// -(t·log p + (1 - t)·log(1 - p)).
ir::Value* binary_cross_entropy(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Numbers n = binary_numbers(context);
  if (context.pair.form == Form::logits) {
    ir::Value* loss = b.sub(b.unary("softplus", n.prediction), b.mul(n.target, n.prediction));
    return fold_elements(context, loss);
  }
  ir::Value* one = b.constant_like(1, n.prediction);
  ir::Value* yes = b.mul(n.target, b.unary("log", n.prediction));
  ir::Value* no = b.mul(b.sub(one, n.target), b.unary("log", b.sub(one, n.prediction)));
  return fold_elements(context, b.neg(b.add(yes, no)));
}

std::vector<LossDef> make_losses() {
  std::vector<Key> huber_keys = loss_keys({"prediction"});
  huber_keys.push_back(
      Key("delta", schema::number().above(0), "where the square becomes a straight line")
          .by_default("1"));
  std::vector<Key> class_keys = loss_keys({"logits", "probability"});
  class_keys.push_back(
      Key("label_smoothing", schema::number().at_least(0).at_most(1),
          "share of the target that is spread evenly over all classes: 1 - s + s/C for the right "
          "class, s/C for each other, as in PyTorch")
          .by_default("0"));
  return {
      {Entry{.name = "mean_squared_error",
             .doc = "(prediction - target)², mean over the elements of a row.",
             .example = "loss: {mean_squared_error: {prediction: y_hat, target: y}}",
             .keys = loss_keys({"prediction"})},
       squared_error},
      {Entry{.name = "mean_absolute_error",
             .doc = "|prediction - target|, mean over the elements of a row.",
             .example = "loss: {mean_absolute_error: {prediction: y_hat, target: y}}",
             .keys = loss_keys({"prediction"})},
       absolute_error},
      {Entry{.name = "huber",
             .doc = "With d = |prediction - target|: d²/2 where d <= delta, else delta·(d - "
                    "delta/2); mean over the elements of a row.",
             .source = "Huber, Robust estimation of a location parameter, 1964",
             .example = "loss: {huber: {prediction: y_hat, target: y, delta: 1}}",
             .keys = huber_keys},
       huber},
      {Entry{.name = "cross_entropy",
             .doc = "-Σ target_c · log p_c over the classes c, the last axis of the prediction "
                    "[…, C]. From logits p = softmax(logits), computed without overflow. The "
                    "target is an index […] (a field with `classes`) or one number per class […, "
                    "C].",
             .source = "Goodfellow, Bengio, Courville, Deep Learning, 6.2.2",
             .example = "loss: {cross_entropy: {logits: logits, target: label}}",
             .keys = class_keys},
       cross_entropy, std::pair{0.0, std::numeric_limits<double>::infinity()}},
      {Entry{.name = "binary_cross_entropy",
             .doc = "-(t·log p + (1 - t)·log(1 - p)) for each element, t between 0 and 1; mean "
                    "over the elements of a row. From logits p = sigmoid(logits), computed as "
                    "softplus(x) - t·x.",
             .example = "loss: {binary_cross_entropy: {logits: score, target: y}}",
             .keys = loss_keys({"logits", "probability"})},
       binary_cross_entropy, std::pair{0.0, 1.0}},
  };
}

}  // namespace

const std::vector<LossDef>& loss_table() {
  static const std::vector<LossDef> table = [] {
    std::vector<LossDef> all = make_losses();
    for (auto family : {focal_losses, hinge_losses, divergence_losses}) {
      for (LossDef& def : family()) all.push_back(std::move(def));
    }
    return all;
  }();
  return table;
}

const LossDef* find_loss(const std::string& name) {
  for (const LossDef& def : loss_table()) {
    if (def.entry.name == name) return &def;
  }
  return nullptr;
}

}  // namespace nnc::layers
