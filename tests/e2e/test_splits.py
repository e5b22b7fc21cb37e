"""Rows that were trained on are never test rows; classes keep their shares, or that is refused."""

from support import NncTest

MODEL = """nnc: 1
data:
  train: {csv: {file: a.csv, columns: {x: x, y: y}}}
  test: {fraction: 0.25}
model:
  inputs: [x]
  layers:
    - dense: 1
      name: z
loss: {mean_squared_error: {prediction: z, target: y}}
train: {epochs: 2, batch: 4, optimizer: {sgd: {rate: 0.01}}}
"""


class ChangedData(NncTest):
    def setUp(self):
        super().setUp()
        self.write("a.csv", "x,y\n" + "".join(f"{i},{i % 5}\n" for i in range(20)))
        self.run_nnc("train", self.write("m.yaml", MODEL), "-o", "run", "--quiet")

    def eval_rows(self, *arguments):
        return self.json_of("eval", "run", "--json", *arguments)["rows"]

    def test_a_row_more_is_refused(self):
        self.assertEqual(self.eval_rows(), 5)
        with self.path("a.csv").open("a") as table:
            table.write("20,0\n")
        self.assertEqual(
            self.error_of("eval", "run", expect=2),
            "nnc: error: a.csv has changed since run was trained: its test rows would be drawn "
            "anew, with rows among them that it was trained on\n  put the old file back; or name "
            "other rows: nnc eval run --data 'test={csv: {...}}'\n")
        self.error_of("eval", "run", "--split", "train", expect=2)
        new = "test={csv: {file: a.csv, columns: {x: x, y: y}}}"
        self.assertEqual(self.eval_rows("--data", new), 21)

    def test_rows_in_another_order_are_refused(self):
        head, *rows = self.path("a.csv").read_text().splitlines()
        self.write("a.csv", "\n".join([head] + rows[::-1]) + "\n")
        self.assertIn("has changed since run was trained", self.error_of("eval", "run", expect=2))

    def test_other_draws_of_the_same_rows_are_refused(self):
        for change in ("data.test.seed=3", "data.test.fraction=0.5"):
            said = self.error_of("eval", "run", "--set", change, expect=2)
            self.assertIn("run was trained on other rows than are drawn now", said)

    def test_moved_data_are_known_by_their_content(self):
        self.path("a.csv").rename(self.path("b.csv"))
        b = self.path("b.csv")
        self.assertEqual(self.eval_rows("--set", f"data.train.csv.file={b}"), 5)

    def test_a_file_of_its_own_may_change(self):
        own = MODEL.replace("{fraction: 0.25}", "{csv: {file: b.csv, columns: {x: x, y: y}}}")
        self.write("b.csv", "x,y\n1,2\n")
        self.run_nnc("train", self.write("own.yaml", own), "-o", "own", "--quiet")
        self.write("b.csv", "x,y\n1,2\n2,3\n")
        done = self.run_nnc("eval", "own", "--json")
        self.assertIn('"rows":2', done.stdout)
        self.assertIn("b.csv has changed since own was trained", done.stderr)


CLASSES = """nnc: 1
data:
  train: {csv: {file: a.csv, columns: {a: a, k: k}}}
  test: {fraction: FRACTION, stratify: k}
  fields: {k: {prepare: [category]}}
model:
  inputs: [a]
  layers:
    - dense: WIDTH
      name: z
loss: {cross_entropy: {logits: z, target: k}}
metrics: [confusion]
train: {epochs: 1, batch: 4, optimizer: sgd}
"""


class Stratified(NncTest):
    def model(self, counts, fraction):
        """Rows of each word, so many of each."""
        words = [word for word, count in counts.items() for _ in range(count)]
        self.write("a.csv", "a,k\n" + "".join(f"{i},{word}\n" for i, word in enumerate(words)))
        text = CLASSES.replace("FRACTION", str(fraction)).replace("WIDTH", str(len(counts)))
        return self.write("m.yaml", text)

    def taken(self, counts, fraction):
        """How many test rows each class has."""
        self.run_nnc("train", self.model(counts, fraction), "-o", "run", "--quiet", "--force")
        table = self.json_of("eval", "run", "--json")["metrics"]["confusion"]
        return [sum(row) for row in table]

    def test_the_total_is_right(self):
        """Each class rounded by itself gives 25 % instead of 15 %."""
        counts = {f"c{i:02}": 10 for i in range(10)}
        self.assertEqual(sum(self.taken(counts, 0.15)), 15)
        self.assertEqual(self.taken({"a": 7, "b": 13, "c": 80}, 0.1), [1, 1, 8])
        self.assertEqual(self.taken({"a": 5, "b": 15, "c": 40}, 0.25), [1, 4, 10])

    def test_a_class_of_one_row_is_trained_on(self):
        self.assertEqual(self.taken({"rare": 1, "x": 9, "y": 10}, 0.5), [0, 5, 5])

    def test_more_classes_than_rows(self):
        counts = {f"c{i:02}": 4 for i in range(50)}
        for fraction, rows in ((0.15, 30), (0.1, 20)):
            said = self.error_of("train", self.model(counts, fraction), "-o", "bad")
            self.assertIn(f"a test fraction of {fraction}, stratified by 'k', is {rows} of 200 rows",
                          said)
            self.assertIn("too few for one of each class", said)
            self.assertIn("50 rows or more", said)
        said = self.error_of("train", self.model({"a": 2, "b": 2, "c": 2}, 0.9), "-o", "bad")
        self.assertIn("leaves 1 rows for training: too few for one of each class", said)
