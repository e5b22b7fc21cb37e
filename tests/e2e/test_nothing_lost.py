"""What goes wrong leaves everything as it was: runs, files, devices."""

import os
import signal
import stat
import subprocess
import threading
import time
import unittest

from support import NNC, NncTest

TABLE = "a,b,y\n" + "".join(f"{i % 5},{i % 7},{i % 3}\n" for i in range(40))
MODEL = """nnc: 1
data:
  train: {csv: {file: rows.csv, columns: {a: a, b: b, y: y}}}
model:
  inputs: [a, b]
  layers:
    - concat: [a, b]
    - dense: {units: 5, activation: tanh}
    - dense: 1
      name: y_hat
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 3, batch: 8, optimizer: adam}
"""


class NothingLost(NncTest):
    def setUp(self):
        super().setUp()
        self.write("rows.csv", TABLE)
        self.model = self.write("table.yaml", MODEL)

    def files_of(self, run):
        return {str(path.relative_to(self.folder)): path.read_bytes()
                for path in self.path(run).rglob("*") if path.is_file()}

    def test_a_run_that_cannot_go_on_stays_as_it_is(self):
        self.run_nnc("train", self.model, "-o", "run")
        before = self.files_of("run")
        for change, said in ((["--seed", 5], "another seed"), (["--batch", 5], "another batch size"),
                             (["--set", "train.optimizer=sgd"], "is not part of the model"),
                             (["--set", "model.layers=[{concat: [a, b]}, {dense: 7},"
                               " {dense: 1, name: y_hat}]"], "does not fit the model")):
            with self.subTest(said):
                self.assertIn(said, self.error_of("train", "--resume", "run", *change))
                self.assertEqual(self.files_of("run"), before)
        self.run_nnc("train", "--resume", "run", "--epochs", 5)

    def test_two_trainings_do_not_write_over_each_other(self):
        self.run_nnc("train", self.model, "-o", "run")
        begun = subprocess.Popen(
            [str(NNC), "train", "--resume", "run", "--epochs", "100000000", "--quiet"],
            cwd=self.folder, env=self.environment, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 20
            while len(self.path("run/metrics.jsonl").read_text().splitlines()) < 10:
                time.sleep(0.05)
            said = ""
            while "by another process" not in said and time.monotonic() < deadline:
                said = subprocess.run([NNC, "train", "--resume", "run", "--epochs", "3"],
                                      cwd=self.folder, env=self.environment, text=True,
                                      capture_output=True, timeout=60).stderr
            forced = subprocess.run([NNC, "train", self.model, "-o", "run", "--force"],
                                    cwd=self.folder, env=self.environment, text=True,
                                    capture_output=True, timeout=60).stderr
            kept = self.path("run/manifest.json").exists()
        finally:
            begun.send_signal(signal.SIGINT)
            begun.send_signal(signal.SIGINT)  # as `timeout` does: one request
            rest = begun.communicate(timeout=20)[1]
        self.assertIn("run is being trained by another process", said)
        self.assertIn("run is being trained by another process", forced)
        self.assertTrue(kept)
        self.assertIn("stopped after step", rest)

    def test_trainings_that_begin_together_get_folders_of_their_own(self):
        begun = [subprocess.Popen([str(NNC), "train", self.model, "--quiet", "--seed", str(seed)],
                                  cwd=self.folder, env=self.environment) for seed in range(4)]
        self.assertEqual([job.wait(timeout=30) for job in begun], [0] * 4)
        self.assertEqual(sorted(path.name for path in self.path("runs").iterdir()),
                         [f"table-00{i}" for i in (1, 2, 3, 4)])

    def test_other_data_do_not_go_on_with_a_run(self):
        self.run_nnc("train", self.model, "-o", "run")
        before = self.files_of("run")
        self.write("rows.csv", TABLE.replace("4,4,", "4,5,", 1))
        said = self.error_of("train", "--resume", "run", "--epochs", 5, expect=2)
        self.assertIn("rows.csv has changed since run was started", said)
        self.assertEqual(self.files_of("run"), before)

    def test_force_replaces_runs_only(self):
        self.write("mine/model.yaml", MODEL.replace("rows.csv", "../rows.csv"))
        self.write("mine/checkpoint/notes.txt", "keep me")
        before = self.files_of("mine")
        said = self.error_of("train", "model.yaml", "-o", ".", "--force", expect=2,
                             cwd=self.path("mine"))
        self.assertIn("is not a run, so --force does not replace it", said)
        self.assertEqual(self.files_of("mine"), before)

    def test_data_that_fit_nothing_leave_a_run(self):
        self.run_nnc("train", self.model, "-o", "run")
        before = self.files_of("run")
        self.write("rows.csv", "a,b,y\n" + "1,2,3\n" * 9)
        model = self.write("constant.yaml", MODEL.replace(
            "model:\n", "  fields: {a: {prepare: [standardize]}}\nmodel:\n", 1))
        said = self.error_of("train", model, "-o", "run", "--force")
        self.assertRegex(said, r"constant\.yaml:4:.*standardize cannot prepare a constant column")
        self.assertEqual(self.files_of("run"), before)

    def test_links_and_pipes_stay_what_they_are(self):
        self.run_nnc("train", self.model, "-o", "run")
        self.write("old.hpp", "old")
        self.path("link.hpp").symlink_to("old.hpp")
        self.run_nnc("emit", "run", "-o", "link.hpp")
        self.assertTrue(self.path("link.hpp").is_symlink())
        self.assertTrue("as standalone C++17" in self.path("old.hpp").read_text())
        os.mkfifo(self.path("pipe.csv"))
        read = []
        reader = threading.Thread(target=lambda: read.append(self.path("pipe.csv").read_text()),
                                  daemon=True)
        reader.start()
        self.run_nnc("predict", "run", "--in", "rows.csv", "--out", "pipe.csv")
        reader.join(timeout=60)
        self.assertEqual(len(read[0].splitlines()), 41)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe.csv")).st_mode))


class NamedColumns(NncTest):
    """Models of data without names take the columns of a csv by the names of their inputs."""

    MODEL = """nnc: 1
data: {train: {inline: {a: [1, 2, 3], b: [1, 0, 1], y: [0, 2, 2]}}}
model: {inputs: [a, b], outputs: {d: "a - b"}}
"""

    def answers(self, rows, **more):
        model = self.write("difference.yaml", self.MODEL)
        return self.run_nnc("predict", model, "--in", "-", "--out", "-", stdin=rows, **more)

    def test_names_say_which_is_which(self):
        for rows in ("a,b\n10,1\n", "b,a\n1,10\n", "b,more,a\n1,7,10\n", "10,1\n"):
            self.assertEqual(self.answers(rows).stdout, "d\n9\n", rows)

    def test_other_names_are_refused(self):
        said = self.answers("foo,bar\n10,1\n", expect=1).stderr
        self.assertIn("there is no column 'a'", said)
        self.assertIn("without a first line of names, columns in the order of the inputs", said)


if __name__ == "__main__":
    unittest.main()
