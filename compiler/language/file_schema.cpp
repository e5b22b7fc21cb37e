#include "compiler/language/file_schema.h"

#include "compiler/language/ramp.h"

namespace nnc::language {

using namespace schema;

namespace {

constexpr size_t many = 1u << 20;
constexpr size_t most_layers = 4096;
// Far above any real extent, far below where products of a few overflow 64 bits.
constexpr double largest_extent = 1 << 30;

Type penalty() {
  return record({Key("l1", number().at_least(0), "times the sum of |w|").by_default("0"),
                 Key("l2", number().at_least(0),
                     "times the sum of w^2 (its gradient is 2·l2·w); of kernels alone, not of "
                     "biases and norms. Frozen kernels are left out")
                     .by_default("0")});
}

Type split() {
  return one_of(
      {entry_with_siblings(Group::sources, source_siblings()),
       record(
           {Key("fraction", number().above(0).below(1),
                "of the train rows. `test` is taken first, `valid` is a fraction of what is left")
                .required(),
            Key("stratify", reference(),
                "a field whose classes keep their shares; a class of one row is trained on"),
            Key("seed", integer().at_least(0),
                "of the choice of rows, which does not depend on train.seed")
                .by_default("0")})});
}

Type fields() {
  return map_of(
      record({Key("shape", list_of(integer().at_least(1).at_most(largest_extent)).sized(0, 8),
                  "of one row; default: as stored"),
              Key("classes", integer().at_least(2).at_most(largest_extent),
                  "the field is an index below this number"),
              Key("names", list_of(text()).sized(2, many), "the names of the classes, in order"),
              Key("prepare", list_of(entry_of(Group::prepare_steps)),
                  "steps between the stored values and the model, in order"),
              Key("augment", list_of(entry_of(Group::augment_steps)),
                  "random changes of training rows, of the stored values, in order")}));
}

Type data() {
  return record({Key("train", split(), "the rows to learn from"),
                 Key("valid", split(), "the rows to choose by: a source, or a fraction of train"),
                 Key("test", split(), "the rows to judge by: a source, or a fraction of train"),
                 Key("fields", fields(), "what the fields are and how they are prepared")});
}

// What may stand in `blocks`, by name.
Type block() {
  return record(
      {Key("args", map_of(text()),
           "numbers and words that its layers use as $name; a use sets others by `with`"),
       Key("inputs", list_of(name()).sized(1, many), "what its layers call the inputs").required(),
       Key("layers", list_of(entry_of(Group::layers)).sized(1, most_layers),
           "its layers. They see its inputs and each other")
           .required(),
       Key("outputs", one_of({list_of(reference()).sized(1, many), map_of(formula())}),
           "which of its layers are its values, or formulas; default: the last layer")});
}

// What may stand in `functions`, by name.
Type function() {
  return record({Key("inputs", list_of(reference()).sized(1, many),
                     "fields, and named values at which the graph is cut")
                     .required(),
                 Key("outputs", map_of(formula()), "what it computes").required(),
                 Key("draw", map_of(formula()),
                     "random values for inputs that nobody gives: {z: \"normal()\"}")});
}

Type model() {
  const Type start = one_of({entry_of(Group::initialisers, "constant"), array()});
  const Type parameter = one_of(
      {number(),
       record({Key("shape", list_of(integer().at_least(1).at_most(largest_extent)).sized(0, 8),
                   "of an array, the same in every row; default: a number. One of two axes or more "
                   "is a kernel to penalties and weight decay"),
               Key("init", start,
                   "how it starts: a number, the values, or an initialiser, to which the last axis "
                   "are the outputs and the others the inputs")
                   .by_default("0"),
               Key("min", number(), "the smallest value allowed"),
               Key("max", number(), "the largest value allowed")})});
  return record(
      {Key("inputs", list_of(reference()).sized(1, many), "the fields that the model takes")
           .required(),
       Key("params", map_of(parameter), "free trainable numbers and arrays, for formulas"),
       Key("layers", list_of(entry_of(Group::layers)).sized(0, most_layers),
           "the graph, from top to bottom"),
       Key("outputs", map_of(formula()),
           "what the model predicts; default: the last layer. The bare name of what a loss "
           "compares "
           "with a prepared field comes in that field's own units; other formulas stay as "
           "written")});
}

Type loss() {
  const std::vector<Key> beside = {
      Key("rows", choice({"mean", "sum"}),
          "how rows are put together: mean, or the sum over a batch (and shown, over all rows)")
          .by_default("mean"),
      Key("penalty", penalty(), "on the kernels of all layers")};
  const Type changing =
      record({Key("ramp", ramp_type(), "a number that changes while training").required()});
  const Key weight("weight", one_of({formula(), changing}),
                   "a number, formula or ramp that multiplies it");
  const Type term = one_of({formula(), entry_with_siblings(Group::losses, {weight})});
  std::vector<Key> keys = {Key("terms", map_of(term), "the losses, by name").required(),
                           Key("total", formula(), "of the terms; default: their sum")};
  keys.insert(keys.end(), beside.begin(), beside.end());
  std::vector<Key> beside_one = {weight};
  beside_one.insert(beside_one.end(), beside.begin(), beside.end());
  return one_of({entry_with_siblings(Group::losses, beside_one), record(keys)});
}

Type early_stop() {
  return record(
      {Key("watch", reference(), "valid. or train. and the name of the loss or a metric")
           .by_default("valid.loss"),
       Key("patience", integer().at_least(1), "how many epochs without improvement").required(),
       Key("min_delta", number().at_least(0), "what counts as improvement").by_default("0")});
}

Key optimizer() {
  return Key("optimizer", entry_of(Group::optimizers), "how gradients change the weights");
}

Key schedule() {
  return Key("schedule", entry_of(Group::schedules), "how the learning rate changes");
}

Key clip() {
  return Key("clip",
             record({Key("norm", number().above(0),
                         "of the whole gradient, all weights together: a longer one is scaled"),
                     Key("value", number().above(0), "of each element: a larger one is cut")}),
             "the largest gradient, penalties included; `value` cuts first, then `norm` scales; "
             "weight_decay of an optimizer comes after it");
}

Type phase() {
  return record(
      {Key("minimize", formula(), "a loss term, or a formula of several").required(),
       Key("update", list_of(reference()).sized(1, many),
           "blocks (with all their uses), layers and parameters that it changes; all others keep "
           "their weights, moments and running statistics. Default: all that are not frozen"),
       Key("steps", integer().at_least(1).at_most(1e6), "how often it is taken for each batch")
           .by_default("1"),
       optimizer().required(), schedule(), clip()});
}

Type train() {
  return record(
      {Key("epochs", integer().at_least(0).at_most(1e9), "how often every row is seen"),
       Key("steps", integer().at_least(0).at_most(1e15), "how many batches, instead of epochs"),
       Key("batch", one_of({integer().at_least(1).at_most(largest_extent), choice({"all"})}),
           "rows of one step, or all")
           .by_default("32"),
       optimizer(), schedule(), clip(),
       Key("phases", list_of(phase()).sized(1, 64),
           "instead of an optimizer: networks that are trained by turns. For each batch the "
           "phases are taken in this order, each with its own forward pass and fresh noise"),
       Key("early_stop", early_stop(), "stop when nothing improves any more"),
       Key("keep", choice({"best", "last"}),
           "which weights are kept; default: best if there is a valid split, and last with "
           "phases. Of equal epochs the first is the best"),
       Key("shuffle", boolean(), "whether rows change their order each epoch").by_default("true"),
       Key("seed", integer().at_least(0), "of weights, order and dropout").by_default("0")});
}

}  // namespace

const std::vector<Key>& source_siblings() {
  static const std::vector<Key> keys = {
      Key("where", formula(), "keep only the rows for which this holds: where: \"label < 5\""),
      Key("missing", list_of(text()),
          "words and numbers that stand for a missing value, in all of the source's fields")};
  return keys;
}

const Type& with_siblings(const Type& type) {
  static const Type layer = entry_with_siblings(Group::layers, layer_siblings());
  const bool bare = type.kind == Kind::entry && type.group == Group::layers && type.keys.empty();
  return bare ? layer : type;
}

const Type& block_type() {
  static const Type type = block();
  return type;
}

const std::vector<Key>& layer_siblings() {
  static const Type mode = choice({"train", "eval"});
  static const std::vector<Key> siblings = {
      Key("name", name(), "what formulas and other layers call it"),
      Key("from", one_of({reference(), list_of(reference()).sized(1, many), map_of(reference())}),
          "its input; default: the layer above. Several as a list; those of a block also by name"),
      Key("with", map_of(text()), "the arguments of a block, instead of those that it has"),
      Key("share", reference(), "the layer above whose weights it uses"),
      Key("freeze", boolean(), "whether its weights stay as they are").by_default("false"),
      Key("penalty", penalty(), "on its kernel, instead of the penalty of the loss"),
      Key("init",
          record({Key("from", path(), "the folder of the run").required(),
                  Key("name", reference(), "what they are called there; default: as here")}),
          "weights of another run to begin with, by name"),
      Key("predict", formula(), "what stands in its place in prediction"),
      Key("when", one_of({mode, list_of(mode).sized(1, 2)}),
          "the modes in which it draws random numbers; elsewhere its input passes unchanged. In an "
          "evaluation (valid, test) a row gets the same numbers each time; default: train"),
  };
  return siblings;
}

const Type& file_type() {
  static const Type type = record(
      {Key("nnc", integer(), "the version of the language, 1").required(),
       Key("name", text(), "of the model; default: the file's name"),
       Key("precision", choice({"f32", "f64"}), "of all numbers").by_default("f32"),
       Key("settings", map_of(one_of({number(), text()})),
           "named numbers, texts and ramps, used as $name"),
       Key("data", data(), "where rows come from"),
       Key("blocks", map_of(block()), "layers that the model uses more than once"),
       Key("model", model(), "the graph").required(),
       Key("functions", map_of(function()),
           "parts of the model that can be called on their own (nnc predict --function, nnc emit)"),
       Key("loss", loss(), "what training makes small"),
       Key("metrics", list_of(entry_of(Group::metrics)), "what is reported beside the loss"),
       Key("train", train(), "how training goes")});
  return type;
}

}  // namespace nnc::language
