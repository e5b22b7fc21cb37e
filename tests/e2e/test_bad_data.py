"""Data that is not what the model file says: exit code 1, the file with the row or byte, and the
place in the model file that names it."""

import gzip
import math
import os
import random
import re
import resource
import zipfile

from support import NncTest, idx, make_pictures, npy

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
    def error_at(self, *arguments):
        """(what is pointed at in the model file, what is said of it)"""
        said = self.error_of(*arguments)
        place = re.fullmatch(r"\S+\.yaml:(\d+):(\d+): error: (.*?)\n +\1 \| (.*)\n +\| ( *)(\^~*)\n"
                             r"(.*)", said, re.DOTALL)
        self.assertTrue(place, said)
        _, column, first, line, spaces, marks, rest = place.groups()
        self.assertEqual(len(spaces), int(column) - 1, said)
        return line[len(spaces):len(spaces) + len(marks)], f"{first}\n{rest}"

    def bad(self, name, content, said, at=None):
        """Training fails with the code 1 and says exactly this, of the file's name (or `at`) in the
        model file; an earlier run stays as it was."""
        model = self.small_model()
        self.run_nnc("train", model, "-o", "good", "--quiet")
        before = self.snapshot("good")
        self.write(name, content)
        self.assertEqual(self.error_at("train", model, "-o", "bad"),
                         (at or name, f"{name}: {said}"))
        self.assertEqual(self.snapshot("good"), before)
        self.assertFalse(self.path("bad/weights.safetensors").exists())

    def snapshot(self, run):
        return {path.name: path.read_bytes() for path in self.path(run).rglob("*")
                if path.is_file()}

    def test_truncated_gz(self):
        pictures = random.Random(1).randbytes(240 * 36)  # stored by gzip as they are
        whole = gzip.compress(idx(pictures, (240, 6, 6)))
        self.bad("train-images.gz", whole[:10 + 5 + 16 + 4000],
                 "byte 4000 of the data: the file is truncated\n"
                 "  expected  8640 bytes of data (240 × 6 × 6, as its header says)\n"
                 "  got       4000 bytes\n")

    def test_truncated_idx(self):
        pictures, _ = make_pictures(240, seed=1)
        self.bad("train-images.gz", gzip.compress(idx(pictures[:-7], (240, 6, 6))),
                 "byte 8633 of the data: the file is truncated\n"
                 "  expected  8640 bytes of data (240 × 6 × 6, as its header says)\n"
                 "  got       8633 bytes\n")

    def test_wrong_magic(self):
        self.bad("train-labels.gz", gzip.compress(b"GIF89a" + bytes(300)),
                 "byte 0: this is not an idx file\n"
                 "  expected  00 00, a type (08, 09, 0b … 0e), the number of axes\n"
                 "  got       47 49 46 38\n")

    def test_label_out_of_range(self):
        _, labels = make_pictures(240, seed=1)
        labels = labels[:100] + b"\x03" + labels[101:]
        self.bad("train-labels.gz", gzip.compress(idx(labels, (240,))),
                 "row 100 (counted from 0), field 'label': the label is out of range\n"
                 "  expected  0 … 2 (classes: 3); `prepare: [category]` numbers any labels\n"
                 "  got       3\n", at="[")

    def test_target_out_of_range(self):
        self.write("m.yaml", """
nnc: 1
data:
  train: {csv: {file: a.csv, columns: {x: height, y: sign}}}
model:
  inputs: [x]
  layers:
    - dense: {units: 1}
      name: score
loss: {binary_cross_entropy: {logits: score, target: y}}
train: {epochs: 1, optimizer: sgd}
""")
        self.write("a.csv", "height,sign\n1,1\n2,0.5\n3,-1\n")
        self.assertEqual(
            self.error_at("train", "m.yaml", "-o", "bad"),
            ("y", "a.csv: line 4, field 'y': the target is out of range\n"
                      "  expected  0 … 1 (binary_cross_entropy)\n"
                      "  got       -1\n"))
        self.write("a.csv", "height,sign\n1,1\n2,0.5\n3,0\n")
        self.run_nnc("train", "m.yaml", "-o", "good")
        self.write("new.csv", "height,sign\n1,7\n")  # nothing is a target there
        self.run_nnc("predict", "good", "--in", "new.csv", "--out", "said.csv")

    def test_different_numbers_of_rows(self):
        _, labels = make_pictures(239, seed=1)
        self.bad("train-labels.gz", gzip.compress(idx(labels, (239,))),
                 "the fields of one source have different numbers of rows\n"
                 "  expected  240 rows, as field 'image' in train-images.gz\n"
                 "  got       239 rows in field 'label'\n")

    def csv(self, text, at, said):
        self.write("m.yaml", CSV_MODEL)
        self.write("a.csv", text)
        self.assertEqual(self.error_at("train", "m.yaml", "-o", "bad"), (at, "a.csv: " + said))

    def test_csv_missing_column(self):
        self.csv("height,wide,price\n1,2,3\n", "width",
                 "line 1: there is no column 'width'\n"
                 "  expected  one of height, wide, price\n")

    def test_csv_word_in_a_number(self):
        self.csv("height,width,price\n1,2,3\n4,tall,6\n", "width",
                 "line 3, column 'width': this is not a number\n"
                 "  expected  a number (name words that stand for missing cells under `missing`)\n"
                 "  got       'tall'\n")

    def test_csv_short_row(self):
        self.csv("height,width,price\n1,2,3\n4,5\n", "a.csv",
                 "line 3: this row has another number of cells\n"
                 "  expected  3 cells, as in line 1\n"
                 "  got       2\n")

    def test_csv_empty(self):
        self.csv("", "a.csv", "the file is empty\n")
        self.csv("height,width,price\n", "a.csv", "there are no rows after the header\n")

    def test_filters_are_checked_before_rows_are_read(self):
        self.write("x.npy", npy(range(12), (4, 3)))
        for where, said in (("x > 1", "`where` needs one condition for each row"),
                            ("z > 1", "'z'")):
            model = self.write("m.yaml", f"""nnc: 1
data: {{train: {{npy: {{x: x.npy}}, where: "{where}"}}}}
model: {{inputs: [x], layers: [flatten]}}
""")
            self.assertIn(said, self.error_of("check", model, expect=2))

    def test_rows_that_hold_nothing(self):
        model = self.write("m.yaml", """nnc: 1
data: {train: {inline: {x: [[], []], y: [1, 2]}}}
model: {inputs: [x], layers: [{dense: 1, name: out}]}
loss: {mean_squared_error: {prediction: out, target: y}}
train: {epochs: 1, optimizer: sgd}
""")
        self.assertIn("m.yaml:2:", self.error_of("check", model))
        for options, code in (([], 1), (["--no-data"], 2)):
            said = self.run_nnc("check", model, *options, expect=code).stderr
            self.assertIn("a row of field 'x' holds nothing", said)

    def test_axes_in_another_order(self):
        self.write("x.npy", npy(range(4 * 3 * 5 * 2), (4, 3, 5, 2)))
        for shape, right in (("[5, 2, 3]", False), ("[3, 5, 2]", True), ("[3, 5, 2, 1]", True),
                             ("[15, 2]", True)):
            model = self.write("m.yaml", f"""nnc: 1
data: {{train: {{npy: {{x: x.npy}}}}, fields: {{x: {{shape: {shape}}}}}}}
model: {{inputs: [x], layers: [flatten]}}
""")
            if right:
                self.run_nnc("check", model)
                continue
            said = self.error_of("check", model)
            self.assertIn("field 'x': the rows are stored with their axes in another order", said)
            self.assertIn("m.yaml:2:", said)

    def test_data_is_a_folder(self):
        self.write("m.yaml", CSV_MODEL)
        self.path("a.csv").mkdir()
        self.assertEqual(self.error_at("train", "m.yaml"),
                         ("a.csv", "a.csv: cannot be read\n"
                                   "  expected  a file\n"
                                   "  got       a folder\n"))

    def test_unreadable_folder(self):
        model = self.small_model()
        if os.geteuid() == 0:
            # Nothing is unreadable for root: a file where a folder is expected is the next best.
            self.write("locked", "no folder")
            reason = "Not a directory"
        else:
            self.path("locked").mkdir(mode=0)
            self.addCleanup(self.path("locked").chmod, 0o700)
            reason = "Permission denied"
        text = model.read_text().replace("train-images.gz", "locked/train-images.gz")
        self.assertEqual(self.error_at("train", self.write("m.yaml", text)),
                         ("locked/train-images.gz",
                          f"locked/train-images.gz: cannot be read: {reason}\n"))

    def test_run_folder_that_cannot_be_made(self):
        model = self.small_model()
        self.write("file", "not a folder")
        self.assertEqual(self.error_of("train", model, "-o", "file/run"),
                         "nnc: error: file/run: this folder cannot be made: Not a directory\n")

    def test_full_disk(self):
        """A limit on the size of files stands for a disk that is full."""
        model = self.small_model(replace={"units: 17": "units: 1700"})
        self.run_nnc("train", model, "-o", "run", "--epochs", 1, "--quiet")
        before = self.snapshot("run")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        error = self.error_of("train", "--resume", "run", "--epochs", 2, preexec_fn=limit)
        self.assertRegex(error, r"^nnc: error: run/\S+: cannot be written: File too large\n$")
        after = self.snapshot("run")
        for name in ("weights.safetensors", "last.safetensors"):
            self.assertEqual(after[name], before[name], name)
        self.assertFalse([name for name in after if name not in before])
        self.run_nnc("train", "--resume", "run", "--epochs", 2)

    def test_infinity_in_valid_and_test_rows(self):
        good, bad = npy([0.5, 1, 2, 3], (4,)), npy([0.5, 1, math.inf, 3], (4,))
        for name, rows in (("x", good), ("y", good), ("bad", bad)):
            self.write(f"{name}.npy", rows)
        text = """nnc: 1
data: {train: {npy: {x: x.npy, y: y.npy}}, %s: {npy: {x: bad.npy, y: y.npy}}}
model: {inputs: [x], layers: [{dense: 1, name: out}]}
loss: {mean_squared_error: {prediction: out, target: y}}
train: {epochs: 5, optimizer: sgd}
"""
        place = "the data hold no number there: bad.npy: row 2 (counted from 0), field 'x': inf"
        said = self.error_of("train", self.write("m.yaml", text % "valid"), "-o", "run")
        self.assertIn("nnc: error: the loss of the valid rows is not a finite number\n", said)
        self.assertIn(place, said)
        # The weights are good: what was trained for stays.
        done = self.run_nnc("train", self.write("m.yaml", text % "test"), "-o", "two")
        self.assertIn("nnc: warning: the loss of the test rows is not a finite number", done.stderr)
        self.assertIn(place, self.error_of("eval", "two"))
        self.assertIn(place, self.error_of("eval", "two", "--json"))
        self.assertIn("bad.npy: row 2 (counted from 0), field 'x': inf",
                      self.error_of("predict", "two", "--in", "bad.npy", "--out", "-"))
        self.run_nnc("predict", "two", "--in", "x.npy", "--out", "-")
        # NaN is a missing value: found while reading.
        self.write("bad.npy", npy([0.5, 1, math.nan, 3], (4,)))
        place = "bad.npy: row 2 (counted from 0), field 'x': a value is missing"
        self.assertIn(place, self.error_of("train", self.write("m.yaml", text % "valid"), "-o", "run",
                                           "--force"))
        done = self.run_nnc("train", self.write("m.yaml", text % "test"), "-o", "three")
        self.assertIn(place, done.stderr)
        self.assertIn(place, self.error_of("eval", "three"))
        self.assertIn(place, self.error_of("predict", "three", "--in", "bad.npy", "--out", "-"))

    def test_each_split_has_its_own_place(self):
        self.write("a.csv", "height,width,price\n" + "1,2,3\n" * 8)
        model = self.write("m.yaml", CSV_MODEL.replace(
            "price}}}\n", "price}}}\n  valid: {csv: {file: a.csv, columns: {x: [height, w], y: "
            "price}}}\n"))
        at, said = self.error_at("train", model, "-o", "run")
        self.assertEqual(at, "w")
        self.assertIn("there is no column 'w'", said)
        model = self.write("m.yaml", CSV_MODEL.replace(
            "price}}}\n", "price}}}\n  valid: {fraction: 0.01}\n"))
        self.assertEqual(self.error_at("train", model, "-o", "run")[0], "0.01")
        model = self.write("m.yaml", CSV_MODEL.replace(
            "price}}}\n", "price}}, where: \"y > 100\"}\n"))
        self.assertEqual(self.error_at("train", model, "-o", "run")[0], "y > 100")

    def test_arrays_of_other_types_are_shown_where_they_are_named(self):
        model = self.write("npz.yaml", """
nnc: 1
data: {train: {npz: {file: a.npz, arrays: {x: x, y: y}}}}
model: {inputs: [x], layers: [{dense: 1, name: o}]}
loss: {mean_squared_error: {prediction: o, target: y}}
train: {epochs: 1, optimizer: {sgd: {rate: 0.1}}}
""")
        good = npy(range(8), (8, 1))
        for kind, problem in ((b"<c4", "numbers of this type cannot be read"),
                              (b"<U1", "text cannot be read from arrays")):
            with zipfile.ZipFile(self.path("a.npz"), "w") as archive:
                archive.writestr("x.npy", good)
                archive.writestr("y.npy", good.replace(b"<f4", kind))
            said = self.error_of("check", model)
            self.assertIn("npz.yaml:3:53: error:", said)
            self.assertIn(f"array 'y': its header: {problem}", said)
