"""nnc train begins when its step is compiled; the other programs follow."""

import os
import signal
import subprocess
import time

from support import NNC, NncTest, read_safetensors

WIDE = """nnc: 1
data:
  train: {generate: {rows: 8, seed: 1, x: "uniform(0, 1, [3000])", y: "x[0]"}}
  valid: {generate: {rows: 8, seed: 2, x: "uniform(0, 1, [3000])", y: "x[0]"}}
model:
  inputs: [x]
  layers:
    - dense: {units: 3000, activation: tanh}
    - dense: 1
      name: p
loss: {mean_squared_error: {prediction: p, target: y}}
train: {epochs: 1, batch: 1, optimizer: sgd}
"""


class LatePrograms(NncTest):
    def test_too_much_memory_is_said_before_training(self):
        # Evaluation takes 256 rows at a time, so it needs more than a step of one row. The weights
        # are as large as what compiling takes many times over.
        model = self.write("wide.yaml", WIDE)
        step = self.json_of("check", model, "--set", "train.batch=1", "--json")["memory_bytes"]
        said = self.error_of("train", model, "--batch", 1, "--max-memory", step + 10**6, expect=2)
        self.assertIn("needs more memory than it may take", said)
        self.assertFalse(self.path("runs").exists())
        self.run_nnc("train", model, "--batch", 1, "--epochs", 1, "--max-memory", "1GB", "--quiet")

    def test_same_weights_with_and_without_the_cache(self):
        # With a filled cache everything is there at once; without one evaluation comes late.
        model = self.small_model()
        weights = []
        for number, options in enumerate([[], [], ["--no-cache"], ["--threads", 1]]):
            run = self.path(f"run-{number}")
            self.run_nnc("train", model, "-o", run, "--quiet", *options)
            weights.append(read_safetensors(run / "weights.safetensors")[0])
            self.assertIn('"valid"', (run / "metrics.jsonl").read_text().splitlines()[0])
        for other in weights[1:]:
            self.assertEqual(other, weights[0])

    def test_interrupted_while_programs_are_compiled(self):
        # Whenever the signal comes, the command ends by itself: with a checkpoint, with nothing
        # begun, or (before it listens) by the signal.
        model = self.small_model()
        for delay in (0.002, 0.02, 0.04, 0.06, 0.09):
            process = subprocess.Popen(
                [NNC, "train", str(model), "--no-cache", "--epochs", "1000000"], cwd=self.folder,
                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                # A shell's background job ignores the signal until it listens.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
            # A signal before the program has taken the child over would be Python's to answer.
            exe = f"/proc/{process.pid}/exe"
            while process.poll() is None and os.path.realpath(exe) != os.path.realpath(NNC):
                time.sleep(0.0005)
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            self.assertIn(process.returncode, (130, -signal.SIGINT), said)
            if process.returncode == 130:
                self.assertRegex(said, "nnc train --resume|before training began")
