"""nnc show: what a run has learned."""

import json
import math
import unittest

from support import NncTest, npy, read_safetensors

LINE = """nnc: 1
name: line
data:
  train: {inline: {x: [0, 1, 2, 3], y: [1, 3, 5, 7]}}
model:
  inputs: [x]
  params: {m: 1.0, b: {init: 0, min: -5, max: 5}}
  outputs: {line: "m*x + b"}
loss: {mean_squared_error: {prediction: line, target: y}}
train: {epochs: 300, batch: all, optimizer: {adam: {rate: 0.1}}}
"""


class Show(NncTest):
    def test_weights_of_a_run(self):
        model = self.small_model(replace={"- flatten": "- flatten\n    - batch_norm"})
        self.run_nnc("train", model, "-o", "run", "--quiet")
        tensors, _ = read_safetensors(self.path("run/weights.safetensors"))
        shown = self.json_of("show", "run", "--json", "--values")
        self.assertEqual((shown["model"], shown["run"]), ("tiny", "run"))
        self.assertEqual({t["name"]: t["shape"] for t in shown["tensors"]},
                         {name: shape for name, (_, shape, _) in tensors.items()})
        for tensor in shown["tensors"]:
            values = tensor["values"]
            mean = math.fsum(values) / len(values)
            self.assertAlmostEqual(tensor["mean"], mean)
            deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in values) / len(values))
            self.assertAlmostEqual(tensor["deviation"], deviation)
            self.assertEqual((tensor["min"], tensor["max"]), (min(values), max(values)))
            self.assertEqual(sum(tensor["histogram"]), len(values))
        kinds = {t["name"]: t["kind"] for t in shown["tensors"]}
        self.assertEqual(kinds["dense_1.kernel"], "weight")
        self.assertIn("statistic", kinds.values())

        said = self.run_nnc("show", "run").stdout
        for line in said.splitlines():
            self.assertLessEqual(len(line), 80, line)
        self.assertRegex(said, r"\n  dense_1\.kernel +36×17 +-?[0-9.e-]+ +[0-9.e-]+ +-[0-9.]+ "
                               r"[▁▂▃▄▅▆▇█·]{10} [0-9.]+\n")
        self.assertIn("these are the weights of epoch", said)
        one = self.run_nnc("show", "run", "logits", "--values").stdout
        self.assertIn("logits.bias", one)
        self.assertNotIn("dense_1", one)
        self.assertIn("did you mean 'logits'?", self.error_of("show", "run", "logit", expect=2))

    def test_free_parameters(self):
        model = self.write("line.yaml", LINE)
        self.run_nnc("train", model, "-o", "run", "--quiet")
        said = self.run_nnc("show", "run").stdout
        self.assertRegex(said, r"\n  m +(2\.00|1\.99)\d*   began at 1\n")
        self.assertRegex(said, r"\n  b +(1\.00|0\.99)\d*   began at 0, at least -5, at most 5\n")
        shown = self.json_of("show", "run", "--json")
        self.assertEqual([t["kind"] for t in shown["tensors"]], ["param", "param"])
        self.assertAlmostEqual(shown["tensors"][0]["values"][0], 2, delta=0.01)

    def test_what_is_not_a_run(self):
        model = self.write("line.yaml", LINE)
        self.assertIn("line.yaml has 2 parameters to train",
                      self.error_of("show", model, expect=2))
        self.assertIn("there is no run nowhere", self.error_of("show", "nowhere", expect=2))
        self.run_nnc("train", model, "-o", "run", "--quiet")
        for command in (["check"], ["train"], ["bench"], ["dump", "--stage", "graph"]):
            said = self.error_of(command[0], "run/", *command[1:], expect=2)
            self.assertIn("run/ is a run, not a model file\n  its model file is run/model.yaml",
                          said)


class WeightOfOneLoss(NncTest):
    def test_stands_beside_it(self):
        self.write("x.npy", npy([1, 2, 3, 4], (4,)))
        text = LINE.replace("epochs: 300", "epochs: 2")
        runs = {}
        for name, loss in (("plain", "{mean_squared_error: {prediction: line, target: y}}"),
                           ("twice", "{mean_squared_error: {prediction: line, target: y}, weight: 2}"),
                           ("terms", "{terms: {t: {mean_squared_error: {prediction: line, target: y},"
                                     " weight: 2}}}")):
            model = self.write(f"{name}.yaml", text.replace(
                "{mean_squared_error: {prediction: line, target: y}}", loss))
            self.run_nnc("train", model, "-o", name, "--quiet")
            lines = self.path(f"{name}/metrics.jsonl").read_text().splitlines()
            runs[name] = json.loads(lines[0])["train"]["loss"]
        self.assertEqual(runs["twice"], 2 * runs["plain"])
        self.assertEqual(runs["twice"], runs["terms"])


if __name__ == "__main__":
    unittest.main()
