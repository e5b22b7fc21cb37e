"""Blocks, functions, phases, noise and generation: what a model file means, on small data."""

import re
import shutil
import struct
import zipfile

from support import NncTest, ROOT, read_npy, read_safetensors

DATA = """nnc: 1
data:
  train: {generate: {rows: 96, seed: 3, x: "normal([6])", y: "if(x[0] > x[1], 1, 0)"}}
  valid: {generate: {rows: 32, seed: 4, x: "normal([6])", y: "if(x[0] > x[1], 1, 0)"}}
"""

TURNS = DATA + """blocks:
  maker: {inputs: [z], layers: [{dense: 8}, batch_norm, relu, {dense: 6}]}
  judge: {inputs: [v], layers: [{dense: 8}, batch_norm, tanh, {dense: 1}]}
model:
  inputs: [x]
  layers:
    - {expr: "normal([3])", name: z}
    - {block: maker, name: fake, from: z}
    - {block: judge, name: d_real, from: x}
    - {block: judge, name: d_fake, from: fake, share: d_real}
  outputs: {score: "sigmoid(d_real)"}
functions:
  make: {inputs: [z], outputs: {row: fake}, draw: {z: "normal()"}}
loss:
  terms: {d: "softplus(-d_real) + softplus(d_fake)", g: "softplus(-d_fake)"}
train:
  epochs: 3
  batch: 16
  phases:
    - {minimize: d, update: [judge], steps: STEPS, optimizer: {adam: {rate: 0.01, beta1: 0.5}}}
    - {minimize: g, update: [maker], optimizer: {adam: {rate: RATE, beta1: 0.5}}}
"""

CODER = DATA + """settings: {beta: {ramp: {from: 0, to: 1, epochs: 2}}}
model:
  inputs: [x]
  layers:
    - {dense: {units: 8, activation: tanh}, name: h}
    - {dense: 2, name: mu}
    - {dense: 2, name: logvar, from: h}
    - {expr: "mu + exp(0.5*logvar) * normal(shape(mu))", name: z, predict: "mu"}
    - {dense: 6, name: restored}
  outputs: {restored: restored, code: mu}
functions:
  encode: {inputs: [x], outputs: {code: mu}}
  decode: {inputs: [z], outputs: {row: restored}, draw: {z: "normal()"}}
loss:
  terms:
    square: "sum((restored - x)^2)"
    kl: "-0.5 * sum(1 + logvar - mu^2 - exp(logvar))"
  total: "square + $beta*kl"
train: {epochs: 4, batch: 16, optimizer: {adam: {rate: 0.01}}}
"""


def turns(steps=1, rate="0.01"):
    return TURNS.replace("STEPS", str(steps)).replace("RATE", rate)


def normalised(graph):
    """The nodes of a printed graph without names, places and random streams."""
    lines = []
    for line in graph.splitlines()[1:]:
        line = re.sub(r"%[\w.]+", "%", line)
        line = re.sub(r'"[^"]*"|@\S+|stream=-?\d+', "", line)
        lines.append(line.strip())
    return sorted(lines)


class Language(NncTest):
    def weights(self, run):
        return read_safetensors(self.path(f"{run}/weights.safetensors"))[0]

    def train(self, text, run="run", *more):
        self.run_nnc("train", self.write("model.yaml", text), "-o", run, "--quiet", *more)
        return self.weights(run)

    def test_blocks_give_the_graph_of_their_layers_written_out(self):
        plain, blocks = ROOT / "tests/e2e/resnet-plain.yaml", ROOT / "models/resnet-small.yaml"
        for entry in ("step", "evaluate", "predict"):
            graphs = [self.run_nnc("dump", file, "--stage", "graph", "--entry", entry).stdout
                      for file in (plain, blocks)]
            self.assertEqual(normalised(graphs[0]), normalised(graphs[1]), entry)

    def test_what_a_phase_does_not_update_stays_to_the_bit(self):
        begun = self.train(turns(), "begun", "--epochs", 0)
        # The maker's phase has no rate: nothing of it may change but its running statistics.
        ended = self.train(turns(rate="0"), "ended")
        for name, (_, _, data) in ended.items():
            is_maker = name.startswith("fake.")
            statistic = ".mean" in name or ".variance" in name
            same = data == begun[name][2]
            self.assertEqual(same, is_maker and not statistic, name)

    def test_statistics_of_the_other_network_stay(self):
        one = self.train(turns(), "one")
        text = turns().replace("    - {minimize: g, update: [maker]",
                               "    - {minimize: g, update: [maker], steps: 4")
        four = self.train(text.replace("epochs: 3", "steps: 1"), "four")
        once = self.train(turns().replace("epochs: 3", "steps: 1"), "once")
        # Four steps of the maker instead of one: the judge has taken the same single step.
        for name in four:
            if name.startswith("d_real."):
                self.assertEqual(four[name][2], once[name][2], name)
        self.assertNotEqual(one["fake.dense_1.kernel"][2], once["fake.dense_1.kernel"][2])

    def test_steps_belong_to_their_phase(self):
        once = self.train(turns().replace("epochs: 3", "steps: 1"), "once")
        thrice = self.train(turns(steps=3).replace("epochs: 3", "steps: 1"), "thrice")
        self.assertNotEqual(once["d_real.dense_1.kernel"][2], thrice["d_real.dense_1.kernel"][2])

    def test_the_same_bits_after_a_resume_and_with_other_threads(self):
        for text in (turns(steps=2), CODER):
            whole = self.train(text, "whole", "--threads", 1)
            self.assertEqual(whole, self.train(text, "two", "--threads", 2))
            epochs = 3 if "phases" in text else 4
            self.run_nnc("train", self.path("model.yaml"), "-o", "part", "--quiet", "--epochs", 1)
            self.run_nnc("train", "--resume", "part", "--epochs", epochs, "--quiet")
            self.assertEqual(whole, self.weights("part"))
            for run in ("whole", "two", "part"):
                self.run_nnc("generate", run, "-n", 2, "--out", f"{run}.csv")
            self.assertEqual(self.path("whole.csv").read_text(), self.path("part.csv").read_text())
            for run in ("whole", "two", "part"):
                shutil.rmtree(self.path(run))

    def test_an_evaluation_draws_the_same_numbers_again(self):
        self.train(CODER)
        first = self.json_of("eval", "run", "--split", "valid", "--json")
        self.assertEqual(first, self.json_of("eval", "run", "--split", "valid", "--json"))
        self.assertIn("kl", str(first))

    def test_functions_are_parts_of_the_model(self):
        self.train(CODER)
        rows = self.write("x.csv", "a,b,c,d,e,f\n0.1,0.2,0.3,0.4,0.5,0.6\n1,0,-1,0,1,0\n")
        self.run_nnc("predict", "run", "--in", rows, "--out", "p.npz")
        self.run_nnc("generate", "run", "--reconstruct", rows, "--out", "g.npz")
        with zipfile.ZipFile(self.path("p.npz")) as p, zipfile.ZipFile(self.path("g.npz")) as g:
            self.assertEqual(read_npy(p.read("restored.npy"))[1], read_npy(g.read("row.npy"))[1])

    def test_generated_rows_depend_on_the_seed_alone(self):
        self.train(CODER)
        texts = []
        for seed, rows in ((1, 4), (1, 4), (2, 4), (1, 2)):
            self.run_nnc("generate", "run", "-n", rows, "--seed", seed, "--out", "rows.csv")
            texts.append(self.path("rows.csv").read_text().splitlines())
        self.assertEqual(texts[0], texts[1])
        self.assertNotEqual(texts[0], texts[2])
        self.assertEqual(texts[0][:3], texts[3])

    def test_pictures(self):
        self.train(CODER.replace("dense: 6, name: restored", "dense: 9, name: nine").replace(
            "restored: restored, code: mu", "code: mu").replace(
            "outputs: {row: restored}", "outputs: {row: \"sigmoid(nine)\"}").replace(
            "sum((restored - x)^2)", "sum((nine[0:6] - x)^2)"))
        self.run_nnc("generate", "run", "-n", 6, "--columns", 3, "--out", "grid.png")
        head = self.path("grid.png").read_bytes()[:24]
        self.assertEqual(struct.unpack(">II", head[16:]), (3 * 4 + 1, 2 * 4 + 1))
        error = self.error_of("generate", "run", "--function", "encode", "--out", "x.png", expect=2)
        self.assertIn("needs 'x'", error)

    def test_weights_of_another_run(self):
        first = self.train(CODER, "first")
        text = CODER.replace("name: h}", "name: h, init: {from: first}, freeze: true}").replace(
            "- {dense: 2, name: mu}", "- {dense: 2, name: mu, init: {from: first, name: logvar}}")
        begun = self.train(text, "begun", "--epochs", 0)
        self.assertEqual(begun["h.kernel"], first["h.kernel"])
        self.assertEqual(begun["mu.kernel"], first["logvar.kernel"])
        self.assertIn("h of", self.run_nnc("check", self.path("model.yaml")).stdout)
        ended = self.train(text, "ended")
        self.assertEqual(ended["h.kernel"], first["h.kernel"])
        # A run that goes on does not need the other one any more.
        self.train(text, "part", "--epochs", 1)
        self.path("first").rename(self.path("gone"))
        self.run_nnc("train", "--resume", "part", "--epochs", 4, "--quiet")
        self.assertEqual(self.weights("part"), ended)
        self.path("gone").rename(self.path("first"))
        wrong = text.replace("name: logvar}", "name: logvat}", 1)
        error = self.error_of("check", self.write("model.yaml", wrong), expect=2)
        self.assertIn("did you mean 'logvar'?", error)

    def test_a_derivative_in_a_loss(self):
        # The slope of a network is trained towards that of x^2, its value at 0 towards 0.
        text = """nnc: 1
data: {train: {generate: {rows: 256, seed: 1, x: "uniform(-1, 1)"}}}
model:
  inputs: [x]
  layers:
    - {dense: {units: 16, activation: tanh}, name: h}
    - {dense: 1, name: f}
  outputs: {f: f, slope: "grad(f, x)"}
loss: {terms: {slope: "(grad(f, x) - 2*x)^2"}}
train: {epochs: 150, batch: 32, optimizer: {adam: {rate: 0.01}}}
"""
        self.train(text)
        self.run_nnc("predict", "run", "--in", self.write("x.csv", "x\n-0.5\n0\n0.5\n"), "--out",
                     "y.csv")
        rows = [[float(cell) for cell in line.split(",")]
                for line in self.path("y.csv").read_text().splitlines()[1:]]
        for row, wanted in zip(rows, (-1, 0, 1)):
            self.assertAlmostEqual(row[1], wanted, delta=0.1)
        self.assertAlmostEqual(rows[0][0] - rows[1][0], 0.25, delta=0.05)

    def test_a_phase_without_weights_is_refused(self):
        text = turns().replace("update: [maker]", "update: [z]").replace(
            "update: [judge]", "update: [judge, maker]")
        error = self.error_of("check", self.write("model.yaml", text), expect=2)
        self.assertIn("this phase has no weights to change", error)

    def test_a_derivative_that_rows_share_is_refused(self):
        text = turns().replace('g: "softplus(-d_fake)"', 'g: "grad(d_fake, fake)[0]"')
        error = self.error_of("check", self.write("model.yaml", text), expect=2)
        self.assertIn("rows see each other there", error)
        self.assertIn("batch_norm", error)
