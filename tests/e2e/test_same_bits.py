"""The same file, data and seed give the same bits: threads, caches and interruptions aside."""

import json
import signal
import subprocess
import time

from support import NNC, NncTest

# Every kind of thing that could depend on threads or interruptions: dropout, momentum, a schedule
# that depends on the step, a last batch that is not full, clipping, augmented rows, a metric of all
# rows at once.
BUSY = {
    "    - dense: {units: 9, activation: tanh}\n":
        "    - dropout: 0.2\n    - dense: {units: 9, activation: gelu}\n",
    "  optimizer: {adam: {rate: 0.01}}\n":
        "  optimizer: {adam: {rate: 0.01}}\n  schedule: {cosine: {warmup: 5 steps}}\n"
        "  clip: {norm: 1}\n",
    "batch: 32": "batch: 19",
    "prepare: [{scale: 1/255}]}": "prepare: [{scale: 1/255}], augment: [{shift: 1}, {noise: 0.02}]}",
    "metrics: [accuracy]": "metrics: [accuracy, auc]",
}

# A kernel whose first output is bool (the gradient of elu asks for it) while it sums doubles.
DOUBLE_ELU = """
nnc: 1
precision: f64
data:
  train: {generate: {rows: 640, seed: 1, x: "normal([33])", y: "floor(clip(20+8*x[0], 0, 39))"}}
  fields: {y: {classes: 40}}
model:
  inputs: [x]
  layers:
    - dense: {units: 100, activation: elu}
    - dense: 40
      name: logits
loss: {cross_entropy: {logits: logits, target: y}}
train: {epochs: 2, batch: 31, keep: last, optimizer: {adam: {rate: 0.01}}}
"""

# So many rows at once that some layers run for a block of them after the other.
BLOCKS_OF_ROWS = """
nnc: 1
data: {train: {generate: {rows: 257, seed: 1, x: "normal([1])", y: "floor(clip(8+4*x[0],0,16))"}}, fields: {y: {classes: 17}}}
model:
  inputs: [x]
  layers:
    - dense: {units: 128, activation: selu, bias: false}
    - dense: {units: 128, activation: relu, bias: false}
    - dense: {units: 15, activation: leaky_relu}
      name: h
    - expr: "h*mean(h)+max(h)"
    - dense: 17
      name: logits
loss: {cross_entropy: {logits: logits, target: y}}
train: {epochs: 3, batch: all, keep: last, optimizer: {sgd: {rate: 0.02}}}
"""

# One channel: what is summed over pixels lies side by side in a row, but not with the batch last.
NORM_OF_PIXELS = """
nnc: 1
data:
  train: {generate: {rows: 20, seed: 1, x: "normal([8,8,1])", t: "normal([6,6,3])"}}
model:
  inputs: [x]
  layers:
    - group_norm: 1
    - conv2d: {kernel: 3, filters: 3}
      name: y
  outputs: {y: y}
loss: {mean_squared_error: {prediction: y, target: t}}
train: {steps: 1, batch: 7, shuffle: false, keep: last, optimizer: {sgd: {rate: 0.1}}}
"""


class SameBits(NncTest):
    def weights(self, run):
        return self.path(f"{run}/weights.safetensors").read_bytes()

    def epochs_done(self, run):
        path = self.path(f"{run}/metrics.jsonl")
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def test_threads(self):
        model = self.small_model(replace=BUSY)
        for threads in (1, 2, 3):
            self.run_nnc("train", model, "-o", f"run{threads}", "--threads", threads)
        self.assertEqual(self.weights("run1"), self.weights("run2"))
        self.assertEqual(self.weights("run1"), self.weights("run3"))
        losses = [[json.loads(line)["train"]["loss"] for line in
                   self.path(f"run{threads}/metrics.jsonl").read_text().splitlines()]
                  for threads in (1, 2, 3)]
        self.assertEqual(losses[0], losses[1])
        self.assertEqual(losses[0], losses[2])

    def check_threads(self, text):
        model = self.write("model.yaml", text)
        self.run_nnc("train", model, "-o", "run1", "--threads", 1)
        for threads in (2, 3, 2, 3, 2, 3):
            self.run_nnc("train", model, "-o", "run", "--force", "--threads", threads)
            self.assertEqual(self.weights("run1"), self.weights("run"), f"{threads} threads")

    def test_threads_do_not_share_scratch_memory(self):
        self.check_threads(DOUBLE_ELU)

    def test_threads_of_blocks_of_rows(self):
        self.check_threads(BLOCKS_OF_ROWS)

    def test_header_sums_in_the_order_of_training(self):
        model = self.write("model.yaml", NORM_OF_PIXELS)
        self.run_nnc("train", model, "-o", "run")
        self.run_nnc("emit", "run", "-o", "norm.hpp", "--self-test")
        subprocess.run(["g++", "-std=c++17", "-march=native", "norm_selftest.cpp", "-o", "selftest"],
                       cwd=self.folder, check=True)
        said = subprocess.run(["./selftest"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(said.returncode, 0, said.stdout)
        if "fma" in open("/proc/cpuinfo").read():
            self.assertEqual(said.stdout.count("largest error 0,"), 2, said.stdout)

    def test_instruction_sets_with_fma(self):
        if "avx512f" not in open("/proc/cpuinfo").read():
            self.skipTest("needs a processor with AVX-512")
        model = self.small_model(replace=BUSY)
        for isa in ("avx2", "avx512"):
            self.run_nnc("train", model, "-o", isa, "--isa", isa)
        self.assertEqual(self.weights("avx2"), self.weights("avx512"))

    def test_cache(self):
        model = self.small_model(replace=BUSY)
        self.run_nnc("train", model, "-o", "cold")
        self.run_nnc("train", model, "-o", "warm")
        self.run_nnc("train", model, "-o", "none", "--no-cache")
        self.assertEqual(self.weights("cold"), self.weights("warm"))
        self.assertEqual(self.weights("cold"), self.weights("none"))

    def test_broken_cache_is_no_cache(self):
        model = self.small_model()
        self.run_nnc("train", model, "-o", "a")
        objects = [p for p in self.path("cache/nnc").rglob("*") if p.is_file()]
        self.assertTrue(objects)
        for path in objects:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 0xFF
            path.write_bytes(bytes(data))
        self.run_nnc("train", model, "-o", "b")
        self.assertEqual(self.weights("a"), self.weights("b"))

    def test_resume_after_interruption(self):
        """Stopped by Ctrl-C at several moments, each time resumed."""
        model = self.small_model(replace={**BUSY, "epochs: 4": "epochs: 8000"})
        self.run_nnc("train", model, "-o", "whole", "--quiet")
        stops = 0
        command = ["train", str(model), "-o", "parts", "--quiet"]
        for more in (1, 40, 200, 3):
            epochs = self.epochs_done("parts") + more
            process = subprocess.Popen([NNC, *command], cwd=self.folder, env=self.environment,
                                       stderr=subprocess.PIPE, text=True)
            deadline = time.time() + 60
            while self.epochs_done("parts") < epochs and process.poll() is None:
                self.assertLess(time.time(), deadline)
                time.sleep(0.002)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            command = ["train", "--resume", "parts", "--quiet"]
            if process.returncode == 0:
                break
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("nnc train --resume parts", said)
            stops += 1
        else:
            self.run_nnc(*command)
        self.assertGreater(stops, 0, "training was over before it could be interrupted")
        self.assertEqual(self.weights("whole"), self.weights("parts"))
        losses = [[json.loads(line)["train"]["loss"] for line in
                   self.path(f"{run}/metrics.jsonl").read_text().splitlines()]
                  for run in ("whole", "parts")]
        self.assertEqual(losses[0], losses[1])

    def test_more_epochs_after_the_end(self):
        model = self.small_model()
        self.run_nnc("train", model, "-o", "long", "--epochs", 5, "--set", "train.keep=last")
        self.run_nnc("train", model, "-o", "short", "--epochs", 2, "--set", "train.keep=last")
        self.run_nnc("train", "--resume", "short", "--epochs", 5)
        self.assertEqual(self.weights("long"), self.weights("short"))
