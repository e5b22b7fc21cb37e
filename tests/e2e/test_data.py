"""Where rows come from: generated, filtered, inline, npz, prepared."""

import zipfile

from support import NncTest, npy, read_npy

MODEL = """nnc: 1
name: line
data:
  train: DATA
FIELDSmodel:
  inputs: [x]
  layers:
    - dense: 1
      name: out
loss: {mean_squared_error: {prediction: out, target: y}}
metrics: [rmse]
train: {epochs: EPOCHS, batch: 20, optimizer: {adam: {rate: 0.05}}, seed: 1}
"""


class Data(NncTest):
    def train(self, data, run="run", fields="", epochs=1):
        text = MODEL.replace("DATA", data).replace("FIELDS", fields).replace("EPOCHS", str(epochs))
        self.run_nnc("train", self.write(f"{run}.yaml", text), "-o", run, "--quiet")
        return self.json_of("eval", run, "--split", "train", "--json")

    def weights(self, run):
        return self.path(f"{run}/weights.safetensors").read_bytes()

    def test_generated_rows_depend_on_the_seed_only(self):
        data = '{generate: {rows: 50, seed: %d, x: "uniform(-1, 1)", y: "3*x + 0.01*normal()"}}'
        self.train(data % 1, "a")
        self.train(data % 1, "b")
        self.train(data % 2, "c")
        self.assertEqual(self.weights("a"), self.weights("b"))
        self.assertNotEqual(self.weights("a"), self.weights("c"))

    def test_generated_rows_are_what_the_formula_says(self):
        """A linear layer finds a line exactly, so the error that is left is the noise."""
        data = '{generate: {rows: 400, seed: 3, x: "uniform(0, 1, [2])", ' \
               'y: "2*x[0] - x[1] + 0.5 + normal(0, 0.1)"}}'
        result = self.train(data, epochs=200)
        self.assertAlmostEqual(result["metrics"]["rmse"], 0.1, delta=0.015)
        exact = '{generate: {rows: 400, seed: 3, x: "normal([2])", y: "2*x[0] - x[1] + 0.5"}}'
        self.assertLess(self.train(exact, "exact", epochs=300)["metrics"]["rmse"], 1e-3)

    def test_where_keeps_rows(self):
        rows = "{inline: {x: [1, 2, 3, 4, 5, 6], y: [2, 4, 6, 8, 10, 99]}, where: \"%s\"}"
        self.assertEqual(self.train(rows % "y != 99", "a")["rows"], 5)
        self.assertEqual(self.train(rows % "x > 2 and y < 50", "b")["rows"], 3)

    def test_mistakes_in_formulas_have_their_place(self):
        text = MODEL.replace("DATA", '{generate: {rows: 9, x: "uniform(0)", y: "x"}}')
        model = self.write("m.yaml", text.replace("FIELDS", "").replace("EPOCHS", "1"))
        said = self.error_of("train", model, expect=2)
        self.assertTrue(said.startswith("m.yaml:4:"), said)
        self.assertIn("uniform(low, high)", said)
        text = text.replace("uniform(0)", "uniform(0, 1) + z")
        model.write_text(text.replace("FIELDS", "").replace("EPOCHS", "1"))
        self.assertIn("'z'", self.error_of("train", model, expect=2))

    def test_npz(self):
        with zipfile.ZipFile(self.path("a.npz"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inputs.npy", npy([i / 10 for i in range(20)], (10, 2)))
            archive.writestr("y.npy", npy([i for i in range(10)], (10,), "<f8"))
        result = self.train("{npz: {file: a.npz, arrays: {x: inputs, y: y}}}")
        self.assertEqual(result["rows"], 10)

    def test_prepared_inputs_are_predicted_raw(self):
        """What standardize learned is in the run: predict takes raw values."""
        data = "{inline: {x: [100, 200, 300, 400], y: [1, 2, 3, 4]}}"
        fields = "  fields: {x: {prepare: [standardize]}}\n"
        self.train(data, fields=fields, epochs=800)
        self.write("x.npy", npy([150, 250, 350], (3,)))
        self.run_nnc("predict", "run", "--in", "x.npy", "--out", "y.npy")
        _, values = read_npy(self.path("y.npy").read_bytes())
        for value, expected in zip(values, (1.5, 2.5, 3.5)):
            self.assertAlmostEqual(value, expected, delta=0.02)

    def test_categories_travel_with_the_run(self):
        self.write("a.csv", "kind,y\n" + "".join(f"{k},{v}\n" for k, v in
                                                 (("red", 1), ("green", 2), ("blue", 3)) * 8))
        data = "{csv: {file: a.csv, columns: {x: kind, y: y}}}"
        fields = "  fields: {x: {prepare: [category, one_hot]}}\n"
        self.train(data, fields=fields, epochs=300)
        self.write("new.csv", "kind\nblue\nred\n")
        self.path("a.csv").unlink()
        self.run_nnc("predict", "run", "--in", "new.csv", "--out", "y.npy")
        _, values = read_npy(self.path("y.npy").read_bytes())
        self.assertAlmostEqual(values[0], 3, delta=0.05)
        self.assertAlmostEqual(values[1], 1, delta=0.05)
        self.write("new.csv", "kind\nblue\npurple\n")
        self.assertIn("'purple'", self.error_of("predict", "run", "--in", "new.csv", "--out",
                                                "y.npy"))
