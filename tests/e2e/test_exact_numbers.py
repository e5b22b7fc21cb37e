"""Numbers keep the precision of their source until they are prepared; what is missing is no value."""

import math
import re
import shutil
import struct
import subprocess
import unittest

from support import NncTest, npy, read_npy, read_safetensors

SECONDS = [1_700_000_000 + 60 * i for i in range(20)]

MODEL = """nnc: 1
data:
  train: DATA
  fields: {t: {prepare: [STEP]}}
model:
  inputs: [t]
  layers:
    - dense: {units: 1, init: {kernel: ones}}
      name: out
  outputs: {tt: "t*1"}
loss: {mean_squared_error: {prediction: out, target: y}}
train: {epochs: 0, batch: 4, optimizer: sgd}
"""


def f32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def standardized(values):
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))
    return [(v - mean) / deviation for v in values]


def scaled(values):
    return [(v - min(values)) / (max(values) - min(values)) * 3 - 1 for v in values]


class ExactNumbers(NncTest):
    def csv_of(self, values):
        self.write("a.csv", "t,y\n" + "".join(f"{v},{i}\n" for i, v in enumerate(values)))
        return "{csv: {file: a.csv, columns: {t: t, y: y}}}"

    def prepared(self, data, step="standardize", given="a.csv", run="run"):
        """What a run predicts for `t*1`: the prepared number."""
        model = self.write(f"{run}.yaml", MODEL.replace("DATA", data).replace("STEP", step))
        self.run_nnc("train", model, "-o", run, "--quiet")
        self.run_nnc("predict", run, "--in", given, "--out", f"{run}.npy")
        return read_npy(self.path(f"{run}.npy").read_bytes())[1]

    def test_seconds_a_minute_apart(self):
        """f32 knows 1,700,000,000 to 128 s only; scikit-learn's StandardScaler has these numbers."""
        data = self.csv_of(SECONDS)
        numbers = self.prepared(data)
        self.assertEqual([round(v, 5) for v in numbers[:3]], [-1.64751, -1.47409, -1.30066])
        self.assertEqual(numbers, [f32(v) for v in standardized(SECONDS)])
        exact = self.prepared(data, "{minmax: {low: -1, high: 2}}", run="minmax")
        for got, right in zip(exact, scaled(SECONDS)):
            self.assertAlmostEqual(got, right, delta=1e-7)

    def test_every_source_gives_the_same(self):
        right = self.prepared(self.csv_of(SECONDS))
        self.write("t8.npy", npy(SECONDS, (20,), "<i8"))
        self.write("y.npy", npy(range(20), (20,)))
        arrays = self.prepared("{npy: {t: t8.npy, y: y.npy}}", given="t8.npy", run="arrays")
        self.assertEqual(arrays, right)
        rows = f"{{inline: {{t: {SECONDS}, y: {list(range(20))}}}}}"
        self.assertEqual(self.prepared(rows, run="inline"), right)

    def test_training_and_evaluation_see_what_prediction_sees(self):
        """Without training the loss is that of the prepared numbers."""
        self.prepared(self.csv_of(SECONDS))
        loss = self.json_of("eval", "run", "--split", "train", "--json")["loss"]
        values = standardized(SECONDS)
        right = math.fsum((v - i) ** 2 for i, v in enumerate(values)) / 20
        self.assertAlmostEqual(loss / right, 1, delta=1e-6)

    def test_conditions_see_the_source(self):
        data = self.csv_of(SECONDS)[:-1] + ', where: "t >= 1700000120"}'
        model = self.write("m.yaml", MODEL.replace("DATA", data).replace("STEP", "standardize"))
        self.run_nnc("train", model, "-o", "run", "--quiet")
        self.assertEqual(self.json_of("eval", "run", "--split", "train", "--json")["rows"], 18)

    def test_a_field_that_nobody_reads(self):
        self.csv_of(SECONDS)
        data = "{csv: {file: a.csv, columns: {t: t, y: y, z: y}}}\n  test: {fraction: 0.2}"
        text = MODEL.replace("DATA", data).replace("[STEP]}", "[standardize]}, z: {prepare: "
                                                   "[standardize]}")
        self.run_nnc("train", self.write("m.yaml", text), "-o", "run", "--quiet")
        self.assertEqual(self.json_of("eval", "run", "--json")["rows"], 4)

    @unittest.skipUnless(shutil.which("g++"), "no compiler")
    def test_emitted_code_takes_doubles_where_floats_are_too_coarse(self):
        numbers = self.prepared(self.csv_of(SECONDS))
        self.run_nnc("emit", "run", "-o", "m.hpp", "--self-test")
        header = self.path("m.hpp").read_text()
        self.assertIn("const double* t", header)
        self.write("main.cpp", '#include "m.hpp"\n#include <cstdio>\nint main() {\n  for (int i = 0; '
                   'i < 20; ++i) {\n    const double t = 1700000000.0 + 60 * i;\n    float tt;\n'
                   '    run::predict(&t, &tt);\n    std::printf("%a\\n", tt);\n  }\n}\n'
                   .replace("run::", re.search(r"namespace (\w+)", header)[1] + "::"))
        for source, program in (("main.cpp", "main"), ("m_selftest.cpp", "selftest")):
            subprocess.run(["g++", "-std=c++17", "-O1", "-march=native", source, "-o", program],
                           cwd=self.path("."), check=True)
        said = subprocess.run(["./main"], cwd=self.path("."), check=True, stdout=subprocess.PIPE)
        self.assertEqual([float.fromhex(line) for line in said.stdout.decode().split()], numbers)
        subprocess.run(["./selftest"], cwd=self.path("."), check=True, stdout=subprocess.DEVNULL)

    def test_emitted_code_takes_floats_where_they_will_do(self):
        self.prepared(self.csv_of([150, 152, 149, 161]))
        self.run_nnc("emit", "run", "-o", "m.hpp")
        self.assertIn("const float* t", self.path("m.hpp").read_text())


CLASSES = """nnc: 1
data:
  train: DATA
  fields: {k: {prepare: [CATEGORY]}}
model:
  inputs: [x]
  layers:
    - dense: WIDTH
      name: z
  outputs: {p: "softmax(z)"}
loss: {cross_entropy: {logits: z, target: k}}
train: {epochs: 0, batch: 4, optimizer: sgd}
"""


class Categories(NncTest):
    def words(self, data, width, category="category"):
        """The names of the classes in their order."""
        text = CLASSES.replace("DATA", data).replace("WIDTH", str(width))
        model = self.write("m.yaml", text.replace("CATEGORY", category))
        self.run_nnc("train", model, "-o", "run", "--quiet", "--force")
        self.write("x.csv", "x\n1\n")
        said = self.run_nnc("predict", "run", "--in", "x.csv", "--out", "-")
        names = said.stdout.split("\n")[0].split(",")
        return [name.removeprefix("p.") for name in names if name.startswith("p.")]

    def arrays(self, values, kind):
        self.write("x.npy", npy([1] * len(values), (len(values),)))
        self.write("k.npy", npy(values, (len(values),), kind))
        return "{npy: {x: x.npy, k: k.npy}}"

    def table(self, words):
        self.write("a.csv", "x,k\n" + "".join(f"1,{word}\n" for word in words))
        return "{csv: {file: a.csv, columns: {x: x, k: k}}}"

    def test_numbers_are_ordered_as_numbers(self):
        order = [str(i) for i in range(1, 13)]
        mixed = [12, 3, 10, 1, 2, 11, 4, 9, 5, 8, 6, 7]
        for kind in ("<i8", "<i4", "<f8", "<f4"):
            self.assertEqual(self.words(self.arrays(mixed, kind), 12), order, kind)
        self.assertEqual(self.words(self.table(mixed), 12), order)
        self.assertEqual(self.words(self.table([10, -2, 9, 0.5]), 4), ["-2", "0.5", "9", "10"])
        self.assertEqual(self.words(self.table(["10", "9", "x"]), 3), ["10", "9", "x"])

    def test_large_integers_stay_apart(self):
        large = [2 ** 53 + 2, 2 ** 53 + 1, 2 ** 53, -2 ** 63, 2 ** 63 - 1]
        order = [str(i) for i in sorted(large)]
        self.assertEqual(self.words(self.arrays(large, "<i8"), 5), order)
        self.assertEqual(self.words(self.table(large), 5), order)

    def test_floats_have_their_shortest_names(self):
        self.assertEqual(self.words(self.arrays([0.1, 0.25], "<f4"), 2), ["0.1", "0.25"])

    def test_what_is_missing_is_no_class(self):
        nan = float("nan")
        for rows, place in ((lambda: self.table(["a", "", "b"]), "a.csv: line 3, column 'k': a cell"),
                            (lambda: self.table(["a", "b", "NaN"]),
                             "a.csv: line 4, column 'k': a cell"),
                            (lambda: self.arrays([1, 2, nan], "<f8"),
                             "k.npy: row 2 (counted from 0), field 'k': a value")):
            text = CLASSES.replace("DATA", rows()).replace("WIDTH", "2")
            model = self.write("m.yaml", text.replace("CATEGORY", "category"))
            said = self.error_of("train", model, "-o", "bad")
            self.assertIn(f"{place} is missing", said)
            self.assertIn("category: {missing: own}", said)

    def test_missing_words_are_a_class_if_the_file_says_so(self):
        own = "category: {missing: own}"
        self.assertEqual(self.words(self.table(["b", "", "a"]), 3, own), ["", "a", "b"])
        self.assertEqual(self.words(self.table([10, "", 9]), 3, own), ["", "9", "10"])
        self.assertEqual(self.words(self.table([10, "nan", "", 9]), 3, own), ["", "9", "10"])

    def test_conditions_leave_missing_ones_out(self):
        data = self.table(["b", "", "a"])[:-1] + ', where: "not missing(k)"}'
        self.assertEqual(self.words(data, 2), ["a", "b"])
        data = self.arrays([2, float("nan"), 1], "<f8")[:-1] + ', where: "not missing(k)"}'
        self.assertEqual(self.words(data, 2), ["1", "2"])
        text = CLASSES.replace("DATA", self.table(["b", "a"])[:-1] + ', where: "k != 1"}')
        model = self.write("m.yaml", text.replace("WIDTH", "2").replace("CATEGORY", "category"))
        said = self.error_of("train", model, expect=2)
        self.assertIn("'k' holds words, not numbers\n", said)


LABELS = """nnc: 1
data:
  train: DATA
  fields: {k: {FIELD}}
model:
  inputs: [x]
  layers:
    - dense: 2
      name: z
loss: {cross_entropy: {logits: z, target: k}}
train: {epochs: 1, batch: 4, optimizer: sgd}
"""


class Missing(NncTest):
    def refused(self, data, said, field="classes: 2"):
        model = self.write("m.yaml", LABELS.replace("DATA", data).replace("FIELD", field))
        self.assertIn(said, self.error_of("train", model, "-o", "bad"))

    def test_in_arrays(self):
        nan = float("nan")
        self.write("x.npy", npy([1, 2, nan], (3,)))
        self.write("k.npy", npy([0, 1, 1], (3,), "<i8"))
        self.refused("{npy: {x: x.npy, k: k.npy}}",
                     "x.npy: row 2 (counted from 0), field 'x': a value is missing")
        self.write("x.npy", npy([1, 2, 3], (3,)))
        self.write("k.npy", npy([0, nan, 1], (3,), "<f8"))
        self.refused("{npy: {x: x.npy, k: k.npy}}",
                     "k.npy: row 1 (counted from 0), field 'k': a value is missing")

    def test_in_tables(self):
        for cells, said in (("1,0\n,1\n", "a.csv: line 3, column 'x': a cell is missing"),
                            ("1,0\nnan,1\n", "a.csv: line 3, column 'x': a cell is missing"),
                            ("1,0\n2,\n", "a.csv: line 3, column 'k': a cell is missing")):
            self.write("a.csv", "x,k\n" + cells)
            self.refused("{csv: {file: a.csv, columns: {x: x, k: k}}}", said)
        self.refused("{csv: {file: a.csv, columns: {x: x, k: k}}}",
                     "a.csv: line 3, column 'k': a cell is missing", "names: ['0', '1']")

    def test_conditions_leave_rows_out(self):
        self.write("a.csv", "x,k\n1,0\n,1\n3,\n4,1\n")
        data = "{csv: {file: a.csv, columns: {x: x, k: k}}, where: " \
               '"not missing(x) and not missing(k)"}'
        model = self.write("m.yaml", LABELS.replace("DATA", data).replace("FIELD", "classes: 2"))
        self.run_nnc("train", model, "-o", "run", "--quiet")
        self.assertEqual(self.json_of("eval", "run", "--json")["rows"], 2)
