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
