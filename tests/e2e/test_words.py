"""Wrong words are answered with the right one; what is not looked at is said."""

import json

from support import NncTest, npy

ROWS = "a,b,c\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(30))
MODEL = """nnc: 1
data:
  train: {csv: {file: rows.csv, columns: {x: [a], y: b, z: c}}}
  fields: {y: {classes: 3}, z: {names: ["0", "1"]}}
model:
  inputs: [x]
  layers:
    - dense: 3
      name: o
loss: {cross_entropy: {logits: o, target: y}}
metrics: [accuracy]
train: {epochs: 1, optimizer: adam}
"""


class Words(NncTest):
    def setUp(self):
        super().setUp()
        self.write("rows.csv", ROWS)
        self.model = self.write("m.yaml", MODEL)

    def test_check_says_what_it_has_not_read_and_the_words_of_indices(self):
        said = self.run_nnc("check", self.model).stdout
        self.assertIn("unread   the rows of rows.csv", said)
        self.assertIn("classes  y: 0 to 2\n", said)
        self.assertIn("classes  z: 0, 1\n", said)
        self.assertIn("unread   all data files (--no-data)",
                      self.run_nnc("check", self.model, "--no-data").stdout)

    def test_options_and_paths_of_other_names(self):
        self.assertIn("did you mean --epochs?",
                      self.error_of("train", self.model, "--epoch", 3, expect=2))
        for given, meant in (("seed", "train.seed"), ("epoch", "train.epochs"),
                             ("regularization", "loss.penalty"), ("inputs", "model.inputs")):
            self.assertIn(f"there is no setting '{given}'; did you mean '{meant}'?",
                          self.error_of("check", self.model, "--set", f"{given}=3", expect=2))
        for given, meant in (("regularization", "penalty"), ("split", "valid"),
                             ("threshold", "roc"), ("classweights", "weight")):
            self.assertIn(f"did you mean `nnc help {meant}`?",
                          self.error_of("help", given, expect=2))

    def test_help_lists_names(self):
        for word, names in (("optimizer", ("sgd", "adam")), ("metrics", ("accuracy", "auc")),
                            ("metric", ("accuracy", "auc")), ("schedule", ("cosine", "step")),
                            ("losses", ("huber", "cross_entropy"))):
            said = self.run_nnc("help", word).stdout
            for name in names:
                self.assertIn(f"\n  {name} ", said)

    def test_data_under_its_own_name(self):
        self.run_nnc("train", self.model, "-o", "run", "--quiet")
        for data, said in (("tset={csv: {file: x}}", "--data:1:1: error: data has no key 'tset'; "
                                                     "did you mean 'test'?"),
                           ("test={csv: {fil: x}}", "--data:1:6: error: csv has no key 'fil'"),
                           ("test", "--data:1:1: error: --data needs a split and its source")):
            self.assertIn(said, self.error_of("eval", "run", "--data", data, expect=2))

    def test_metrics_that_do_not_apply_say_why(self):
        self.run_nnc("train", self.model, "-o", "run", "--quiet")
        said = self.error_of("eval", "run", "--set", "metrics=[r2]", expect=2)
        self.assertIn("r2 compares numbers, but this is an index of classes", said)

    def test_labels_out_of_range_name_the_way_out(self):
        self.write("rows.csv", ROWS + "31,7,0\n")
        said = self.error_of("train", self.model, "-o", "run")
        self.assertIn("0 … 2 (classes: 3); `prepare: [category]` numbers any labels", said)

    def test_only_test_rows(self):
        self.write("x.npy", npy([0.5] * 12, (4, 3)))
        self.write("y.npy", npy([0, 1, 2, 0], (4,), "<i4"))
        model = self.write("only.yaml", """nnc: 1
data:
  test: {npy: {x: x.npy, y: y.npy}}
  fields: {y: {classes: 3}}
model:
  inputs: [x]
  layers:
    - expr: "2*x"
      name: o
  outputs: {p: "softmax(o)"}
loss: {cross_entropy: {logits: o, target: y}}
""")
        self.assertTrue(json.loads(self.run_nnc("check", model, "--json").stdout)["ok"])
        self.assertIn("4 test", self.run_nnc("check", model).stdout)
        self.assertIn("training needs rows", self.error_of(
            "train", model, "--set", "train={epochs: 1, optimizer: adam}", expect=2))
