// Cross entropy that turns to the rows it gets wrong.
#include <limits>

#include "compiler/layers/activations.h"
#include "compiler/layers/loss_parts.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

// miss^gamma; kept off 0, where the slope of a power below 1 is infinite.
ir::Value* turned_down(const CompareContext& context, ir::Value* miss) {
  ir::Builder& b = context.b;
  const double gamma = context.args.number("gamma");
  if (gamma == 0) return b.constant_like(1, miss);
  if (gamma == 1) return miss;
  if (gamma == 2) return b.mul(miss, miss);
  ir::Value* bounded = b.binary("max", miss, b.constant_like(1e-30, miss));
  return b.binary("pow", bounded, b.constant_like(gamma, miss));
}

// With p = sigmoid(x), q the probability that the answer misses: α_t·q^γ·(-t·log p -
// (1-t)·log(1-p)).
ir::Value* binary_focal(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Numbers n = binary_numbers(context);
  ir::Value* one = b.constant_like(1, n.prediction);
  ir::Value* rest = b.sub(one, n.target);
  ir::Value* entropy = nullptr;
  ir::Value* miss = nullptr;
  if (context.pair.form == Form::logits) {
    entropy = b.sub(b.unary("softplus", n.prediction), b.mul(n.target, n.prediction));
    ir::Value* yes = b.unary("sigmoid", n.prediction);
    ir::Value* no = b.unary("sigmoid", b.neg(n.prediction));
    miss = b.add(b.mul(yes, rest), b.mul(no, n.target));
  } else {
    ir::Value* no = b.sub(one, n.prediction);
    entropy = b.neg(
        b.add(b.mul(n.target, b.unary("log", n.prediction)), b.mul(rest, b.unary("log", no))));
    miss = b.add(b.mul(n.prediction, rest), b.mul(no, n.target));
  }
  ir::Value* loss = b.mul(entropy, turned_down(context, miss));
  if (context.args.has("alpha")) {
    const double alpha = context.args.number("alpha");
    loss = b.mul(loss, b.add(b.mul(n.target, 2 * alpha - 1), 1 - alpha));
  }
  return fold_elements(context, loss);
}

// A number for each class, or one for all.
ir::Value* alphas(const CompareContext& context, const ir::Value* like, int64_t classes) {
  const std::vector<double> given = context.args.numbers("alpha");
  if (given.size() != 1 && static_cast<int64_t>(given.size()) != classes) {
    throw UserError(context.args.span("alpha"), "focal weighs another number of classes",
                    "one number, or " + std::to_string(classes) + ": one for each class",
                    std::to_string(given.size()) + " numbers");
  }
  ir::Builder& b = context.b;
  if (given.size() == 1) return b.constant_like(given[0], like);
  ir::Value* table = b.table(given, like->type.dtype, ir::fixed_shape({classes}));
  return b.broadcast(table, like->type.shape, {like->type.rank() - 1});
}

// -Σ_c t_c·α_c·(1 - p_c)^γ·log p_c over the last axis.
ir::Value* focal(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Classes c = classes(context);
  const int64_t axis = c.scores->type.rank() - 1;
  ir::Value* log_p =
      context.pair.form == Form::logits ? log_softmax(b, c.scores, axis) : b.unary("log", c.scores);
  ir::Value* miss = b.neg(b.unary("expm1", log_p));
  ir::Value* each = b.mul(log_p, turned_down(context, miss));
  if (context.args.has("alpha")) each = b.mul(each, alphas(context, each, c.count));
  ir::Value* weights = class_weights(b, c);
  // What is not the target counts 0, also where its logarithm is infinite.
  ir::Value* zero = b.constant_like(0, each);
  ir::Value* picked = b.select(b.compare("eq", weights, zero), zero, b.mul(weights, each));
  return fold_elements(context, b.neg(b.sum(picked, {axis})));
}

Key gamma_key() {
  return Key("gamma", schema::number().at_least(0),
             "how much less a row counts that is right already; 0: cross entropy")
      .by_default("2");
}

constexpr const char* source = "Lin et al., Focal loss for dense object detection, ICCV 2017";

}  // namespace

std::vector<LossDef> focal_losses() {
  std::vector<Key> of_classes = loss_keys({"logits", "probability"});
  of_classes.push_back(gamma_key());
  of_classes.push_back(
      Key("alpha",
          schema::one_of({schema::number().at_least(0),
                          schema::list_of(schema::number().at_least(0)).sized(2, 1u << 20)}),
          "weight of the classes, one number each; default: 1"));
  std::vector<Key> of_labels = loss_keys({"logits", "probability"});
  of_labels.push_back(gamma_key());
  of_labels.push_back(Key("alpha", schema::number().at_least(0).at_most(1),
                          "weight of target 1, and 1 - alpha of target 0; default: 1 for both"));
  return {
      {Entry{.name = "focal",
             .doc = "-Σ target_c · alpha_c · (1 - p_c)^gamma · log p_c over the classes c, the "
                    "last axis of the prediction […, C]: cross entropy in which a row counts "
                    "the less, the surer it is right. The target is an index […] or one number "
                    "per class […, C].",
             .source = source,
             .example = "loss: {focal: {logits: logits, target: label, gamma: 2}}",
             .keys = of_classes},
       focal, std::pair{0.0, std::numeric_limits<double>::infinity()}},
      {Entry{.name = "binary_focal",
             .doc = "For each element alpha_t · (1 - p_t)^gamma · -log p_t, p_t the probability "
                    "of the right answer: p where the target is 1, 1 - p where it is 0; alpha_t "
                    "is alpha or 1 - alpha. With alpha 0.25 and gamma 2 it is what torchvision "
                    "calls sigmoid_focal_loss.",
             .source = source,
             .example = "loss: {binary_focal: {logits: score, target: y, alpha: 0.25}}",
             .keys = of_labels},
       binary_focal, std::pair{0.0, 1.0}}};
}

}  // namespace nnc::layers
