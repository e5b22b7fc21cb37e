"""Missing values and the steps that deal with numbers: impute, log, clip."""

import math

from support import NncTest, npy

# What is predicted are the prepared inputs themselves.
MODEL = """nnc: 1
data:
  train: SOURCE
  fields: {x: {prepare: STEPS}}
model:
  inputs: [x]
  layers:
    - dense: {units: 1}
      name: z
  outputs: {prepared: "x*1"}
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 1, batch: 2, optimizer: {sgd: {rate: 0.01}}}
"""
CSV = '{csv: {file: t.csv, missing: ["", NA], columns: {x: [a, b], y: [y]}}}'


class Missing(NncTest):
    def train(self, source=CSV, steps="[impute]", precision="f32"):
        text = MODEL.replace("SOURCE", source).replace("STEPS", steps)
        self.write("m.yaml", text + f"precision: {precision}\n")
        self.run_nnc("train", "m.yaml", "-o", "run", "--quiet", "--force")

    def prepared(self, text, said=""):
        self.write("x.csv", text)
        done = self.run_nnc("predict", "run", "--in", "x.csv", "--out", "-")
        self.assertIn(said, done.stderr)
        return [[float(cell) for cell in line.split(",")] for line in done.stdout.splitlines()[1:]]

    def test_impute(self):
        self.write("t.csv", "a,b,y\n1,,0\n2,10,0\n,20,0\n9,60,0\n,,0\n")
        for step, a, b in (("impute", 4, 30), ("impute: mean", 4, 30), ("impute: median", 2, 20),
                           ("impute: -7.5", -7.5, -7.5), ("impute: {value: median}", 2, 20)):
            for precision in ("f32", "f64"):
                self.train(steps=f"[{{{step}}}]" if ":" in step else f"[{step}]",
                           precision=precision)
                self.assertEqual(self.prepared("b,a\n,\n3,5\nNA,1\n"), [[a, b], [5, 3], [1, b]])
        # A median of an even count is the mean of the two in the middle; what follows sees it.
        self.write("t.csv", "a,b,y\n1,1,0\n2,2,0\n4,4,0\n5,5,0\n,,0\n")
        self.train(steps="[{impute: median}, {scale: 2}, standardize]")
        (filled, _), (one, _) = self.prepared("a,b\n,\n1,1\n")
        self.assertAlmostEqual(filled, 0, places=6)
        self.assertAlmostEqual(one, -2 / math.sqrt(2), places=6)
        # Without the step such rows are refused; nor is there a mean of nothing.
        self.write("m.yaml", MODEL.replace("SOURCE", CSV).replace("STEPS", "[standardize]"))
        self.assertIn("a cell is missing", self.error_of("train", "m.yaml", "-o", "bad"))
        self.write("t.csv", "a,b,y\n,1,0\n,2,0\n")
        self.write("m.yaml", MODEL.replace("SOURCE", CSV).replace("STEPS", "[impute]"))
        self.assertIn("every training row is missing", self.error_of("train", "m.yaml", "-o", "bad"))

    def test_log_and_clip(self):
        self.write("t.csv", "a,b,y\n1,2,0\n3,4,0\n")
        self.train(steps="[{clip: {low: 0, high: 10}}, {log: 1}]")
        (low, middle), (high, _) = self.prepared("a,b\n-5,1\n50,1\n")
        self.assertEqual(low, 0)
        self.assertAlmostEqual(middle, math.log(2), places=6)
        self.assertAlmostEqual(high, math.log(11), places=6)
        self.train(steps="[log]")
        self.assertAlmostEqual(self.prepared("a,b\n1e-3,1\n")[0][0], math.log(1e-3), places=5)
        said = self.error_of("predict", "run", "--in", self.write("x.csv", "a,b\n1,0\n"),
                             "--out", "-")
        self.assertIn("x.csv: line 2, field 'x': log cannot prepare this number\n"
                      "  expected  a number above 0\n  got       0\n", said)
        self.write("t.csv", "a,b,y\n1,2,0\n-3,4,0\n")
        said = self.error_of("train", "m.yaml", "-o", "bad")
        self.assertIn("m.yaml:4:26: error: ", said)
        self.assertIn("t.csv: line 3, field 'x': log cannot prepare this number", said)
        for steps, problem in (("[{clip: {}}]", "clip needs a bound"), ("[clip]", "clip needs"),
                               ("[{clip: {low: 2, high: 1}}]", "high lies below low"),
                               ("[{impute: mode}]", "mean"), ("[{log: x}]", "number")):
            self.write("m.yaml", MODEL.replace("SOURCE", CSV).replace("STEPS", steps))
            self.assertIn(problem, self.error_of("check", "m.yaml", "--no-data", expect=2))

    def test_missing_in_every_source(self):
        self.write("t.csv", "a,b,y\n-999,1,0\n2,-999.0,0\n4,n/a,0\n")
        self.write("x.npy", npy([-999, 1, 2, -999, 4, -999], (3, 2), "<i4"))
        self.write("y.npy", npy([0, 0, 0], (3, 1)))
        inline = "{inline: {x: [[-999, 1], [2, -999], [4, -999]], y: [[0], [0], [0]]}"
        for source in (CSV[:-1] + ", missing: [-999, n/a]}",
                       CSV.replace('"", NA', '-999, "n/a"'),
                       "{npy: {x: x.npy, y: y.npy}, missing: [-999]}",
                       inline + ", missing: [-999, NA]}"):
            self.train(source=source)
            self.assertEqual(self.prepared("a,b\n-999,1\n5,-999.0\n"), [[3, 1], [5, 1]], source)
            self.write("p.npy", npy([-999, 5], (1, 2), "<i4"))
            done = self.run_nnc("predict", "run", "--in", "p.npy", "--out", "-")
            self.assertEqual(done.stdout.splitlines()[1], "3,5")
            self.run_nnc("emit", "run", "-o", "x.hpp", "--self-test")
        self.write("m.yaml", """nnc: 1
data: {train: {images: {folder: p, size: [8, 8]}, missing: [0]}}
model: {inputs: [image], layers: [flatten]}
""")
        self.assertIn("pictures have no missing values",
                      self.error_of("check", "m.yaml", "--no-data", expect=2))
