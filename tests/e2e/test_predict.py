"""nnc predict: the same answers from every file format."""

import gzip
import io
import zipfile

from support import NncTest, idx, make_pictures, npy, read_npy


class Predict(NncTest):
    def setUp(self):
        super().setUp()
        self.run_nnc("train", self.small_model(), "-o", "run", "--epochs", 20, "--quiet")
        self.rows = 23
        self.pictures, self.labels = make_pictures(self.rows, seed=9)

    def predict(self, *inputs, out="y.npy"):
        arguments = [part for item in inputs for part in ("--in", item)]
        self.run_nnc("predict", "run", *arguments, "--out", out)
        return self.path(out).read_bytes()

    def csv(self, header=True):
        lines = [",".join(f"p{i}" for i in range(36))] if header else []
        for row in range(self.rows):
            lines.append(",".join(str(b) for b in self.pictures[row * 36:(row + 1) * 36]))
        return "\n".join(lines) + "\n"

    def test_formats_agree(self):
        self.write("x-idx", idx(self.pictures, (self.rows, 6, 6)))
        self.write("x-idx.gz", gzip.compress(idx(self.pictures, (self.rows, 6, 6))))
        self.write("bytes.npy", npy(self.pictures, (self.rows, 6, 6, 1), "|u1"))
        self.write("floats.npy", npy(self.pictures, (self.rows, 6, 6, 1)))
        self.write("x.csv", self.csv())
        self.write("bare.csv", self.csv(header=False))
        with zipfile.ZipFile(self.path("x.npz"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("image.npy", npy(self.pictures, (self.rows, 6, 6, 1), "|u1"))
        expected = self.predict("x-idx")
        shape, values = read_npy(expected)
        self.assertEqual(shape, (self.rows, 3))
        for row in range(self.rows):
            self.assertAlmostEqual(sum(values[3 * row:3 * row + 3]), 1, places=5)
        for name in ("x-idx.gz", "bytes.npy", "floats.npy", "x.csv", "bare.csv", "x.npz",
                     "image=x-idx"):
            self.assertEqual(self.predict(name), expected, name)

    def test_numbered_columns_in_any_order(self):
        self.write("x.csv", self.csv(header=False))
        expected = self.predict("x.csv")
        order = sorted(range(36), key=lambda i: (i * 7) % 36)
        lines = [",".join(f"image.{i}" for i in order)]
        for row in range(self.rows):
            picture = self.pictures[row * 36:(row + 1) * 36]
            lines.append(",".join(str(picture[i]) for i in order))
        self.write("mixed.csv", "\n".join(lines) + "\n")
        self.assertEqual(self.predict("mixed.csv"), expected)

    def test_answers_are_those_of_eval(self):
        accuracy = self.json_of("eval", "run", "--json")["metrics"]["accuracy"]
        pictures, labels = make_pictures(60, seed=2)
        self.write("x-idx", idx(pictures, (60, 6, 6)))
        _, values = read_npy(self.predict("x-idx"))
        answers = [max(range(3), key=lambda c: values[3 * row + c]) for row in range(60)]
        right = sum(answer == label for answer, label in zip(answers, labels))
        self.assertAlmostEqual(accuracy, right / 60, places=12)

    def test_csv_out(self):
        self.write("x-idx", idx(self.pictures, (self.rows, 6, 6)))
        lines = self.predict("x-idx", out="y.csv").decode().splitlines()
        self.assertEqual(lines[0], "label,probability.top,probability.middle,probability.bottom")
        self.assertEqual(len(lines), self.rows + 1)
        _, values = read_npy(self.predict("x-idx"))
        for row, line in enumerate(lines[1:]):
            word, *cells = line.split(",")
            scores = [float(cell) for cell in cells]
            self.assertEqual(word, ("top", "middle", "bottom")[scores.index(max(scores))])
            for c, cell in enumerate(cells):
                self.assertAlmostEqual(float(cell), values[3 * row + c], delta=1e-7)

    def test_words_of_an_input_are_no_classes(self):
        self.write("t.csv", "colour,y\nred,0\ngreen,1\nblue,2\n")
        self.write("m.yaml", """nnc: 1
data:
  train: {csv: {file: t.csv, columns: {c: colour, y: y}}}
  fields: {c: {prepare: [category, one_hot]}, y: {classes: 3}}
model:
  inputs: [c]
  layers:
    - dense: 3
      name: logits
  outputs: {probability: "softmax(logits)"}
loss: {cross_entropy: {logits: logits, target: y}}
train: {epochs: 1, optimizer: adam}
""")
        self.run_nnc("train", "m.yaml", "-o", "words", "--quiet")
        self.write("x.csv", "colour\nblue\nred\n")
        said = self.run_nnc("predict", "words", "--in", "x.csv", "--out", "-").stdout
        self.assertEqual(said.splitlines()[0], "probability.0,probability.1,probability.2")

    def test_pipes(self):
        self.write("x.csv", self.csv())
        self.predict("x.csv", out="y.csv")
        piped = self.run_nnc("predict", "run", "--in", "-", "--out", "-", stdin=self.csv())
        self.assertEqual(piped.stdout, self.path("y.csv").read_text())
        self.assertEqual(piped.stderr, "")

    def test_npz_out(self):
        self.write("x-idx", idx(self.pictures, (self.rows, 6, 6)))
        archive = zipfile.ZipFile(io.BytesIO(self.predict("x-idx", out="y.npz")))
        self.assertEqual(archive.namelist(), ["label.npy", "probability.npy"])
        self.assertIn(b"'<U6', 'fortran_order': False, 'shape': (23,)", archive.read("label.npy"))
        self.assertIsNone(archive.testzip())
        self.assertEqual(archive.read("probability.npy"), self.predict("x-idx"))

    def test_the_training_data_is_not_needed(self):
        self.write("x-idx", idx(self.pictures, (self.rows, 6, 6)))
        expected = self.predict("x-idx")
        for path in self.folder.glob("*.gz"):
            path.unlink()
        self.assertEqual(self.predict("x-idx"), expected)

    def test_threads(self):
        self.write("x-idx", idx(self.pictures, (self.rows, 6, 6)))
        results = []
        for threads in (1, 2, 3):
            self.run_nnc("predict", "run", "--in", "x-idx", "--out", "y.npy", "--threads", threads)
            results.append(self.path("y.npy").read_bytes())
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_mistakes(self):
        self.write("x.csv", "a,b\n1,2\n")
        self.assertEqual(self.error_of("predict", "run", "--in", "x.csv", "--out", "y.csv"),
                         "nnc: error: x.csv: line 1: the table has another number of columns\n"
                         "  expected  36 columns, one for each number of the inputs\n"
                         "  got       2 columns\n")
        self.assertIn("written as .csv, .npy or .npz",
                      self.error_of("predict", "run", "--in", "x.csv", "--out", "y.png", expect=2))
        self.assertIn("its inputs are image",
                      self.error_of("predict", "run", "--in", "img=x.csv", "--out", "y.csv",
                                    expect=2))
        self.assertIn("gone.csv", self.error_of("predict", "run", "--in", "gone.csv", "--out",
                                                "y.csv"))
        self.assertFalse(self.path("y.csv").exists())
