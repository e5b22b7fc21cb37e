"""What rows `nnc predict` takes: several files, csv first lines, integer arrays, streams."""

import gzip
import struct
import zipfile
import zlib

from support import NncTest, npy

# y = x0 + 2 x1, written down rather than trained.
MODEL = """nnc: 1
data:
  train: DATA
model:
  inputs: [x]
  layers:
    - dense: {units: 1, init: {kernel: [[1], [2]]}}
      name: z
  outputs: {o: "z*1"}
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 0, batch: 2, optimizer: {sgd: {rate: 0.01}}}
"""
INLINE = "{inline: {x: [[1, 2], [3, 4]], y: [[5], [11]]}}"
BY_NAME = """nnc: 1
data:
  train: {inline: {a: [1, 3], b: [2, 4], y: [[5], [11]]}}
model:
  inputs: [a, b]
  layers:
    - expr: "[a, b]"
    - dense: {units: 1, init: {kernel: [[1], [2]]}}
      name: z
  outputs: {o: "z*1"}
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 0, batch: 2, optimizer: {sgd: {rate: 0.01}}}
"""


def png(grey):
    """A grey picture of 2x2 pixels."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + bytes([grey, grey]) for _ in range(2))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class PredictRows(NncTest):
    def train(self, text=MODEL.replace("DATA", INLINE), run="run"):
        self.write("m.yaml", text)
        self.run_nnc("train", "m.yaml", "-o", run, "--quiet")

    def answers(self, *files, run="run", said=None, stdin=None):
        done = self.run_nnc("predict", run, "--in", *files, "--out", "-", stdin=stdin)
        if said is None:
            self.assertEqual(done.stderr, "")
        else:
            self.assertIn(said, done.stderr)
        return [float(line.split(",")[-1]) for line in done.stdout.splitlines()[1:]]

    def test_several_files_are_rows_one_after_the_other(self):
        self.train()
        self.write("a.csv", "1,2\n3,4\n")
        self.write("b.csv", "5,6\n7,8\n")
        self.write("c.npy", npy([1, 1, 2, 2], (2, 2)))
        self.assertEqual(self.answers("a.csv", "--in", "b.csv"), [5, 11, 17, 23])
        self.assertEqual(self.answers("b.csv", "a.csv"), [17, 23, 5, 11])
        self.assertEqual(self.answers("x=a.csv", "--in", "x=b.csv"), [5, 11, 17, 23])
        self.assertEqual(self.answers("a.csv", "x=c.npy", "-", stdin="5,6\n"), [5, 11, 3, 6, 17])
        # RUN behind the files, and a name with = in it.
        self.write("k=3.csv", "1,2\n")
        done = self.run_nnc("predict", "--in", "a.csv", "k=3.csv", "run", "--out", "-")
        self.assertEqual(done.stdout, "o.0\n5\n11\n5\n")
        self.write("bad.csv", "1,2\n3,inf\n")
        self.assertIn("bad.csv: line 2, ",
                      self.error_of("predict", "run", "--in", "a.csv", "bad.csv", "--out", "-"))
        self.assertIn("once only", self.error_of("predict", "run", "--in", "-", "-", "--out", "-",
                                                 expect=2))

    def test_several_files_for_several_inputs(self):
        self.train(BY_NAME)
        for name, text in (("a1", "1\n"), ("a2", "3\n"), ("b1", "2\n"), ("b2", "4\n")):
            self.write(name, text)
        self.write("ab.csv", "b,a\n2,1\n4,3\n")
        self.assertEqual(self.answers("a=a1", "a=a2", "b=b1", "b=b2"), [5, 11])
        self.assertEqual(self.answers("ab.csv", "ab.csv"), [5, 11, 5, 11])
        self.assertIn("the inputs have different numbers of rows\n  expected  2 rows, as in a1\n",
                      self.error_of("predict", "run", "--in", "a=a1", "a=a2", "b=b1", "--out", "-"))
        self.assertIn("no file for b", self.error_of("predict", "run", "--in", "a=a1", "--out", "-",
                                                     expect=2))

    def test_several_pictures(self):
        for name, grey in (("a/1", 10), ("b/2", 20), ("b/3", 30)):
            self.write(f"pics/{name}.png", png(grey))
        self.train("""nnc: 1
data: {train: {images: {folder: pics, size: [2, 2], channels: 1}}}
model:
  inputs: [image]
  layers:
    - flatten
    - dense: 2
      name: z
  outputs: {first: "image[0, 0, :]*1"}
loss: {cross_entropy: {logits: z, target: label}}
train: {epochs: 0, batch: 4, optimizer: {sgd: {rate: 0.01}}}
""")
        self.assertEqual(self.answers("pics/a/1.png", "--in", "pics/b/2.png"), [10, 20])
        self.assertEqual(self.answers("pics/b", "pics/a/1.png"), [20, 30, 10])

    def test_the_first_line(self):
        self.train()
        for text in ("+1,2\n3,4\n", "\ufeff1,2\n3,4\n", "1, 2\n3, 4\n", "1,2 \n3,4 \n",
                     "1,2\r3,4\r", "\n1,2\n3,4\n", "  \n1,2\n\n3,4\n", '"1","2"\n3,4\n',
                     "b,a\n1,2\n3,4\n", "x.1,x.0\n2,1\n4,3\n", ",x.0,x.1\n0,1,2\n1,3,4\n",
                     "time,x.1,x.0\nnoon,2,1\n,4,3\n", ",a,b\n0,1,2\n1,3,4\n"):
            self.write("x", text)
            self.assertEqual(self.answers("x"), [5, 11], text)
        self.write("tiny", "1,1e-400\n3,4\n")
        self.assertEqual(self.answers("tiny"), [1, 11])
        # What may be read both ways is read one way, with a word.
        for text in ("0,1\n1,2\n3,4\n", ",0,1\n0,1,2\n1,3,4\n"):
            self.write("x", text)
            self.assertEqual(self.answers("x", said="taken as their names"), [5, 11])
        self.write("x", "0,1\n3,4\n")
        self.assertEqual(self.answers("x", "--header", "no"), [2, 11])
        self.assertEqual(self.answers("x", "--header", "yes"), [11])
        # Nothing is lost in silence.
        self.write("x", ",2\n3,4\n")
        self.assertIn("x: line 1, ", self.error_of("predict", "run", "--in", "x", "--out", "-"))
        self.write("x", "1,n/a\n3,4\n")
        self.assertIn("x: line 1: this line is neither a row of the inputs nor names of them\n"
                      "  expected  `--header yes`: it holds names; `--header no`: it is a row\n"
                      "  got       1, n/a\n",
                      self.error_of("predict", "run", "--in", "x", "--out", "-"))

    def test_the_first_line_of_named_inputs(self):
        self.train(BY_NAME)
        for text in ("\ufeffa,b\n1,2\n", "a, b\n1, 2\n", '"b","a"\n2,1\n', "c,b,a\n9,2,1\n",
                     "1,2\n"):
            self.write("x", text)
            self.assertEqual(self.answers("x"), [5], text)
        self.write("x", "a,c\n1,2\n")
        self.assertIn("there is no column 'b'",
                      self.error_of("predict", "run", "--in", "x", "--out", "-"))

    def test_one_column_that_counts(self):
        self.train("""nnc: 1
data: {train: {inline: {x: [1, 3], y: [2, 6]}}}
model: {inputs: [x], layers: [{dense: {units: 1, init: {kernel: [[2]]}}, name: z}]}
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 0, batch: 2, optimizer: sgd}
""")
        self.write("x", "0\n1\n2\n")
        self.assertEqual(self.answers("x", said="was read as a row"), [0, 2, 4])
        self.write("x", "0\n1.0\n2.0\n")  # a Series of pandas
        self.assertEqual(self.answers("x", said="taken as their names"), [2, 4])

    def test_words_in_the_first_line(self):
        self.train("""nnc: 1
data:
  train: {inline: {c: [red, green], y: [1, 2]}}
  fields: {c: {prepare: [category, one_hot]}}
model: {inputs: [c], layers: [{dense: {units: 1, init: {kernel: [[2], [1]]}}, name: z}]}
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 0, batch: 2, optimizer: sgd}
""")
        for text in ("red\ngreen\n", "c\nred\ngreen\n"):
            self.write("x", text)
            self.assertEqual(self.answers("x"), [1, 2], text)
        self.write("x", "blue\nred\n")  # a name, or a colour that nobody has seen
        self.assertIn("--header no", self.error_of("predict", "run", "--in", "x", "--out", "-"))
        self.assertIn("'blue'", self.error_of("predict", "run", "--in", "x", "--header", "no",
                                              "--out", "-"))
        self.assertEqual(self.answers("x", "--header", "yes"), [1])

    def test_csv_data_and_csv_rows_are_read_alike(self):
        text = '\ufeff\n"b", a ,note\r\n+2, 1 ,"x, y"\r\n\r\n4,3e0,\r\n'
        self.write("t.csv", text.replace("note", "y"). replace('"x, y"', "5").replace("0,\r", "0,11\r"))
        self.train(MODEL.replace("DATA", "{csv: {file: t.csv, columns: {x: [a, b], y: [y]}}}"))
        self.write("x", text)
        self.write("x.gz", gzip.compress(text.encode()))
        self.assertEqual(self.answers("x"), [5, 11])
        self.assertEqual(self.answers("x.gz"), [5, 11])

    def test_files_are_what_they_hold(self):
        self.train()
        floats = npy([1, 2, 3, 4], (2, 2))
        for name, data in (("x.csv", floats), ("noending", gzip.compress(floats)),
                           ("x.NPY", floats), ("x.npy", b"1,2\n3,4\n"),
                           ("x.idx", gzip.compress(b"1,2\n3,4\n"))):
            self.write(name, data)
            self.assertEqual(self.answers(name), [5, 11], name)

    def test_integers_of_every_width(self):
        kinds = ("|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1", "<f4", "<f8")
        codes = dict(zip(kinds, "bhiqBHIQBfd"))
        for kind, code in codes.items():
            data = npy([], (2, 2)).replace(b"<f4", kind.encode())
            values = [1, 0, 0, 1] if kind == "|b1" else [1, 2, 3, 4]
            self.write(f"x{kind[1:]}.npy", data + struct.pack("<4" + code, *values))
        self.write("y.npy", npy([5, 11], (2, 1)))
        for trained in ("i4", "b1", "u2", "f4"):
            self.train(MODEL.replace("DATA", f"{{npy: {{x: x{trained}.npy, y: y.npy}}}}"), trained)
            for kind in kinds:
                expected = [1, 2] if kind == "|b1" else [5, 11]
                self.assertEqual(self.answers(f"x{kind[1:]}.npy", run=trained), expected,
                                 f"{kind} for a model of {trained}")
            self.run_nnc("emit", trained, "-o", "x.hpp", "--self-test")
            self.run_nnc("eval", trained)

    def test_ids(self):
        self.train()
        self.write("x.csv", 'name,x.0,x.1\n"x, 1",1,2\n007,3,4\n')
        self.write("z.csv", "x.1,name,x.0\n6,last,5\n")
        done = self.run_nnc("predict", "run", "--in", "x.csv", "z.csv", "--id", "name", "--out", "-")
        self.assertEqual(done.stdout, 'name,o.0\n"x, 1",5\n007,11\nlast,17\n')
        self.run_nnc("predict", "run", "--in", "x.csv", "--id", "name", "--out", "y.npz")
        with zipfile.ZipFile(self.path("y.npz")) as archive:
            self.assertEqual(archive.namelist(), ["name.npy", "o.npy"])
            self.assertEqual(archive.read("name.npy")[-16:].decode("utf-32-le"), "007\0")
        self.assertIn("there is no column 'key'", self.error_of(
            "predict", "run", "--in", "x.csv", "--id", "key", "--out", "-"))
        self.write("p.npy", npy([1, 2], (1, 2)))
        self.assertIn("--id", self.error_of("predict", "run", "--in", "p.npy", "--id", "name",
                                            "--out", "-", expect=2))

    def test_rows_that_training_left_out(self):
        self.train(MODEL.replace("DATA", INLINE[:-1] + ', where: "x[0] > 0"}'))
        self.write("x", "1,2\n-1,2\n0,2\n")
        self.assertEqual(self.answers("x", said="x: `where` of the training rows would leave out "
                                      "2 of 3 rows, which are predicted all the same"), [5, 3, 4])
        self.write("x", "1,2\n")
        self.assertEqual(self.answers("x"), [5])
