"""Losses where probabilities become 0 and 1: the right value, or words that name the cause."""

import json
import math

from support import NncTest

UNIT = """nnc: 1
precision: %s
data:
  train: {inline: {x: [[%s], [-1]], y: [1, 0]}}
  fields: {y: {classes: 2}}
model:
  inputs: [x]
  layers:
    - dense: {units: 1, activation: sigmoid, init: {kernel: ones}}
      name: p
  outputs: {o: "p*1"}
loss: {binary_cross_entropy: {probability: p, target: y}}
train: {epochs: 3, batch: 2, optimizer: {sgd: {rate: 0.1}}}
"""
GIVEN = """nnc: 1
data:
  train: {inline: {x: %s, y: %s}}
%smodel:
  inputs: [x]
  params: {w: 0}
  layers:
    - expr: "x + w"
      name: p
  outputs: {o: p}
loss: %s
train: {epochs: 1, batch: 4, optimizer: {sgd: {rate: 0.1}}}
"""


class LossEdges(NncTest):
    def first_loss(self, run):
        return json.loads(self.path(run + "/metrics.jsonl").read_text().split("\n")[0])["train"]

    def test_one_sigmoid_unit_saturates(self):
        softplus = lambda x: math.log1p(math.exp(x))
        for number, (precision, x) in enumerate([("f32", 20), ("f64", 40), ("f32", 1e4)]):
            run = f"run{number}"
            self.run_nnc("train", self.write("m.yaml", UNIT % (precision, x)), "-o", run)
            right = ((softplus(-x) if x < 700 else 0) + softplus(-1)) / 2
            self.assertAlmostEqual(self.first_loss(run)["loss"], right, places=6)

    def test_certain_and_right_costs_nothing(self):
        for name, loss in (("a", "{binary_cross_entropy: {probability: p, target: y}}"),
                           ("b", '{terms: {b: "-(y*log(p) + (1-y)*log(1-p))"}}')):
            model = self.write("m.yaml", GIVEN % ("[0, 1]", "[0, 1]", "", loss))
            self.run_nnc("train", model, "-o", name)
            self.assertEqual(self.first_loss(name)["loss"], 0)

    def test_certain_and_wrong_is_named(self):
        said = self.error_of("train", self.write("m.yaml", GIVEN % (
            "[0.5, 1, 0]", "[1, 0, 0]", "",
            "{binary_cross_entropy: {probability: p, target: y}}")), "-o", "a")
        self.assertIn("is not a finite number (inline data: row 1 (counted from 0))", said)
        self.assertIn("m.yaml:11:8: error: binary_cross_entropy: 'p' is exactly 1 where its target "
                      "is below 1: the loss is infinite there\n", said)
        self.assertNotIn("learning rate", said)
        said = self.error_of("train", self.write("m.yaml", GIVEN % (
            "[[0.5, 0.5], [1, 0]]", "[1, 1]", "  fields: {y: {classes: 2}}\n",
            "{cross_entropy: {probability: p, target: y}}")), "-o", "b")
        self.assertIn("m.yaml:12:8: error: cross_entropy: 'p' is exactly 0 for a class whose target "
                      "is above 0: the loss is infinite there\n", said)
        said = self.error_of("train", self.write("m.yaml", GIVEN % (
            "[0.5, 0]", "[1, 2]", "", '{terms: {rate: "p - y*log(p)"}}')), "-o", "c")
        self.assertIn("the logarithm of 0 is taken here: -inf", said)

    def test_what_f32_cannot_hold_is_named(self):
        said = self.error_of("train", self.write("m.yaml", GIVEN % (
            "[0.5, 0.001]", "[1, 1]", "", '{terms: {power: "-y*log(p^20/2)"}}')), "-o", "a")
        self.assertIn("the logarithm of 0 is taken here: -inf", said)
        self.assertIn("With `precision: f64` the step is finite", said)
        said = self.error_of("train", self.write("m.yaml", GIVEN % (
            "[1, 90]", "[1, 1]", "", '{terms: {square: "(exp(p) - y)^2"}}')), "-o", "b")
        self.assertIn("by 'exp': 1.22e+39, more than f32 can hold", said)
        self.assertIn("  got       of 90\n", said)
