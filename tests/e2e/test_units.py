"""Targets with `prepare` come back in their own units: predictions, metrics, emitted code."""

import json
import math
import re
import shutil
import subprocess
import unittest

from support import NncTest, npy, read_npy

MODEL = """nnc: 1
name: house
precision: PRECISION
data:
  train: {csv: {file: a.csv, columns: {x: [area, rooms], price: price}}}
  fields:
    x: {prepare: [standardize]}
    price: {prepare: [STEPS]}
model:
  inputs: [x]
  layers:
    - dense: 1
      name: out
  outputs: {price_hat: out, asis: "prepared(out)", by_hand: "inverse(out, price)"}
loss: {mean_squared_error: {prediction: out, target: price}}
metrics: [mae, rmse, r2, {mae: {prediction: by_hand, target: price}}]
train: {epochs: 300, batch: 10, optimizer: {adam: {rate: 0.05}}}
"""

AREAS = [40 + 3 * i for i in range(40)]
PRICES = [100_000 + 3000 * a + 5000 * (7 * i % 5) for i, a in enumerate(AREAS)]


class Units(NncTest):
    def train(self, steps="standardize", precision="f32", text=MODEL, run="run"):
        self.write("a.csv", "area,rooms,price\n" + "".join(
            f"{a},{i % 3},{p}\n" for i, (a, p) in enumerate(zip(AREAS, PRICES))))
        text = text.replace("STEPS", steps).replace("PRECISION", precision)
        return self.run_nnc("train", self.write("m.yaml", text), "-o", run, "--force").stdout

    def columns(self, run="run"):
        lines = self.run_nnc("predict", run, "--in", "a.csv", "--out", "-").stdout.splitlines()
        rows = [[float(cell) for cell in line.split(",")] for line in lines[1:]]
        return dict(zip(lines[0].split(","), map(list, zip(*rows))))

    def test_prices_come_back_as_prices(self):
        for steps in ("standardize", "minmax", "{scale: 1/100000}",
                      "{scale: 1/1000}, {minmax: {low: -1, high: 2}}, standardize"):
            for precision in ("f32", "f64"):
                said = self.train(steps, precision)
                self.assertIn("loss     of 'price' as prepared; metrics and predictions in its own "
                              "units\n", said)
                columns = self.columns()
                prices = columns["price_hat.0"]
                for price, right in zip(prices, PRICES):
                    self.assertAlmostEqual(price, right, delta=30_000)
                self.assertEqual(columns["by_hand.0"], prices)
                self.assertLess(max(map(abs, columns["asis.0"])), 10)
                self.agrees(prices)

    def agrees(self, prices):
        """Metrics are those of the predicted prices; the loss is not."""
        mae = math.fsum(abs(p - t) for p, t in zip(prices, PRICES)) / len(PRICES)
        rmse = math.sqrt(math.fsum((p - t) ** 2 for p, t in zip(prices, PRICES)) / len(PRICES))
        result = self.json_of("eval", "run", "--split", "train", "--json")
        metrics = result["metrics"]
        self.assertAlmostEqual(metrics["mae"] / mae, 1, delta=1e-3)
        self.assertAlmostEqual(metrics["mae_2"] / mae, 1, delta=1e-3)
        self.assertAlmostEqual(metrics["rmse"] / rmse, 1, delta=1e-3)
        mean = math.fsum(PRICES) / len(PRICES)
        spread = math.fsum((t - mean) ** 2 for t in PRICES) / len(PRICES)
        self.assertAlmostEqual(metrics["r2"], 1 - rmse ** 2 / spread, delta=1e-5)
        self.assertLess(result["loss"], 1)

    @unittest.skipUnless(shutil.which("g++"), "no compiler")
    def test_emitted_code_gives_the_same_prices(self):
        for precision, number in (("f32", "float"), ("f64", "double")):
            self.train(precision=precision)
            self.run_nnc("emit", "run", "-o", "house.hpp", "--self-test")
            self.assertIn("in the units of price", self.path("house.hpp").read_text())
            self.write("main.cpp", f"""#include "house.hpp"
#include <cstdio>
int main() {{
  for (int i = 0; i < 40; ++i) {{
    const {number} x[2] = {{static_cast<{number}>(40 + 3 * i), static_cast<{number}>(i % 3)}};
    {number} price, asis, by_hand;
    house::predict(x, &price, &asis, &by_hand);
    std::printf("%.17g\\n", price);
  }}
}}
""")
            for source, program in (("main.cpp", "main"), ("house_selftest.cpp", "selftest")):
                subprocess.run(["g++", "-std=c++17", "-O1", "-march=native", source, "-o", program],
                               cwd=self.path("."), check=True)
            said = subprocess.run(["./main"], cwd=self.path("."), check=True,
                                  stdout=subprocess.PIPE).stdout.decode().split()
            self.run_nnc("predict", "run", "--in", "a.csv", "--out", "p.npz")
            self.assertEqual([float(line) for line in said], self.exact("price_hat"))
            subprocess.run(["./selftest"], cwd=self.path("."), check=True,
                           stdout=subprocess.DEVNULL)

    def exact(self, output):
        import zipfile
        with zipfile.ZipFile(self.path("p.npz")) as archive:
            return read_npy(archive.read(f"{output}.npy"))[1]

    def test_the_manifest_says_it(self):
        self.train()
        manifest = json.loads(self.path("run/manifest.json").read_text())
        self.assertEqual(manifest["units"], {"price_hat": "price", "by_hand": "price"})

    def test_runs_of_earlier_versions_say_it(self):
        self.train()
        right = self.columns()
        path = self.path("run/manifest.json")
        text = re.sub(r'"units": \{.*?\},\n', "", path.read_text(), flags=re.DOTALL)
        path.write_text(text)
        done = self.run_nnc("predict", "run", "--in", "a.csv", "--out", "-")
        self.assertIn("'price_hat' is in the units of 'price'; the version of nnc that made run "
                      "predicted prepared values", done.stderr)
        self.assertEqual(self.columns(), right)

    def test_mistakes(self):
        for old, new, said in (
                ("inverse(out, price)", "inverse(out, area)", "there is no value 'area'"),
                ("inverse(out, price)", "inverse(out, x)", "has another shape than field 'x'"),
                ("prediction: out, target: price}}\nm", "prediction: by_hand, target: price}}\nm",
                 "the loss compares prepared values, but this is in the units of 'price'"),
                ("prepare: [STEPS]", "prepare: [{scale: 0}]", "scale: 0 cannot be undone")):
            self.assertIn(old, MODEL)
            self.write("a.csv", "area,rooms,price\n1,2,3\n2,3,4\n")
            text = MODEL.replace(old, new).replace("STEPS", "standardize")
            error = self.error_of("check", self.write("w.yaml", text.replace("PRECISION", "f32")),
                                  expect=2)
            self.assertIn(said, error)

    def test_times_keep_their_seconds(self):
        """Predicted times are doubles where floats know minutes only."""
        times = [1_700_000_000 + 60 * i for i in range(20)]
        self.write("x.npy", npy(range(20), (20,)))
        self.write("t.npy", npy(times, (20,), "<i8"))
        text = MODEL.replace("{csv: {file: a.csv, columns: {x: [area, rooms], price: price}}}",
                             "{npy: {x: x.npy, price: t.npy}}")
        self.train(text=text)
        self.run_nnc("predict", "run", "--in", "x.npy", "--out", "p.npz")
        for time, right in zip(self.exact("price_hat"), times):
            self.assertAlmostEqual(time, right, delta=20)
        mae = self.json_of("eval", "run", "--split", "train", "--json")["metrics"]["mae"]
        self.assertLess(mae, 20)
