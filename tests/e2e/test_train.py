"""nnc train: what it writes, says and refuses."""

import json
import math
import os
import re
import signal
import subprocess
import time

from support import NNC, NncTest, ROOT, alone, npy, read_safetensors


class Train(NncTest):
    @alone
    def test_stopped_while_it_compiles(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([NNC, "train", ROOT / "models" / "alexnet.yaml", "-o", "run"],
                                       cwd=self.folder, env=self.environment,
                                       stderr=subprocess.PIPE, text=True)
            deadline = time.time() + 300
            caught = 0  # a bit for each signal, from 1
            while not caught >> (number - 1) & 1:
                self.assertLess(time.time(), deadline)
                with open(f"/proc/{process.pid}/status") as file:
                    caught = int(re.search(r"SigCgt:\s*(\w+)", file.read())[1], 16)
            # Compiling it takes more than a second of a processor; however busy that is.
            with open(f"/proc/{process.pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            before = os.times()
            process.send_signal(number)
            _, said = process.communicate(timeout=300)
            after = os.times()
            total = (after.children_user - before.children_user +
                     after.children_system - before.children_system)
            self.assertLess(total - used, 1)
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("stopped before training began", said)
            self.assertFalse(self.path("run").exists())

    def test_writes_the_run_folder(self):
        model = self.small_model()
        said = self.run_nnc("train", model).stdout
        run = self.path("runs/tiny-001")
        for name in ("model.yaml", "weights.safetensors", "metrics.jsonl", "manifest.json",
                     "checkpoint"):
            self.assertTrue((run / name).exists(), name)
        self.assertIn("runs/tiny-001", said)
        self.assertIn("nnc eval runs/tiny-001", said)
        self.assertNotIn("\033", said)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual([line["epoch"] for line in lines], [1, 2, 3, 4])
        for line in lines:
            self.assertEqual(set(line), {"epoch", "train", "valid", "seconds"})
            self.assertIn("loss", line["train"])
            self.assertIn("accuracy", line["valid"])
        self.assertLess(lines[-1]["train"]["loss"], lines[0]["train"]["loss"])

    def test_weights_have_the_layers_names(self):
        self.run_nnc("train", self.small_model(), "-o", "run")
        tensors, metadata = read_safetensors(self.path("run/weights.safetensors"))
        self.assertEqual(tensors["logits.kernel"][:2], ("F32", [9, 3]))
        self.assertEqual(tensors["logits.bias"][:2], ("F32", [3]))
        self.assertEqual(tensors["dense_1.kernel"][:2], ("F32", [36, 17]))
        self.assertFalse([name for name in tensors if "adam" in name])
        self.assertEqual(metadata["model"], "tiny")

    def test_numbers_runs(self):
        model = self.small_model()
        for number in (1, 2, 3):
            self.run_nnc("train", model, "--epochs", 1, "--quiet")
            self.assertTrue(self.path(f"runs/tiny-00{number}").is_dir())

    def test_refuses_a_run_that_is_there(self):
        model = self.small_model()
        self.run_nnc("train", model, "-o", "run", "--epochs", 1)
        before = self.path("run/weights.safetensors").read_bytes()
        self.assertEqual(self.error_of("train", model, "-o", "run", expect=2),
                         "nnc: error: run is already there\n"
                         "  --force replaces it, -o names another folder, "
                         "--resume continues an interrupted run\n")
        self.assertEqual(self.path("run/weights.safetensors").read_bytes(), before)
        self.write("run/notes.txt", "mine")
        self.run_nnc("train", model, "-o", "run", "--epochs", 2, "--force")
        self.assertEqual(self.path("run/notes.txt").read_text(), "mine")
        self.assertNotEqual(self.path("run/weights.safetensors").read_bytes(), before)

    def test_quiet_says_nothing(self):
        done = self.run_nnc("train", self.small_model(), "--quiet")
        self.assertEqual(done.stdout + done.stderr, "")

    def test_no_epochs_writes_the_initial_weights(self):
        model = self.small_model()
        self.run_nnc("train", model, "-o", "a", "--epochs", 0)
        self.run_nnc("train", model, "-o", "b", "--epochs", 0)
        self.run_nnc("train", model, "-o", "c", "--epochs", 0, "--seed", 6)
        a, b, c = (self.path(f"{name}/weights.safetensors").read_bytes() for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)
        tensors, _ = read_safetensors(self.path("a/weights.safetensors"))
        self.assertEqual(set(tensors["logits.bias"][2]), {0})
        self.assertNotEqual(set(tensors["logits.kernel"][2]), {0})

    def test_set_changes_the_run(self):
        model = self.small_model()
        self.run_nnc("train", model, "-o", "run", "--set", "train.optimizer.adam.rate=0.5",
                     "--set", "train.epochs=1")
        self.assertEqual(len(self.path("run/metrics.jsonl").read_text().splitlines()), 1)
        wrong = self.error_of("train", model, "--set", "train.epoch=1", expect=2)
        self.assertIn("epoch", wrong)

    def test_the_model_in_the_run_trains_to_the_same_bits(self):
        self.run_nnc("train", self.small_model(), "-o", "a", "--set", "train.batch=17")
        self.path("b").mkdir()
        self.run_nnc("train", "../a/model.yaml", "-o", "run", cwd=self.path("b"))
        self.assertEqual(self.path("a/weights.safetensors").read_bytes(),
                         self.path("b/run/weights.safetensors").read_bytes())

    def test_a_run_can_be_moved(self):
        self.run_nnc("train", self.small_model(), "-o", "run")
        before = self.json_of("eval", "run", "--json")
        self.path("elsewhere").mkdir()
        self.path("run").rename(self.path("elsewhere/moved"))
        self.assertEqual(self.json_of("eval", "elsewhere/moved", "--json"), before)

    def test_not_a_number_is_explained(self):
        model = self.small_model(replace={"{adam: {rate: 0.01}}": "{sgd: {rate: 1e38}}"})
        said = self.error_of("train", model, "-o", "run", expect=1)
        self.assertIn("is not a finite number", said)
        self.assertIn("step ", said)
        self.assertIn("cross_entropy", said)
        self.assertIn("tiny.yaml:", said)

    def test_data_that_are_no_numbers_are_named(self):
        self.write("x.npy", npy([0.5] * 6 + [math.inf] + [1.5], (8,)))
        said = self.error_of("train", self.write("m.yaml", FIT), "-o", "run")
        self.assertIn("the data hold no number there: x.npy: row 6 (counted from 0), field 'x': inf",
                      said)

    def test_weights_that_are_no_numbers_are_not_kept(self):
        # √ has no derivative at 0.
        self.write("x.npy", npy([0, 1, 1, 2], (4,)))
        model = self.write("m.yaml", FIT.replace("a * x + b", "sqrt(a * x) + b"))
        said = self.error_of("train", model, "-o", "run")
        self.assertIn("'a' is no longer a finite number, although the losses are", said)
        self.assertEqual(self.run_nnc("eval", "run", "--split", "train").stdout.count("nan"), 0)

    def test_a_branch_that_is_not_taken_has_no_derivative(self):
        self.write("x.npy", npy([-2, 0, 1, 2], (4,)))
        model = self.write("m.yaml", FIT.replace("a * x + b", "if(x > 0, a * sqrt(x), b)"))
        self.run_nnc("train", model, "-o", "run")

    def test_the_sum_over_rows_is_shown(self):
        self.write("x.npy", npy([1, 2, 3, 4], (4,)))
        text = """nnc: 1
data: {train: {npy: {x: x.npy}}}
model: {inputs: [x], params: {a: 2}, layers: [{expr: "a * x", name: p}]}
loss: {terms: {fit: {mean_squared_error: {prediction: p, target: x}}}, rows: ROWS}
train: {epochs: 0, optimizer: sgd}
"""
        for rows, said in (("sum", "loss 30.0"), ("mean", "loss 7.5000")):
            self.run_nnc("train", self.write("m.yaml", text.replace("ROWS", rows)), "-o", rows)
            self.assertIn(said, self.run_nnc("eval", rows, "--split", "train").stdout)

    def test_several_labels(self):
        self.write("t.npy", npy([1, 0, 1, 1, 0, 0, 0, 1], (4, 2)))
        model = self.write("m.yaml", """nnc: 1
data: {train: {npy: {t: t.npy}}}
model: {inputs: [t], layers: [{expr: "(t - [0.5, -0.5]) * 2", name: z}]}
loss: {binary_cross_entropy: {logits: z, target: t}}
metrics: [accuracy]
""")
        # The second label is always said to be there, and is so in two rows of four.
        result = self.json_of("eval", model, "--split", "train", "--json")
        self.assertEqual(result["metrics"]["accuracy"], 0.75)
        for metric in ("f1", "confusion", "auc"):
            said = self.error_of("check", self.write("n.yaml", model.read_text().replace(
                "[accuracy]", f"[{metric}]")), expect=2)
            self.assertIn(f"{metric} chooses one class per row, but the loss decides each of "
                          "several labels by itself", said)

    def test_epochs_instead_of_steps(self):
        model = self.small_model(replace={"epochs: 4": "steps: 17"})
        said = self.run_nnc("train", model, "-o", "run", "--epochs", 2).stdout
        self.assertRegex(said, r"\n +2/2 ")
        model = self.small_model()
        self.run_nnc("train", model, "-o", "two", "--set", "train.steps=7")
        self.assertEqual(len(self.path("two/metrics.jsonl").read_text().splitlines()), 2)

    def test_a_failed_run_says_so(self):
        model = self.small_model(replace={"{adam: {rate: 0.01}}": "{sgd: {rate: 1e38}}"})
        said = self.error_of("train", model, "-o", "run", expect=1)
        self.assertIn("No epoch was finished: the run holds its initial weights.", said)
        said = self.run_nnc("eval", "run", "--split", "train").stderr
        self.assertIn("nnc: warning: the training of run failed in epoch 1", said)

    def test_the_last_epoch_is_shown(self):
        model = self.small_model(replace={"epochs: 4": "epochs: 400\n  early_stop: {patience: 2}",
                                         "rate: 0.01": "rate: 0.5"})
        said = self.run_nnc("train", model, "-o", "run").stdout
        stopped = re.search(r"stopped early after epoch (\d+)", said)[1]
        self.assertRegex(said, rf"\n +{stopped}/400 ")
        self.assertRegex(said, r"kept   the weights of epoch \d+, the best: valid.loss 1\.\d+")
        again = self.run_nnc("train", "--resume", "run").stdout
        further = "nnc train --resume run --set train.early_stop.patience=4"
        self.assertIn("to train it further: " + further, again)
        more = self.run_nnc(*further.split()[1:]).stdout
        self.assertGreater(int(re.search(r"stopped early after epoch (\d+)", more)[1]),
                           int(stopped))

    def test_what_a_complete_run_says_when_it_is_resumed(self):
        model = self.small_model(replace={"  seed: 5": "  seed: 5\n  schedule: cosine"})
        self.run_nnc("train", model, "-o", "run", "--quiet")
        again = self.run_nnc("train", "--resume", "run").stdout
        further = "nnc train --resume run --epochs 8"
        self.assertIn(f"the run was complete: {further} trains it further", again)
        self.assertNotIn("  rate  ", again)
        more = self.run_nnc(*further.split()[1:]).stdout
        self.assertRegex(more, r"\n  rate     had come to [0-9.e-]+; by the new length of its "
                               r"schedule it goes on at 0.00[45]\d*\n")
        self.assertRegex(more, r"\n +8/8 ")
        self.assertIn("\n  * best so far\n", more)

    def test_a_figure_without_a_value_does_not_stop_training(self):
        model = self.write("m.yaml", """nnc: 1
data:
  train: {inline: {x: [[1], [2], [3], [4]], y: [0, 1, 0, 1]}}
  valid: {inline: {x: [[1], [2]], y: [1, 1]}}
  fields: {y: {classes: 2}}
model:
  inputs: [x]
  layers:
    - dense: 1
      name: z
  outputs: {p: "sigmoid(z)"}
loss: {binary_cross_entropy: {logits: z, target: y}}
metrics: [auc, f1, precision]
train:
  epochs: 20
  batch: 2
  optimizer: {adam: {rate: 0.1}}
  early_stop: {watch: valid.auc, patience: 3}
""")
        done = self.run_nnc("train", model, "-o", "run")
        self.assertEqual(done.stderr.count("valid.auc has no value in epoch 1"), 1, done.stderr)
        self.assertNotIn("stopped early", done.stdout)
        self.assertIn("kept   the weights of epoch 20, the last: valid.auc never had a value",
                      done.stdout)
        self.assertEqual(len(self.path("run/metrics.jsonl").read_text().splitlines()), 20)

    def test_metrics_of_all_rows_whatever_a_loss_is(self):
        self.write("x.npy", npy([1, 2, 1e30], (3,)))
        model = self.write("m.yaml", """nnc: 1
data: {train: {npy: {x: x.npy}}}
model: {inputs: [x], layers: [{expr: "x^2", name: p}]}
metrics: [{mae: {prediction: x, target: x}}, {rmse: {prediction: p, target: x}}]
loss: {mean_squared_error: {prediction: p, target: x}}
""")
        said = self.run_nnc("eval", model, "--split", "train").stdout
        self.assertIn("loss inf   mae 0.0000   rmse inf ", said)

    def test_all_rows_in_one_step(self):
        self.write("x.npy", npy([i / 1000 for i in range(1000)], (1000,)))
        model = self.write("m.yaml", FIT.replace("batch: 4", "batch: all"))
        self.assertRegex(self.run_nnc("check", model).stdout, "step +1000 rows")
        for threads in (1, 2):
            self.run_nnc("train", model, "-o", f"run{threads}", "--threads", threads)
        self.run_nnc("train", model, "-o", "run", "--epochs", 1)
        self.run_nnc("train", "--resume", "run", "--epochs", 3)
        first = self.path("run1/weights.safetensors").read_bytes()
        self.assertEqual(self.path("run2/weights.safetensors").read_bytes(), first)
        self.assertEqual(self.path("run/weights.safetensors").read_bytes(), first)
        self.run_nnc("eval", "run", "--split", "train")

    def test_a_batch_larger_than_any_memory_is_refused_soon(self):
        self.small_model()
        model = self.write("m.yaml", """nnc: 1
data:
  train: {idx: {image: train-images.gz, label: train-labels.gz}}
  fields: {label: {classes: 3}}
model:
  inputs: [image]
  layers: [{reshape: [6, 6, 1]}, {conv2d: {filters: 4, kernel: 3, activation: relu}}, flatten,
           {dense: 3, name: logits}]
loss: {cross_entropy: {logits: logits, target: label}}
train: {epochs: 1, batch: 1000000000, optimizer: adam}
""")
        # Within the time limit of run_nnc: it was hours.
        said = self.error_of("train", model, "-o", "run", "--max-memory", "1GB", expect=2)
        self.assertIn("the model needs more memory than it may take", said)


FIT = """nnc: 1
data: {train: {npy: {x: x.npy}}}
model:
  inputs: [x]
  params: {a: 1, b: 0.1}
  layers:
    - expr: "a * x + b"
      name: y
loss: {mean_squared_error: {prediction: y, target: x}}
train: {epochs: 3, batch: 4, optimizer: {sgd: {rate: 0.1}}}
"""


class Evaluate(NncTest):
    def test_json(self):
        self.run_nnc("train", self.small_model(), "-o", "run", "--epochs", 30)
        result = self.json_of("eval", "run", "--split", "test", "--json")
        self.assertEqual(list(result), ["split", "rows", "loss", "metrics"])
        self.assertEqual((result["split"], result["rows"]), ("test", 60))
        self.assertGreater(result["metrics"]["accuracy"], 0.9)
        rows = {split: self.json_of("eval", "run", "--split", split, "--json")["rows"]
                for split in ("train", "valid")}
        self.assertEqual(rows["train"] + rows["valid"], 240)
        self.assertAlmostEqual(rows["valid"], 60, delta=2)  # each class is rounded by itself

    def test_other_data(self):
        self.run_nnc("train", self.small_model(), "-o", "run")
        on_train = self.json_of("eval", "run", "--json", "--data",
                                "test={idx: {image: train-images.gz, label: train-labels.gz}}")
        self.assertEqual(on_train["rows"], 240)

    def test_what_is_no_run(self):
        model = self.small_model()
        self.assertEqual(self.error_of("eval", "nowhere", expect=2),
                         "nnc: error: there is no run nowhere\n  `nnc train FILE` makes one\n")
        self.path("empty").mkdir()
        self.assertIn("has no manifest.json", self.error_of("eval", "empty", expect=2))
        self.assertIn("nnc train", self.error_of("eval", model, expect=2))
