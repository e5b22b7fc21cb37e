"""How csv files are written: separators, decimal commas, encodings; what is no text at all."""

import gzip
import os
import re
import subprocess
import zipfile

from support import NNC, NncTest

MODEL = """nnc: 1
data:
  train: {csv: {file: FILE, columns: {x: [a, b], y: [y]}KEYS}}
model:
  inputs: [x]
  layers:
    - dense: {units: 1, init: {kernel: [[1], [2]]}}
      name: z
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 0, batch: 2, optimizer: sgd}
"""
WORDS = """nnc: 1
data:
  train: {csv: {file: w.csv, columns: {a: [a], k: k}KEYS}}
  fields: {k: {prepare: [category]}}
model:
  inputs: [a]
  layers:
    - dense: 2
      name: z
  outputs: {p: "softmax(z)"}
loss: {cross_entropy: {logits: z, target: k}}
metrics: [confusion, f1]
train: {epochs: 1, batch: 2, optimizer: sgd}
"""
TABLE = [["a", "b", "y"], ["1,5", "2", "5,5"], ["-3", "4,25", "5,5"]]


def table(separator, decimal):
    return "".join(separator.join(row) + "\n" for row in
                   ([cell.replace(",", "D") for cell in row] for row in TABLE)).replace("D", decimal)


class CsvText(NncTest):
    def model(self, keys="", name="t.csv"):
        return self.write("m.yaml", MODEL.replace("FILE", name).replace(
            "KEYS", keys and ", " + keys))

    def refused(self, keys=""):
        """What check and train say; nothing is left behind."""
        said = self.error_of("check", self.model(keys))
        self.assertEqual(self.error_of("train", "m.yaml", "-o", "bad"), said)
        self.assertFalse(self.path("bad").exists())
        return said

    def advised(self, said):
        return re.search("`(.*)` in csv: {…}", said).group(1)

    def answers(self, *arguments, run="run"):
        done = self.run_nnc("predict", run, *arguments, "--out", "-")
        return [float(line) for line in done.stdout.splitlines()[1:]]

    def test_what_is_advised_is_accepted(self):
        for separator, decimal, advice in ((";", ".", 'separator: ";"'), ("\t", ".", "separator: tab"),
                                           (";", ",", 'separator: ";", decimal: ","'),
                                           ("|", ",", 'separator: "|", decimal: ","'),
                                           ("  ", ".", "separator: space")):
            self.write("t.csv", table(separator, decimal))
            said = self.refused()
            self.assertIn("t.csv: line 1: there is no column 'a'", said)
            self.assertEqual(self.advised(said), advice)
            self.run_nnc("train", self.model(advice), "-o", "run", "--quiet", "--force")
            self.assertEqual(self.answers("--in", "t.csv"), [5.5, 5.5])
        # Only the decimal comma, in quotes or where other keys are right.
        self.write("t.csv", 'a,b,y\n"1,5",2,"5,5"\n-3,"4,25","5,5"\n')
        said = self.error_of("train", self.model(), "-o", "bad")
        self.assertFalse(self.path("bad").exists())
        self.assertIn("line 2, column 'a': this is not a number", said)
        self.assertEqual(self.advised(said), 'decimal: ","')
        self.run_nnc("train", self.model(self.advised(said)), "-o", "run", "--quiet", "--force")
        self.assertEqual(self.answers("--in", "t.csv"), [5.5, 5.5])
        # A point that may stand for thousands is no number then.
        self.write("x.csv", "a,b\n1.500,2\n")
        self.assertIn("'1.500'", self.error_of("predict", "run", "--in", "x.csv", "--out", "-"))

    def test_without_a_header(self):
        self.write("t.csv", "1,5;2;5,5\n-3;4,25;5,5\n")
        text = MODEL.replace("FILE", "t.csv").replace("[a, b]", "[0, 1]").replace("[y]", "[2]")
        model = self.write("m.yaml", text.replace("KEYS", ", header: false"))
        said = self.error_of("train", model, "-o", "bad")
        keys = 'separator: ";", decimal: ","'
        self.assertEqual(self.advised(said), keys)
        self.write("m.yaml", text.replace("KEYS", ", header: false, " + keys))
        self.run_nnc("train", "m.yaml", "-o", "run", "--quiet")
        self.assertEqual(self.answers("--in", "t.csv"), [5.5, 5.5])

    def test_excel_says_its_separator(self):
        self.write("t.csv", "sep=;\r\n" + table(";", ","))
        self.assertEqual(self.advised(self.refused()), 'separator: ";", decimal: ","')
        self.run_nnc("train", self.model('separator: ";", decimal: ","'), "-o", "run", "--quiet")
        self.assertEqual(self.answers("--in", "t.csv"), [5.5, 5.5])

    def test_predictions_are_told_by_options(self):
        self.write("t.csv", table(",", "."))
        self.run_nnc("train", self.model(), "-o", "run", "--quiet")
        self.write("x.csv", table(";", ","))
        said = self.error_of("predict", "run", "--in", "x.csv", "--out", "-")
        self.assertIn("`--separator ';' --decimal ,`", said)
        self.assertEqual(self.answers("--in", "x.csv", "--separator", ";", "--decimal", ","),
                         [5.5, 5.5])
        self.write("u.csv", table(",", ".").encode("utf-16"))
        self.assertIn("`--encoding utf-16`",
                      self.error_of("predict", "run", "--in", "u.csv", "--out", "-"))
        self.assertEqual(self.answers("--in", "u.csv", "--encoding", "utf-16"), [5.5, 5.5])
        # A model of no csv data.
        self.write("m.yaml", MODEL.replace("{csv: {file: FILE, columns: {x: [a, b], y: [y]}KEYS}}",
                                           "{inline: {x: [[1, 2]], y: [[5]]}}"))
        self.run_nnc("train", "m.yaml", "-o", "other", "--quiet")
        self.write("x.csv", "1,5;2\n3;4\n")
        self.assertIn("`--separator ';' --decimal ,`",
                      self.error_of("predict", "other", "--in", "x.csv", "--out", "-"))
        self.assertEqual(self.answers("--in", "x.csv", "--separator", ";", "--decimal", ",",
                                      run="other"), [5.5, 11])
        for option, value in (("--separator", "ab"), ("--separator", "1"), ("--encoding", "klingon"),
                              ("--decimal", "x")):
            self.error_of("predict", "run", "--in", "x.csv", "--out", "-", option, value, expect=2)

    def test_encodings(self):
        text = "a,k\n1,grün\n2,klein\n3,klein\n4,grün\n"
        expected = None
        for encoding, place in (("utf-8", None), ("latin1", "line 2, column 'k'"),
                                ("windows-1252", "line 2, column 'k'"), ("utf-16", ""),
                                ("utf-16-le", ""), ("utf-16-be", "")):
            letters = text.replace("grün", "„grün“") if encoding == "windows-1252" else text
            self.write("w.csv", letters.encode(encoding))
            keys = ""
            if place is not None:
                model = self.write("m.yaml", WORDS.replace("KEYS", ""))
                said = self.error_of("train", model, "-o", "bad")
                self.assertIn(f"w.csv: {place}", said)
                self.assertIn("not UTF-8" if place else "UTF-16", said)
                self.assertIn("m.yaml:3:", said)
                self.assertFalse(self.path("bad").exists())
                keys = ", " + self.advised(said)
            self.write("m.yaml", WORDS.replace("KEYS", keys))
            self.run_nnc("train", "m.yaml", "-o", "run", "--quiet", "--force")
            self.write("w.csv", letters.encode(encoding))
            said = self.run_nnc("predict", "run", "--in", "w.csv", "--out", "-").stdout
            if encoding == "utf-8":
                expected = said
                self.assertIn("grün", said)
            elif encoding != "windows-1252":
                self.assertEqual(said, expected)
            if encoding.startswith("utf-16"):  # half a character at the end
                self.write("w.csv", letters.encode(encoding)[:-1])
                self.error_of("eval", "run", "--split", "train")
        # Names of columns, of which only other ones are wanted.
        self.write("w.csv", "größe,a,k\n1,2,x\n3,4,y\n".encode("latin1"))
        self.write("m.yaml", WORDS.replace("KEYS", ""))
        self.run_nnc("check", "m.yaml")
        self.write("m.yaml", WORDS.replace("KEYS", "").replace("{a: [a]", '{a: ["größe"]'))
        self.assertIn("`encoding: latin1`", self.error_of("check", "m.yaml"))
        said = self.error_of("check", self.write("m.yaml", WORDS.replace(
            "KEYS", ", encoding: klingon")), expect=2)
        self.assertIn("m.yaml:3:", said)

    def test_what_is_no_text(self):
        with zipfile.ZipFile(self.path("t.csv"), "w") as archive:
            archive.writestr("inner.csv", table(",", "."))
        self.assertIn("this is a zip archive, not text", self.refused())
        self.assertIn("inner.csv", self.refused())
        with zipfile.ZipFile(self.path("t.csv"), "w") as archive:
            archive.writestr("xl/workbook.xml", "")
        self.assertIn("this is a spreadsheet", self.refused())
        for data, name in ((b"\x89PNG\r\n\x1a\n", "a PNG picture"), (b"PAR1", "a Parquet file"),
                           (gzip.compress(b"\x93NUMPY"), "an npy file"),
                           (b"\xfd7zXZ\0", "an xz file")):
            self.write("t.csv", data + bytes(20) if data[0] != 0x1f else data)
            self.assertIn("got       " + name, self.refused())
        self.write("t.csv", "PK,a,b,y\n1,2,3,4\n5,6,7,8\n")  # a column's name
        self.run_nnc("check", self.model())

    def test_names_of_folders(self):
        folder = os.fsencode(self.folder) + b"/pics/gr\xfcn"
        os.makedirs(folder)
        os.makedirs(self.path("pics/rot"))
        model = self.write("p.yaml", """nnc: 1
data: {train: {images: {folder: pics, size: [8, 8]}}}
model: {inputs: [image], layers: [flatten, {dense: 2, name: z}]}
loss: {cross_entropy: {logits: z, target: label}}
train: {epochs: 1, optimizer: sgd}
""")
        said = self.error_of("train", model, "-o", "bad")
        self.assertIn("p.yaml:2:", said)
        self.assertIn("pics/gr\\xFCn: the name of this folder is not UTF-8", said)
        self.assertFalse(self.path("bad").exists())
        # The folder that the model lies in.
        self.write("t.csv", table(",", "."))
        with open(folder + b"/m.yaml", "wb") as file:
            file.write(self.model().read_bytes())
        done = subprocess.run([NNC, "train", b"m.yaml", b"-o", b"bad"], cwd=folder,
                              capture_output=True, env=self.environment)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b"not UTF-8", done.stderr)
        self.assertEqual(os.listdir(folder), [b"m.yaml"])
