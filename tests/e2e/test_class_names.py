"""Class names stand over outputs that are scores of those classes, and over no others."""

from support import NncTest

MODEL = """nnc: 1
data:
  train: {csv: {file: a.csv, columns: {x: [a, b], k: k}}}
  fields: {k: {prepare: [category]}}
model:
  inputs: [x]
  layers:
LAYERS
  outputs: {OUTPUTS}
loss: {LOSS}
train: {epochs: 0, batch: 4, optimizer: sgd}
"""

TWO = "    - dense: 2\n      name: code\n    - dense: 2\n      name: z"


class ClassNames(NncTest):
    def names(self, outputs, loss, layers=TWO, more=""):
        self.write("a.csv", "a,b,k\n1,2,no\n2,1,yes\n")
        text = MODEL.replace("LAYERS", layers).replace("OUTPUTS", outputs).replace("LOSS", loss)
        self.run_nnc("train", self.write("m.yaml", text + more), "-o", "run", "--quiet", "--force")
        said = self.run_nnc("predict", "run", "--in", "a.csv", "--out", "-").stdout
        return said.split("\n")[0].removeprefix("k,")  # the class that is told

    def test_scores_and_what_has_their_width(self):
        self.assertEqual(self.names('p: "softmax(z)", embedding: "code*1", raw: z, '
                                    'sharp: "softmax(2*z)", both: "z + code"',
                                    "cross_entropy: {logits: z, target: k}"),
                         "p.no,p.yes,embedding.0,embedding.1,raw.no,raw.yes,sharp.no,sharp.yes,"
                         "both.0,both.1")

    def test_a_regression_of_that_width(self):
        loss = "mean_squared_error: {prediction: z, target: x}"
        self.assertEqual(self.names('xy: "z*1"', loss), "xy.0,xy.1")
        self.assertEqual(self.names('xy: "z*1", p: "softmax(code)"', loss,
                                    more="metrics: [{accuracy: {prediction: code, target: k}}]\n"),
                         "xy.0,xy.1,p.no,p.yes")

    def test_probabilities_of_a_layer(self):
        layers = TWO + "\n    - softmax:\n      name: p"
        self.assertEqual(self.names("p: p, z: z, c: code",
                                    "cross_entropy: {probability: p, target: k}", layers),
                         "p.no,p.yes,z.no,z.yes,c.0,c.1")
