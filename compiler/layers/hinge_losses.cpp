// Losses of scores that need a margin, and no more than it.
#include "compiler/layers/loss_parts.h"
#include "compiler/layers/rows.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;

ir::Value* squared_if(const CompareContext& context, ir::Value* loss) {
  return context.args.boolean("squared") ? context.b.mul(loss, loss) : loss;
}

// max(0, margin - y·x) with y = 2t - 1.
ir::Value* hinge(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Numbers n = binary_numbers(context);
  ir::Value* sign = b.add(b.mul(n.target, 2), -1);
  ir::Value* margin = b.constant_like(context.args.number("margin"), n.prediction);
  ir::Value* loss = b.unary("relu", b.sub(margin, b.mul(sign, n.prediction)));
  return fold_elements(context, squared_if(context, loss));
}

// With m_j = margin + x_j - x_t for the wrong classes j: the largest max(0, m_j), or their sum
// divided by the number of classes.
ir::Value* multiclass_hinge(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Classes c = classes(context);
  const int64_t axis = c.scores->type.rank() - 1;
  ir::Value* right = class_weights(b, c);
  ir::Value* score = repeat_axis(b, b.sum(b.mul(right, c.scores), {axis}), c.scores, axis);
  ir::Value* wrong = b.sub(b.constant_like(1, right), right);
  ir::Value* excess = b.add(b.mul(wrong, context.args.number("margin")), b.sub(c.scores, score));
  if (context.args.text("of") == "worst") {
    // The right class itself has an excess of 0.
    ir::Value* worst = b.unary("relu", b.reduce("reduce_max", excess, {axis}));
    return fold_elements(context, squared_if(context, worst));
  }
  ir::Value* each = b.mul(wrong, squared_if(context, b.unary("relu", excess)));
  return fold_elements(context, mean(b, each, {axis}));
}

std::vector<Key> hinge_keys() {
  std::vector<Key> keys = loss_keys({"prediction"});
  keys.push_back(Key("margin", schema::number().above(0), "by how much a score must be right")
                     .by_default("1"));
  keys.push_back(
      Key("squared", schema::boolean(), "whether what is missing is squared").by_default("false"));
  return keys;
}

}  // namespace

std::vector<LossDef> hinge_losses() {
  std::vector<Key> of_classes = hinge_keys();
  of_classes.push_back(
      Key("of", schema::choice({"all", "worst"}),
          "all: the sum over the wrong classes, divided by the number of classes (Weston and "
          "Watkins, PyTorch's MultiMarginLoss); worst: the largest (Crammer and Singer, "
          "scikit-learn's hinge_loss)")
          .by_default("all"));
  return {
      {Entry{.name = "hinge",
             .doc = "max(0, margin - y·prediction) for each element, y = 1 where the target is "
                    "1 and -1 where it is 0; mean over the elements of a row.",
             .source = "Cortes, Vapnik, Support-vector networks, Machine Learning 1995",
             .example = "loss: {hinge: {prediction: score, target: y}}",
             .keys = hinge_keys()},
       hinge, std::pair{0.0, 1.0}},
      {Entry{.name = "multiclass_hinge",
             .doc = "max(0, margin + x_j - x_t) for each wrong class j, x the scores […, C] and "
                    "t the right class: an index […] or one-hot […, C].",
             .source = "Weston, Watkins, Support vector machines for multi-class pattern "
                       "recognition, ESANN 1999; Crammer, Singer, JMLR 2001",
             .example = "loss: {multiclass_hinge: {prediction: logits, target: label}}",
             .keys = of_classes},
       multiclass_hinge, std::pair{0.0, 1.0}}};
}

}  // namespace nnc::layers
