"""Layers with statistics of their own, and starts that look at the data: files, bits, emission."""

import json
import random
import shutil
import struct
import subprocess
import unittest

from support import NncTest, npy, read_npy

NORMALISED = {
    "    - dense: {units: 17, activation: relu}\n": "    - dense: 36\n",
    "    - dense: {units: 9, activation: tanh}\n":
        "    - reshape: [3, 3, 4]\n    - batch_norm\n    - flatten\n"
        "    - dense: {units: 9, init: lsuv}\n    - batch_norm: {momentum: 0.7}\n      name: bn\n"
        "    - relu\n    - spatial_dropout: 0.1\n    - gaussian_noise: 0.05\n",
    "batch: 32": "batch: 19",  # 180 rows: the last batch has 9
}


def tensors(path):
    """The arrays of f32 of a safetensors file, by name."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    body = data[8 + size:]
    return {name: struct.unpack(f"<{(entry['data_offsets'][1] - entry['data_offsets'][0]) // 4}f",
                                body[slice(*entry["data_offsets"])])
            for name, entry in head.items() if name != "__metadata__"}


class Norm(NncTest):
    def model(self):
        return self.small_model(replace=NORMALISED)

    def weights(self, run):
        return self.path(f"{run}/weights.safetensors")

    def test_statistics_are_kept_and_shown_apart(self):
        said = self.run_nnc("check", self.model()).stdout
        self.assertRegex(said, r"bn +batch_norm +\[9\] +18 \+ 18 kept")
        self.run_nnc("train", self.model(), "-o", "run", "--epochs", 3)
        start = self.run_nnc("train", self.model(), "-o", "start", "--epochs", 0)
        self.assertEqual(start.returncode, 0)
        before, after = tensors(self.weights("start")), tensors(self.weights("run"))
        self.assertEqual(before.keys(), after.keys())
        self.assertFalse([name for name in after if "folded" in name])
        self.assertEqual(before["bn.mean"], (0.0,) * 9)
        self.assertEqual(before["bn.variance"], (1.0,) * 9)
        self.assertNotEqual(after["bn.mean"], before["bn.mean"])
        self.assertTrue(all(v > 0 for v in after["bn.variance"]))

    def test_same_bits(self):
        model = self.model()
        for threads in (1, 2, 3):
            self.run_nnc("train", model, "-o", f"run{threads}", "--threads", threads)
        first = self.weights("run1").read_bytes()
        self.assertEqual(first, self.weights("run2").read_bytes())
        self.assertEqual(first, self.weights("run3").read_bytes())
        epochs = len(self.path("run1/metrics.jsonl").read_text().splitlines())
        self.run_nnc("train", model, "-o", "half", "--epochs", epochs // 2)
        self.run_nnc("train", "--resume", "half", "--epochs", epochs)
        self.assertEqual(tensors(self.weights("run1")), tensors(self.weights("half")))

    @unittest.skipUnless(shutil.which("g++"), "needs g++")
    def test_folded_where_it_is_emitted(self):
        self.run_nnc("train", self.model(), "-o", "run", "--epochs", 3, "--quiet")
        self.run_nnc("emit", "run", "-o", "tiny.hpp", "--self-test")
        text = self.path("tiny.hpp").read_text()
        self.assertIn("dense_2_kernel_folded", text)
        self.assertNotIn("dense_2_kernel[", text)  # what was folded is not written a second time
        done = subprocess.run(["g++", "-std=c++17", "-O2", "tiny_selftest.cpp", "-o", "selftest"],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])
        done = subprocess.run(["./selftest"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_unit_variance_before_the_first_step(self):
        model = self.write("lsuv.yaml", """nnc: 1
data:
  train: {csv: {file: rows.csv, columns: {x: x, y: y}}}
model:
  inputs: [x]
  layers:
    - expr: "x - 10"
    - dense: {units: 64, activation: relu, init: lsuv}
      name: a
    - dense: {units: 64, activation: relu, init: lsuv}
      name: b
    - dense: {units: 32, init: lsuv}
      name: c
    - dense: 1
      name: y_hat
  outputs: {c: c}
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 0, batch: 32, optimizer: sgd}
""")
        rows = [i * 20 / 199 for i in range(200)]  # few enough to be looked at all together
        self.write("rows.csv", "x,y\n" + "".join(f"{x},0\n" for x in rows))
        self.write("x.csv", "x\n" + "".join(f"{x}\n" for x in rows))
        self.run_nnc("train", model, "-o", "run")
        self.run_nnc("predict", "run", "--in", "x.csv", "--out", "c.csv")
        lines = self.path("c.csv").read_text().splitlines()[1:]
        values = [float(v) for line in lines for v in line.split(",")]
        mean = sum(values) / len(values)
        variance = sum((v - mean) ** 2 for v in values) / len(values)
        self.assertAlmostEqual(variance, 1, delta=0.02)

    def test_unit_variance_of_every_kernel(self):
        source = random.Random(7)
        self.write("x.npy", npy([source.gauss(3, 5) for _ in range(64 * 6 * 6 * 4)], (64, 6, 6, 4)))
        for layer in ("conv2d: {filters: 4, kernel: 3, INIT}",
                      "conv2d: {filters: 8, kernel: 3, groups: 2, INIT}",
                      "conv2d: {filters: 8, kernel: 3, groups: 4, INIT}",
                      "depthwise_conv2d: {kernel: 3, INIT}",
                      "depthwise_conv2d: {kernel: 3, multiplier: 2, INIT}",
                      "separable_conv2d: {filters: 5, kernel: 3, INIT}",
                      "conv2d_transpose: {filters: 4, kernel: 3, stride: 1, INIT}",
                      "conv2d_transpose: {filters: 4, kernel: 5, stride: 2, padding: same, INIT}"):
            with self.subTest(layer):
                model = self.write("model.yaml", f"""nnc: 1
data: {{train: {{npy: {{x: x.npy}}}}}}
model:
  inputs: [x]
  layers:
    - {layer.replace("INIT", "init: lsuv, bias: false")}
      name: y
  outputs: {{y: y}}
loss: {{terms: {{size: "mean(y^2)"}}}}
train: {{epochs: 0, batch: 16, optimizer: sgd}}
""")
                self.run_nnc("train", model, "-o", "run", "--force")
                self.run_nnc("predict", "run", "--in", "x.npy", "--out", "y.npy")
                values = read_npy(self.path("y.npy").read_bytes())[1]
                mean = sum(values) / len(values)
                variance = sum((v - mean) ** 2 for v in values) / len(values)
                self.assertAlmostEqual(variance, 1, delta=0.01)


if __name__ == "__main__":
    unittest.main()
