"""Layers, activations, schedules and metrics that users of other tools look for, in whole runs."""

import json
import zipfile

from support import NncTest, npy

LINES = """nnc: 1
data:
  train: {npz: {file: rows.npz, arrays: {x: x, y: y}}}
  fields: {y: {classes: 3}}
model:
  inputs: [x]
  layers:
    - dense: {units: 4, activation: mish}
    - prelu
    - conv1d_transpose: {filters: 3, kernel: 3, stride: 2, activation: hard_swish}
    - maxpool1d: {pool: 3, stride: 2, padding: 1}
    - flatten
    - dense: 3
      name: logits
  outputs: {probability: "softmax(logits)"}
loss: {cross_entropy: {logits: logits, target: y}}
metrics: [accuracy, log_loss, balanced_accuracy, mcc, average_precision, f1,
          {f1: {average: weighted}}, {precision: {average: micro}}]
train:
  epochs: 30
  batch: 15
  optimizer: {adam: {rate: 0.05}}
  schedule: {polynomial: {power: 2, floor: 0.1}}
"""


def half(values, shape):
    """A big-endian float16 array in Fortran order."""
    text = npy(values, shape, ">f2")
    return text.replace(b"'fortran_order': False", b"'fortran_order': True ")


class Wanted(NncTest):
    def setUp(self):
        super().setUp()
        rows = [[[(r % 3 == k) + (r * 7 + k * 3 + c) % 5 / 8 for c in range(2)] for k in range(3)]
                for r in range(30)]
        columns = [rows[r][k][c] for c in range(2) for k in range(3) for r in range(30)]
        with zipfile.ZipFile(self.path("rows.npz"), "w") as archive:
            archive.writestr("x.npy", half(columns, (30, 3, 2)))
            archive.writestr("y.npy", npy([r % 3 for r in range(30)], (30,), ">i2"))
        self.write("half.npy", half(columns, (30, 3, 2)))
        self.write("x.npy", npy([x for row in rows for place in row for x in place], (30, 3, 2)))
        self.write("wanted.yaml", LINES)

    def test_trains_evaluates_and_predicts(self):
        self.run_nnc("train", "wanted.yaml", "-o", "run")
        figures = self.json_of("eval", "run", "--split", "train", "--json")
        text = json.dumps(figures)
        for name in ("log_loss", "balanced_accuracy", "mcc", "average_precision", "f1_weighted",
                     "precision_micro"):
            self.assertIn(f'"{name}"', text)
        epochs = [json.loads(line)["train"]
                  for line in self.path("run/metrics.jsonl").read_text().splitlines()]
        self.assertLess(epochs[-1]["loss"], epochs[0]["loss"])
        # What is stored as half, big-endian and by columns is the same as plain floats.
        halfs = self.run_nnc("predict", "run", "--in", "half.npy", "--out", "-").stdout
        floats = self.run_nnc("predict", "run", "--in", "x.npy", "--out", "-").stdout
        self.assertEqual(halfs, floats)
        self.assertEqual(len(halfs.splitlines()), 31)

    def test_a_forgotten_flatten_is_named(self):
        self.write("m.yaml", LINES.replace("    - flatten\n", ""))
        said = self.error_of("check", "m.yaml", expect=2)
        self.assertIn("`- flatten` before the last dense layer gives one answer for the whole row",
                      said)
