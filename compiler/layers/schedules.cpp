// Learning-rate schedules as the model file names them. The runtime evaluates them
// (runtime/schedule.h has the same fields under the same names).
#include "compiler/layers/optimizers.h"

namespace nnc::layers {

using schema::Entry;
using schema::Key;

namespace {

Key warmup_key() {
  return Key("warmup", schema::duration(),
             "grow in a line to the full rate over this time: of n steps, step k has "
             "k/n of it. What follows counts from its end")
      .by_default("0");
}

Key floor_key(const std::string& value) {
  return Key("floor", schema::number().at_least(0).at_most(1), "factor of the rate at the end")
      .by_default(value);
}

Key time_key() {
  return Key("time", schema::duration(), "how long it goes down; 0: all the time there is")
      .by_default("0");
}

Entry linear_entry() {
  return {.name = "linear",
          .doc = "From the full rate down to `floor` in a straight line, and there it stays.",
          .example = "schedule: {linear: {warmup: 200 steps}}",
          .keys = {warmup_key(), time_key(), floor_key("0")}};
}

Entry polynomial_entry() {
  return {.name = "polynomial",
          .doc =
              "floor + (1 - floor) · (1 - t / time)^power of the rate, and from `time` on "
              "`floor`.",
          .example = "schedule: {polynomial: {power: 2}}",
          .keys = {Key("power", schema::number().above(0), "1 is a straight line").by_default("1"),
                   warmup_key(), time_key(), floor_key("0")}};
}

}  // namespace

std::vector<Entry> schedule_entries() {
  const schema::Type factor = schema::number().above(0).at_most(1);
  return {
      Entry{.name = "constant",
            .doc = "The same rate all the time.",
            .example = "schedule: {constant: {warmup: 200 steps}}",
            .keys = {warmup_key()}},
      Entry{.name = "step",
            .doc = "The rate is multiplied by `factor` once every `every`.",
            .example = "schedule: {step: {factor: 0.1, every: 30}}",
            .keys = {Key("factor", factor, "of the rate").by_default("0.1"),
                     Key("every", schema::duration().above(0), "time between two steps").required(),
                     warmup_key()}},
      Entry{
          .name = "exponential",
          .doc = "rate · factor^(t / every), after every step.",
          .example = "schedule: {exponential: {factor: 0.5, every: 10}}",
          .keys = {Key("factor", factor, "over the time `every`").by_default("0.95"),
                   Key("every", schema::duration().above(0), "time for one factor").by_default("1"),
                   warmup_key()}},
      Entry{.name = "cosine",
            .doc = "From the full rate down to `floor` along half a cosine. With `period` it "
                   "restarts from the full rate; each cycle is `stretch` times as long as the one "
                   "before.",
            .source = "Loshchilov, Hutter, SGDR, ICLR 2017",
            .example = "schedule: {cosine: {warmup: 200 steps}}",
            .keys = {warmup_key(),
                     Key("period", schema::duration(),
                         "length of the first cycle; 0: all the time "
                         "there is")
                         .by_default("0"),
                     Key("stretch", schema::number().at_least(1), "growth of the cycles")
                         .by_default("1"),
                     floor_key("0")}},
      linear_entry(),
      polynomial_entry(),
      Entry{.name = "one_cycle",
            .doc = "Up from `start` to the full rate over the share `rise` of training, then down "
                   "to `floor`, both along half a cosine.",
            .source = "Smith, Topin, Super-convergence, 2018",
            .example = "schedule: {one_cycle: {rise: 0.3}}",
            .keys = {Key("start", schema::number().at_least(0).at_most(1), "first factor")
                         .by_default("0.04"),
                     Key("rise", schema::number().at_least(0).at_most(1), "share of all steps")
                         .by_default("0.3"),
                     floor_key("0")}},
  };
}

}  // namespace nnc::layers
