"""Formulas with random numbers, free arrays and ramps: trained, resumed, evaluated, predicted."""

import json

from support import NncTest

MODEL = """nnc: 1
settings: {beta: {ramp: {from: 0, to: 0.1, epochs: 4}}}
data:
  train: {idx: {image: train-images.gz, label: train-labels.gz}}
  valid: {fraction: 0.25, seed: 3}
  fields:
    image: {shape: [6, 6], prepare: [{scale: 1/255}]}
model:
  inputs: [image]
  params:
    w: {shape: [36, 12], init: he_normal}
    b: {shape: [12], min: -0.5, max: 0.5}
  layers:
    - flatten:
      name: x
    - expr: "tanh(x @ w + b)"
      name: h
    - dense: 3
      name: mu
      from: h
    - dense: 3
      name: logvar
      from: h
    - expr: "normal(mu, exp(0.5*logvar))"
      name: z
      predict: "mu"
    - dense: 36
      name: xlogit
  outputs: {picture: "sigmoid(xlogit)", code: mu}
loss:
  terms:
    bce: {binary_cross_entropy: {logits: xlogit, target: x, elements: sum}}
    kl: {kl_divergence: {from: {normal: {mean: mu, log_variance: logvar}}, to: standard_normal}}
  total: "bce + $beta*kl"
train: {epochs: 4, batch: 32, optimizer: {adam: {rate: 0.01}}, seed: 5, keep: last}
"""


class Formulas(NncTest):
    def setUp(self):
        super().setUp()
        self.small_pictures()
        self.write("vae.yaml", MODEL)

    def last_epoch(self, run):
        return json.loads(self.path(f"{run}/metrics.jsonl").read_text().splitlines()[-1])

    def test_resumed_training_has_the_same_bits(self):
        self.run_nnc("train", "vae.yaml", "-o", "whole", "--threads", 1)
        self.run_nnc("train", "vae.yaml", "-o", "parts", "--epochs", 2)
        self.run_nnc("train", "--resume", "parts", "--epochs", 4)
        whole, parts = (self.last_epoch(run) for run in ("whole", "parts"))
        self.assertEqual(whole["valid"], parts["valid"])
        for run in ("whole", "parts"):
            self.run_nnc("predict", run, "--in", "test-images.gz", "--out", f"{run}.npz")
        self.assertEqual(self.path("whole.npz").read_bytes(), self.path("parts.npz").read_bytes())

    def test_evaluations_and_predictions_repeat_themselves(self):
        self.run_nnc("train", "vae.yaml", "-o", "run", "--epochs", 1)
        then = self.last_epoch("run")["valid"]
        again = [self.json_of("eval", "run", "--split", "valid", "--json") for _ in range(2)]
        self.assertEqual(again[0], again[1])
        self.assertAlmostEqual(then["loss"], again[0]["loss"], places=5)
        # The weight of a ramp is its last one, whatever the epoch.
        self.assertAlmostEqual(then["loss"], then["loss.bce"] + 0.1 * then["loss.kl"], places=4)
        for name in ("a.npz", "b.npz"):
            self.run_nnc("predict", "run", "--in", "test-images.gz", "--out", name)
        self.assertEqual(self.path("a.npz").read_bytes(), self.path("b.npz").read_bytes())

    def test_free_arrays_are_counted_shown_and_kept_in_bounds(self):
        table = self.run_nnc("check", "vae.yaml").stdout
        self.assertRegex(table, r"w +param +\[36, 12\] +432")
        self.run_nnc("train", "vae.yaml", "-o", "run", "--epochs", 1)
        shown = self.json_of("show", "run", "b", "--json")
        self.assertIn("12", json.dumps(shown))
        self.assertRegex(self.run_nnc("show", "run").stdout, r"\bw +36×12|\bw +\[?36")

    def test_the_resolved_model_says_the_same(self):
        self.run_nnc("train", "vae.yaml", "-o", "run", "--epochs", 1)
        text = self.path("run/model.yaml").read_text()
        self.assertIn("beta: {ramp: {from: 0, to: 0.1, epochs: 4}}", text)
        self.assertIn("ramp(0, 0.1, epochs=4)", text)
        self.assertIn("shape: [36, 12]", text)

    def test_emitted_code_takes_the_mean(self):
        self.run_nnc("train", "vae.yaml", "-o", "run", "--epochs", 1)
        self.run_nnc("emit", "run", "-o", "vae.h")
        self.assertNotIn("philox", self.path("vae.h").read_text().lower())

    def test_help_lists_every_function(self):
        text = self.run_nnc("help", "formulas").stdout
        for name in ("normal(mean, deviation, shape)", "einsum(", "logsumexp(", "ramp("):
            self.assertIn(name, text)
        self.assertIn("Euclidean", self.run_nnc("help", "norm").stdout)
