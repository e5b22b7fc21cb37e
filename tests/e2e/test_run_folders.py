"""Run folders that were edited, damaged, left half made, or filled with links by somebody else."""

import json
import os
import pathlib
import signal
import struct
import subprocess
import unittest

from support import NNC, NncTest, npy

MODEL = """nnc: 1
name: table
data:
  train: {csv: {file: rows.csv, columns: {x: [a, b], y: y}}}
  valid: {fraction: 0.2, seed: 4}
model:
  inputs: [x]
  layers:
    - dense: {units: 5, activation: tanh}
    - dense: 1
      name: y_hat
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 3, batch: 8, optimizer: adam}
"""
TABLE = "a,b,y\n" + "".join(f"{i % 5},{i % 7},{i % 3}\n" for i in range(40))


def change_checkpoint(path, change):
    """Rewrites a safetensors file: `change` gets its metadata and may return others."""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    change(header["__metadata__"])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length:])


class RunFolders(NncTest):
    def setUp(self):
        super().setUp()
        self.write("rows.csv", TABLE)
        self.model = self.write("table.yaml", MODEL)
        self.write("x.npy", npy([1, 2, 3, 4], (2, 2)))

    def train(self, run, *more, **kinds):
        return self.run_nnc("train", self.model, "-o", run, "--quiet", *more, **kinds)

    def fails_in_words(self, *arguments):
        """Exit code 1 or 2, and words that are not those of a library."""
        done = subprocess.run([NNC, *map(str, arguments)], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (1, 2), done.stdout + done.stderr)
        self.assertTrue(done.stderr.startswith("nnc: error: ") or "error: " in done.stderr,
                        done.stderr)
        self.assertNotIn("json.exception", done.stderr)
        self.assertNotIn("mistake in nnc", done.stderr)
        return done.stderr

    def test_a_checkpoint_that_says_what_cannot_be_is_refused(self):
        self.train("run")
        path = self.path("run/checkpoint/last.safetensors")
        good = path.read_bytes()
        for said in ({"batch": -1}, {"batch": -100000}, {"batch": 4}, {"batch": 1 << 40},
                     {"step": 0}, {"step": -5}, {"epoch": -1}, {"epoch": 1e30}, {"epoch": None},
                     {"sums": [1, 2, 3], "batch": 1, "step": 13}, {"sums": "x"},
                     {"best_epoch": 77}, {"seconds": "long"}, {"batch_size": 0}):
            for keeps_checksum in (False, True):
                with self.subTest(said=said, keeps_checksum=keeps_checksum):
                    path.write_bytes(good)

                    def change(metadata):
                        training = json.loads(metadata["training"])
                        training.update(said)
                        metadata["training"] = json.dumps(training)
                        if not keeps_checksum:
                            del metadata["checksum"]

                    change_checkpoint(path, change)
                    words = self.fails_in_words("train", "--resume", "run", "--epochs", 5)
                    self.assertIn("run/checkpoint/last.safetensors: ", words)
                    self.assertEqual("the file is damaged" in words, keeps_checksum)
        path.write_bytes(good)
        self.run_nnc("train", "--resume", "run", "--epochs", 5)

    def test_a_manifest_that_does_not_fit_is_refused(self):
        self.train("run")
        path = self.path("run/manifest.json")
        good = json.loads(path.read_text())
        x = good["fields"][0]
        self.assertEqual(x["name"], "x")
        for change in ({"fields": []}, {"fields": None}, {"fields": [x, 1]}, {"set": 1},
                       {"model_path": 7}, {"fields": [dict(x, shape=[-2])]},
                       {"fields": [dict(x, shape=[0])]}, {"fields": [dict(x, shape=[1 << 62])]},
                       {"fields": [dict(x, shape=[1 << 30, 1 << 30])]},
                       {"fields": [dict(x, shape="2")]}, {"fields": [dict(x, type="f16")]},
                       {"fields": [dict(x, classes=-1)]}, {"fields": [dict(x, classes=3)]},
                       {"fields": [dict(x, classes=1.5)]}, {"fields": [dict(x, words=[1])]},
                       {"fields": [dict(x, words=["a", "b"])]}, {"fields": [dict(x, name="z")]}):
            with self.subTest(change=change):
                path.write_text(json.dumps(dict(good, **change)))
                words = self.fails_in_words("predict", "run", "--in", "x.npy", "--out", "-")
                self.assertIn("manifest.json", words)
        for text in ("", "{", "[]", "null", "[" * 100000, "{\"model\": 1}", "\xff\xfe"):
            path.write_text(text, encoding="latin-1")
            self.fails_in_words("eval", "run")

    def test_every_kind_of_damage_to_weights_is_found(self):
        self.train("run")
        path = self.path("run/weights.safetensors")
        good = path.read_bytes()
        answer = self.run_nnc("predict", "run", "--in", "x.npy", "--out", "-").stdout
        for at in list(range(0, 16)) + list(range(16, len(good), 41)) + [len(good) - 1]:
            with self.subTest(at=at):
                path.write_bytes(good[:at] + bytes([good[at] ^ 16]) + good[at + 1:])
                done = subprocess.run([NNC, "predict", "run", "--in", "x.npy", "--out", "-"],
                                      cwd=self.folder, env=self.environment, capture_output=True,
                                      text=True, timeout=60)
                # Only in the word `checksum` itself can a bit be wrong without being missed.
                self.assertTrue(done.returncode in (1, 2) or done.stdout == answer, done.stderr)
        # Weights that Python wrote have no checksum; they are not those of the training.
        length = struct.unpack("<Q", good[:8])[0]
        header = json.loads(good[8:8 + length])
        del header["__metadata__"]
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + good[8 + length:])
        done = self.run_nnc("predict", "run", "--in", "x.npy", "--out", "-")
        self.assertEqual(done.stdout, answer)
        self.assertIn("is not the file that the training of this run wrote", done.stderr)

    def test_links_in_a_run_are_not_followed_for_writing(self):
        self.train("run")
        victim = self.write("victim.txt", "precious")
        elsewhere = self.path("elsewhere")
        (self.path("run/checkpoint")).rename(elsewhere)
        before = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
        self.path("run/checkpoint").symlink_to(elsewhere)
        words = self.fails_in_words("train", "--resume", "run", "--epochs", 5)
        self.assertIn("a link, which is not followed", words)
        self.assertEqual({path.name: path.read_bytes() for path in elsewhere.iterdir()}, before)
        self.path("run/checkpoint").unlink()
        elsewhere.rename(self.path("run/checkpoint"))
        for name in ("manifest.json", "metrics.jsonl", "model.yaml", "weights.safetensors"):
            with self.subTest(name):
                path = self.path("run") / name
                before = path.read_bytes()
                copy = self.write("copy", before)
                path.unlink()
                path.symlink_to(copy)
                subprocess.run([NNC, "train", "--resume", "run", "--epochs", "9", "--quiet"],
                               cwd=self.folder, env=self.environment, capture_output=True,
                               timeout=60)
                self.assertEqual(copy.read_bytes(), before)
                if path.is_symlink():  # refused, or not written at all
                    path.unlink()
                    path.write_bytes(copy.read_bytes())
        self.train("run", "--force")
        for name in ("manifest.json", "metrics.jsonl", "model.yaml", "weights.safetensors",
                     "checkpoint"):
            self.assertFalse((self.path("run") / name).is_symlink())
        self.assertEqual(victim.read_text(), "precious")

    def test_a_half_made_run_can_be_replaced(self):
        for left in ((), ("model.yaml",), (".nnc-0123456789abcdef",),
                     ("model.yaml", ".nnc-0123456789abcdef")):
            with self.subTest(left):
                run = f"run-{len(left)}-{'model.yaml' in left}"
                self.path(run).mkdir()
                for name in left:
                    self.write(f"{run}/{name}", "half")
                self.train(run, *(["--force"] if "model.yaml" in left else []))
                self.run_nnc("train", "--resume", run, "--epochs", 4, "--quiet")
                self.assertEqual(sorted(os.listdir(self.path(run))),
                                 ["checkpoint", "manifest.json", "metrics.jsonl", "model.yaml",
                                  "weights.safetensors"])

    def test_a_manifest_of_somebody_else_is_not_replaced(self):
        for content in ("{}", '{"name": "my web page"}', '{\n  "nnc-like": 1}'):
            self.write("site/manifest.json", content)
            self.assertIn("site is already there",
                          self.fails_in_words("train", self.model, "-o", "site"))
            self.assertEqual(self.path("site/manifest.json").read_text(), content)

    def test_other_data_do_not_go_on_with_a_killed_run(self):
        """Also before the resumed training has come to its end."""
        self.train("run")
        manifest = json.loads(self.path("run/manifest.json").read_text())
        hashes = manifest["data_hashes"]
        late = subprocess.Popen([str(NNC), "train", "--resume", "run", "--epochs", "100000000",
                                 "--quiet"], cwd=self.folder, env=self.environment)
        try:
            while len(self.path("run/metrics.jsonl").read_text().splitlines()) < 5:
                self.assertIsNone(late.poll())
        finally:
            late.kill()
            late.wait()
        self.assertEqual(json.loads(self.path("run/manifest.json").read_text())["data_hashes"],
                         hashes)
        self.write("rows.csv", TABLE.replace("4,4,", "4,5,", 1))
        self.assertIn("rows.csv has changed since run was started",
                      self.fails_in_words("train", "--resume", "run", "--epochs", 5))

    def test_a_finished_run_is_replaced_by_force_alone(self):
        """Also when it is finished while the other training still compiles."""
        late = subprocess.Popen([str(NNC), "train", str(self.model), "-o", "run", "--quiet",
                                 "--no-cache"], cwd=self.folder, env=self.environment,
                                stderr=subprocess.PIPE, text=True)
        try:
            # It has looked at the folder when it has more threads than one: they compile.
            status = pathlib.Path(f"/proc/{late.pid}/status")
            while late.poll() is None and "Threads:\t1\n" in status.read_text():
                pass
            late.send_signal(signal.SIGSTOP)
            self.assertFalse(self.path("run").exists())
            self.train("run", "--epochs", 2)
            before = self.path("run/manifest.json").read_bytes()
        finally:
            late.send_signal(signal.SIGCONT)
        self.assertIn("run is already there", late.communicate(timeout=60)[1])
        self.assertEqual(late.returncode, 2)
        self.assertIn("run is already there", self.fails_in_words("train", self.model, "-o", "run"))
        self.assertEqual(self.path("run/manifest.json").read_bytes(), before)
        self.train("run", "--force")

    def test_a_run_killed_before_its_first_checkpoint_starts_again(self):
        self.train("whole")
        self.train("run")
        (self.path("run/checkpoint/last.safetensors")).unlink()
        self.assertIn("is gone, so this run cannot go on",
                      self.fails_in_words("train", "--resume", "run"))
        manifest = json.loads(self.path("run/manifest.json").read_text())
        for key in ("data_hashes", "weights_checksum", "train_seconds", "total_seconds"):
            manifest.pop(key)  # as it is before the end of training
        self.write("run/manifest.json", json.dumps(manifest))
        self.write("run/.nnc-00000000000000ff", "left by a killed process")
        said = self.run_nnc("train", "--resume", "run").stdout
        self.assertIn("run (had no checkpoint yet: starts again)", said)
        self.assertEqual(self.path("run/weights.safetensors").read_bytes(),
                         self.path("whole/weights.safetensors").read_bytes())
        self.assertFalse(self.path("run/.nnc-00000000000000ff").exists())

    def test_lines_of_metrics_that_are_missing_are_said_to_be(self):
        self.train("run")
        lines = self.path("run/metrics.jsonl").read_text().splitlines(keepends=True)
        self.write("run/metrics.jsonl", "".join(lines[:1]))
        done = self.run_nnc("train", "--resume", "run", "--epochs", 4)
        self.assertIn("tells of 1 of the 3 epochs so far", done.stderr)


class PrintedWords(NncTest):
    """What stands in data, file names and model files never steers the terminal."""

    ODD = "\x1b[31mred\x1b[0m\x07\x9b2J\u202eback\x7f"

    def run_quietly(self, *arguments, **more):
        done = subprocess.run([NNC, *map(str, arguments)], cwd=self.folder, env=self.environment,
                              capture_output=True, timeout=60, **more)
        self.assertGreaterEqual(done.returncode, 0)
        for text in (done.stdout.decode(), done.stderr.decode()):
            for c in text:
                self.assertFalse(
                    (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) <= 0x9f or
                    c in "\u202e\u2028", f"{arguments}: {text!r}")
        return done

    def test_words_of_data_are_printable(self):
        odd = self.ODD
        words = [f"{odd}{i}" for i in range(3)]
        self.write("rows.csv", "a,kind\n" + "".join(f"{i % 3},{words[i % 3]}\n" for i in range(30)))
        self.write("bad.csv", f"a,kind\n1,{words[0]}\n{odd},{words[1]}\n")
        folder = self.path(f"out{odd}")
        model = self.write("m.yaml", """nnc: 1
data:
  train: {csv: {file: FILE, columns: {a: a, kind: kind}}}
  fields: {kind: {prepare: [category]}}
model:
  inputs: [a]
  layers:
    - dense: {units: 4, activation: tanh}
    - dense: 3
      name: z
  outputs: {p: "softmax(z)"}
loss: {cross_entropy: {logits: z, target: kind}}
metrics: [accuracy, confusion, f1]
train: {epochs: 2, batch: 8, optimizer: adam}
""".replace("FILE", "rows.csv"))
        self.run_quietly("check", model)
        self.run_quietly("check", model, "--json")
        self.run_quietly("train", model, "-o", folder)
        self.run_quietly("eval", folder, "--split", "train")
        self.run_quietly("eval", folder, "--split", "train", "--json")
        self.run_quietly("train", model, "-o", folder)
        self.run_quietly("emit", folder, "-o", self.path(f"net{odd}.hpp"), "--self-test")
        self.run_quietly("predict", folder, "--in", "rows.csv", "--out", self.path(f"{odd}.csv"))
        self.run_quietly("predict", folder, "--in", self.path(f"none{odd}.csv"), "--out", "-")
        self.run_quietly("eval", folder, "--data", "train={csv: {file: bad.csv, columns: {a: a,"
                         " kind: kind}}}", "--split", "train")
        bad = self.write("bad.yaml", model.read_text().replace("rows.csv", "bad.csv"))
        self.assertEqual(self.run_quietly("train", bad, "-o", "other").returncode, 1)
        self.run_quietly("help", odd)
        self.run_quietly(odd)
        self.run_quietly("train", "--resume", f"none{odd}")
        self.run_quietly("check", model, "--set", f"train.{odd}=1")

    def test_values_of_a_model_file_are_printable(self):
        for text in ('nnc: 1\n"a\\x1b[2J": 1\n', 'nnc: 1\nname: "\\x1b[31mred"\n',
                     'nnc: 1\nmodel: {inputs: ["\\e]0;title\\a"]}\n',
                     'nnc: 1\nloss: "\\x9b2J\\u202e"\n', 'nnc: 1\nloss: \x9b2J\u202e\n'):
            with self.subTest(text):
                path = self.write("m.yaml", text.encode())
                self.assertEqual(self.run_quietly("check", path).returncode, 2)


if __name__ == "__main__":
    unittest.main()
