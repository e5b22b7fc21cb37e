// The table of augment steps.
#include "compiler/language/data_schema.h"

namespace nnc::language {

using namespace schema;

namespace {

Key border() {
  return Key("border", choice({"zero", "edge"}), "what lies outside: 0, or the nearest pixel")
      .by_default("zero");
}

const char* const share = "0.2: up to a fifth; of 255 for bytes, of 1 for other numbers";

// Steps that move pixels.
std::vector<Entry> places() {
  return {
      {.name = "shift",
       .doc = "Moves pictures by whole pixels, up to `by` in every direction.",
       .example = "shift: 2",
       .principal = "by",
       .keys =
           {Key("by", integer().at_least(1).at_most(1 << 20), "how many pixels at most").required(),
            border()}},
      {.name = "flip",
       .doc = "Mirrors every other picture, left and right (horizontal) or top and bottom.",
       .example = "flip: horizontal",
       .principal = "axis",
       .keys = {Key("axis", choice({"horizontal", "vertical", "both"}),
                    "horizontal: left and right change places")
                    .by_default("horizontal")}},
      {.name = "rotate",
       .doc = "Turns pictures about their middle, up to `degrees` both ways.",
       .example = "rotate: 10",
       .principal = "degrees",
       .keys = {Key("degrees", number().above(0).at_most(180), "the largest angle").required(),
                border()}},
      {.name = "zoom",
       .doc = "Enlarges or shrinks pictures about their middle by a factor of 1 - by to 1 + by.",
       .example = "zoom: 0.1",
       .principal = "by",
       .keys = {Key("by", number().above(0).below(1), "the largest change of size").required(),
                border()}},
  };
}

// Steps that change values.
std::vector<Entry> values() {
  return {
      {.name = "brightness",
       .doc = "Adds one number to all values of a row, up to `by` both ways.",
       .example = "brightness: 0.2",
       .principal = "by",
       .keys = {Key("by", number().above(0).at_most(1), share).required()}},
      {.name = "contrast",
       .doc = "Multiplies the distances from the row's mean by 1 - by to 1 + by.",
       .example = "contrast: 0.2",
       .principal = "by",
       .keys = {Key("by", number().above(0).at_most(1), "the largest change").required()}},
      {.name = "noise",
       .doc = "Adds a normal random number to every value.",
       .example = "noise: 0.05",
       .principal = "deviation",
       .keys = {Key("deviation", number().above(0).at_most(1), share).required()}},
      {.name = "cutout",
       .doc = "Sets a square to 0; its middle is any pixel, so that it may stick out.",
       .source = "DeVries, Taylor: Improved regularization with cutout, 2017",
       .example = "cutout: 8",
       .principal = "size",
       .keys =
           {Key("size", integer().at_least(1).at_most(1 << 20), "its sides in pixels").required()}},
      {.name = "mixup",
       .doc = "Replaces a row by a mixture with another training row. All fields that are no "
              "inputs of the model are mixed alike; an index becomes shares of its classes.",
       .source = "Zhang et al., mixup: Beyond empirical risk minimization, ICLR 2018",
       .example = "mixup: 0.2",
       .principal = "alpha",
       .keys = {Key("alpha", number().above(0).at_most(4), "shares follow Beta(alpha, alpha)")
                    .required()}},
  };
}

}  // namespace

const std::vector<Entry>& augment_entries() {
  static const std::vector<Entry> entries = [] {
    std::vector<Entry> all = places();
    for (Entry& entry : values()) all.push_back(std::move(entry));
    return all;
  }();
  return entries;
}

}  // namespace nnc::language
