"""Data that is not what the model file says: exit code 1, and the file with the row or byte."""

import gzip
import os
import resource

from support import NncTest, idx, make_pictures

CSV_MODEL = """nnc: 1
data:
  train: {csv: {file: a.csv, columns: {x: [height, width], y: price}}}
model:
  inputs: [x]
  layers:
    - dense: 1
      name: out
loss: {mean_squared_error: {prediction: out, target: y}}
train: {epochs: 3, batch: 4, optimizer: sgd}
"""


class BadData(NncTest):
    def bad(self, name, content, *said):
        """Training fails with the code 1 and says all of this; an earlier run stays as it was."""
        model = self.small_model()
        self.run_nnc("train", model, "-o", "good", "--quiet")
        before = self.snapshot("good")
        self.write(name, content)
        error = self.error_of("train", model, "-o", "bad")
        self.assertTrue(error.startswith("nnc: error: " + name + ":"), error)
        for text in said:
            self.assertIn(text, error)
        self.assertEqual(self.snapshot("good"), before)
        self.assertFalse(self.path("bad/weights.safetensors").exists())

    def snapshot(self, run):
        return {path.name: path.read_bytes() for path in self.path(run).rglob("*")
                if path.is_file()}

    def test_truncated_gz(self):
        pictures, _ = make_pictures(240, seed=1)
        whole = gzip.compress(idx(pictures, (240, 6, 6)))
        self.bad("train-images.gz", whole[:len(whole) // 2], "truncated")

    def test_truncated_idx(self):
        pictures, _ = make_pictures(240, seed=1)
        self.bad("train-images.gz", gzip.compress(idx(pictures[:-7], (240, 6, 6))), "byte")

    def test_wrong_magic(self):
        self.bad("train-labels.gz", gzip.compress(b"GIF89a" + bytes(300)), "byte 0")

    def test_label_out_of_range(self):
        _, labels = make_pictures(240, seed=1)
        labels = labels[:100] + b"\x03" + labels[101:]
        self.bad("train-labels.gz", gzip.compress(idx(labels, (240,))), "row 100", "3")

    def test_different_numbers_of_rows(self):
        _, labels = make_pictures(239, seed=1)
        self.bad("train-labels.gz", gzip.compress(idx(labels, (239,))), "239", "240")

    def csv(self, text, *said):
        self.write("m.yaml", CSV_MODEL)
        self.write("a.csv", text)
        error = self.error_of("train", "m.yaml", "-o", "bad")
        self.assertTrue(error.startswith("nnc: error: a.csv:"), error)
        for part in said:
            self.assertIn(part, error)

    def test_csv_missing_column(self):
        self.csv("height,wide,price\n1,2,3\n", "width", "wide")

    def test_csv_word_in_a_number(self):
        self.csv("height,width,price\n1,2,3\n4,tall,6\n", "line 3", "'width'", "'tall'")

    def test_csv_short_row(self):
        self.csv("height,width,price\n1,2,3\n4,5\n", "line 3")

    def test_csv_empty(self):
        self.csv("", "a.csv")
        self.csv("height,width,price\n", "row")

    def test_data_is_a_folder(self):
        self.write("m.yaml", CSV_MODEL)
        self.path("a.csv").mkdir()
        error = self.error_of("train", "m.yaml")
        self.assertTrue(error.startswith("nnc: error: a.csv:"), error)

    def test_unreadable_folder(self):
        model = self.small_model()
        self.path("data").mkdir()
        if os.geteuid() == 0:
            # Nothing is unreadable for root: a file where a folder is expected is the next best.
            self.write("locked", "no folder")
        else:
            self.path("locked").mkdir(mode=0)
            self.addCleanup(self.path("locked").chmod, 0o700)
        text = model.read_text().replace("train-images.gz", "locked/train-images.gz")
        error = self.error_of("train", self.write("m.yaml", text))
        self.assertTrue(error.startswith("nnc: error: locked/train-images.gz:"), error)

    def test_run_folder_that_cannot_be_made(self):
        model = self.small_model()
        self.write("file", "not a folder")
        error = self.error_of("train", model, "-o", "file/run")
        self.assertIn("file/run", error)

    def test_full_disk(self):
        """A limit on the size of files stands for a disk that is full."""
        model = self.small_model(replace={"units: 17": "units: 1700"})
        self.run_nnc("train", model, "-o", "run", "--epochs", 1, "--quiet")
        before = self.snapshot("run")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        error = self.error_of("train", "--resume", "run", "--epochs", 2, preexec_fn=limit)
        self.assertTrue(error.startswith("nnc: error: run/"), error)
        after = self.snapshot("run")
        for name in ("weights.safetensors", "last.safetensors"):
            self.assertEqual(after[name], before[name], name)
        self.run_nnc("train", "--resume", "run", "--epochs", 2)
