"""Help, tables and the lines of training fit the terminal: 60, 80 and 120 columns."""

import os
import re

from support import NncTest

NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
         "Ankle boot"]

MODEL = """nnc: 1
name: clothes
data:
  train: {generate: {rows: 400, seed: 3, x: "uniform(-1, 1, [6])", kind: "floor(5 + 4.9*x[0])"}}
  valid: {fraction: 0.25}
  test: {fraction: 0.25}
  fields: {kind: {names: [NAMES]}}
model:
  inputs: [x]
  layers:
    - dense: {units: 12, activation: relu}
      name: a_layer_with_quite_a_long_name
    - dense: 10
      name: logits
  outputs: {probability: "softmax(logits)"}
loss: {cross_entropy: {logits: logits, target: kind}}
metrics: [METRICS]
train: {epochs: 2, batch: 30, optimizer: {adam: {rate: 0.02}}}
"""


def model(metrics="accuracy, confusion"):
    return MODEL.replace("NAMES", ", ".join(NAMES)).replace("METRICS", metrics)


class Width(NncTest):
    def said(self, width, *arguments):
        self.environment["COLUMNS"] = str(width)
        return self.run_nnc(*arguments).stdout

    def check_width(self, width, text, what):
        for line in text.splitlines():
            # Commands are to be copied in one piece.
            if not line.startswith("  nnc "):
                self.assertLessEqual(len(line), width, f"{what} at {width}: {line!r}")

    def test_every_command_fits(self):
        path = self.write("clothes.yaml", model("accuracy, {top_k: 2}, f1, confusion"))
        self.run_nnc("train", path, "-o", "run", "--quiet")
        for width in (60, 80, 120):
            for words in ([], ["check", path], ["eval", "run"], ["help"], ["help", "dense"],
                          ["help", "optimizer"], ["help", "formulas"], ["help", "clip"],
                          ["train", path, "-o", f"run{width}"], ["train", "--help"],
                          ["eval", "--help"], ["predict", "--help"], ["emit", "--help"],
                          ["bench", "--help"], ["dump", "--help"], ["check", "--help"]):
                self.check_width(width, self.said(width, *words), f"nnc {' '.join(map(str, words))}")

    def test_lines_of_training(self):
        path = self.write("clothes.yaml", model())

        def lines(width):
            text = self.said(width, "train", path, "-o", f"run{width}", "--threads", 1)
            text = re.sub(r" *[\d.]+ (µs|ms|s)\b", " T", text)
            return re.sub(r"\d\.\d{4}", "N.NNNN", text).split("\n\n")[1]

        for width in (80, 120):
            self.assertEqual(lines(width), """\
 epoch  train: loss     accuracy | valid: loss     accuracy         time
   1/2       N.NNNN       N.NNNN |      N.NNNN       N.NNNN T  *
   2/2       N.NNNN       N.NNNN |      N.NNNN       N.NNNN T  *
  * best so far""")
        self.assertEqual(lines(60), """\
   1/2  train: loss N.NNNN, accuracy N.NNNN
        valid: loss N.NNNN, accuracy N.NNNN, T  *
   2/2  train: loss N.NNNN, accuracy N.NNNN
        valid: loss N.NNNN, accuracy N.NNNN, T  *
  * best so far""")

    def test_a_confusion_matrix(self):
        path = self.write("clothes.yaml", model())
        self.run_nnc("train", path, "-o", "run", "--quiet")

        def shape(width):
            """The headings, line by line, and how many numbers each row has."""
            table = self.said(width, "eval", "run").split("confusion:\n")[1].split("\n")
            return [re.sub(r"(?<= )\d+(?= |$)", "N", line) for line in table]

        wide = shape(120)
        for name in NAMES:
            self.assertIn(name, wide[0])
        narrow = shape(80)
        self.assertRegex(narrow[1], r"^  predicted +T-sh\S*… +Trouser +Pull")
        self.assertEqual(sum(line.startswith("  Ankle boot") for line in narrow), 1)
        self.assertEqual(sum(line.startswith("  Ankle boot") for line in shape(60)), 2)
