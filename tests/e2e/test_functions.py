"""Functions of a model: predicted on their own, and emitted beside predict."""

import zipfile

from support import NncTest, npy, read_npy

MODEL = """nnc: 1
data:
  train: {csv: {file: rows.csv, columns: {x: [a, b, c], kind: kind}}}
  fields:
    x: {prepare: [standardize]}
    kind: {names: [low, middle, high]}
model:
  inputs: [x]
  layers:
    - {dense: {units: 8, activation: tanh}, name: e}
    - {dense: {units: 5, activation: relu}, name: h}
    - {dense: 3, name: logits}
  outputs: {p: "softmax(logits)", code: e}
functions:
  encode: {inputs: [x], outputs: {code: e}}
  decode: {inputs: [e], outputs: {p: "softmax(logits)", size: "sum(h)"}}
  both: {inputs: [x, e], outputs: {s: "sum(x) + sum(e)"}}
loss: {cross_entropy: {logits: logits, target: kind}}
train: {epochs: 3, batch: 16, optimizer: {adam: {rate: 0.01}}, seed: 2}
"""

ROWS = 90


def rows_text():
    lines = ["a,b,c,kind"]
    for i in range(ROWS):
        a, b, c = (i * 37 % 101) / 10, (i * 53 % 97) / 7 - 5, (i * 71 % 89) / 3
        lines.append(f"{a},{b},{c},{['low', 'middle', 'high'][int(a + b) % 3]}")
    return "\n".join(lines) + "\n"


class Functions(NncTest):
    def setUp(self):
        super().setUp()
        self.write("rows.csv", rows_text())
        self.run_nnc("train", self.write("m.yaml", MODEL), "-o", "run", "--quiet")

    def arrays(self, *arguments):
        """What a prediction writes: (shape, numbers) by name."""
        self.run_nnc("predict", "run", *arguments, "-o", "out.npz")
        with zipfile.ZipFile(self.path("out.npz")) as file:
            return {name[:-4]: read_npy(file.read(name)) for name in file.namelist()
                    if b"'<U" not in file.read(name)[:100]}


class Predict(Functions):
    def test_functions_are_parts_of_predict(self):
        whole = self.arrays("--in", "rows.csv")
        code = self.arrays("--function", "encode", "--in", "rows.csv")
        self.assertEqual(code, {"code": whole["code"]})
        self.write("codes.npy", npy(code["code"][1], (ROWS, 8)))
        for arguments in (["codes.npy"], ["e=codes.npy"]):
            decoded = self.arrays("--function", "decode", "--in", *arguments)
            self.assertEqual(decoded["p"], whole["p"])
            self.assertEqual(decoded["size"][0], (ROWS,))
        self.assertEqual(self.arrays("--function", "predict", "--in", "rows.csv"), whole)

    def test_cut_values_come_in_every_format(self):
        self.run_nnc("predict", "run", "--function", "encode", "--in", "rows.csv", "-o",
                     "codes.csv")
        # An npz file of several arrays has one of the input's name.
        code = self.arrays("--function", "encode", "--in", "rows.csv")["code"]
        with zipfile.ZipFile(self.path("codes.npz"), "w") as file:
            file.writestr("e.npy", npy(code[1], code[0]))
            file.writestr("other.npy", npy([0.0], (1,)))
        from_csv = self.arrays("--function", "decode", "--in", "codes.csv")
        self.assertEqual(self.arrays("--function", "decode", "--in", "codes.npz"), from_csv)

    def test_fields_stay_raw_beside_cut_values(self):
        self.write("zero.npy", npy([0.0] * 8 * ROWS, (ROWS, 8)))
        self.write("x.npy", npy([1.0, 2.0, 3.0] * ROWS, (ROWS, 3), "<f8"))
        first = self.arrays("--function", "both", "--in", "x=x.npy", "e=zero.npy")["s"]
        self.write("one.npy", npy([1.0] * 8 * ROWS, (ROWS, 8)))
        second = self.arrays("--function", "both", "--in", "x=x.npy", "e=one.npy")["s"]
        self.assertNotEqual(round(first[1][0], 3), 6)  # x was standardized
        self.assertAlmostEqual(second[1][0] - first[1][0], 8, places=4)

    def test_classes_have_their_names(self):
        code = self.arrays("--function", "encode", "--in", "rows.csv")["code"]
        self.write("codes.npy", npy(code[1], code[0]))
        said = self.run_nnc("predict", "run", "--function", "decode", "--in", "codes.npy", "-o",
                            "-").stdout
        self.assertEqual(said.splitlines()[0], "kind,p.low,p.middle,p.high,size")
        self.assertIn(said.splitlines()[1].split(",")[0], ("low", "middle", "high"))

    def test_mistakes(self):
        def error(*arguments, expect=2):
            return self.error_of("predict", "run", "--in", *arguments, "-o", "out.npz",
                                 expect=expect)
        self.assertEqual(error("rows.csv", "--function", "decod"),
                         "nnc: error: --function: the model has no function 'decod'\n"
                         "  one of predict, encode, decode and both\n")
        self.assertEqual(error("x=rows.csv", "--function", "decode"),
                         "nnc: error: --in: the function 'decode' has no input 'x'\n"
                         "  its inputs are e\n")
        self.assertIn("--in: no file for e", error("x=rows.csv", "--function", "both"))
        self.write("codes.npy", npy([0.0] * 14, (2, 7)))
        self.assertIn("expected  8 numbers a row",
                      error("codes.npy", "--function", "decode", expect=1))
        self.assertIn("an npy file holds one output", self.error_of(
            "predict", "run", "--in", "codes.npy", "--function", "decode", "-o", "p.npy", expect=2))
