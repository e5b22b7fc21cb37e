"""The model files: each does what its header promises, and all its stages can be printed."""

import concurrent.futures
import math
import re
import struct
import sys
import threading

from support import NNC, NncTest, ROOT, alone, read_safetensors

sys.path.insert(0, str(ROOT / "tests/generation"))
import judge  # noqa: E402

MODELS = sorted((ROOT / "models").glob("*.yaml"))
EXPECT = re.compile(r"# expect: (\S+) (?:(>=|<=) (\S+)|in \[(\S+), (\S+)\]) for seeds? ([\d, ]+)$")


def expectations(model):
    """[(value, low, high, seed)] of the `# expect:` lines; models/README.md has the grammar."""
    result = []
    for line in model.read_text().splitlines():
        if not line.startswith("# expect:"):
            continue
        found = EXPECT.match(line)
        if not found:
            raise AssertionError(f"{model.name}: not an expectation: {line}")
        value, relation, bound, low, high, seeds = found.groups()
        low = float(low) if low else float(bound) if relation == ">=" else -math.inf
        high = float(high) if high else float(bound) if relation == "<=" else math.inf
        result += [(value, low, high, int(seed)) for seed in seeds.split(",")]
    return result


class Models(NncTest):
    lock = threading.Lock()

    def value(self, run, name):
        first, rest = name.split(".", 1)
        if first == "weight":
            dtype, shape, data = read_safetensors(self.path(f"{run}/weights.safetensors"))[0][rest]
            self.assertEqual(shape, [])
            return struct.unpack({"F32": "<f", "F64": "<d"}[dtype], data)[0]
        if first == "generated":
            return self.judged(run)[rest]
        result = self.json_of("eval", run, "--split", first, "--json")
        return result["loss"] if rest == "loss" else result["metrics"][rest]

    def arguments(self, model):
        """The file, and for one that begins with the weights of another run that run."""
        if "settings: {dir: /usr/share/datasets/fashion-mnist, run:" not in model.read_text():
            return [model]
        base = self.path("base")
        with self.lock:
            if not base.exists():
                few = [f"data.{split}.where=label < 5" for split in ("train", "valid", "test")]
                self.run_nnc("train", ROOT / "models/lenet5.yaml", "-o", base, "--quiet",
                             "--epochs", 2, *(word for where in few for word in ("--set", where)))
        return [model, "--set", f"settings.run={base}"]

    def judged(self, run):
        """What two epochs of lenet5 take 2,000 pictures for that the run generates."""
        with self.lock:
            if not self.path("judge").exists():
                self.run_nnc("train", ROOT / "models/lenet5.yaml", "-o", "judge", "--quiet",
                             "--epochs", 2)
        shares, confidence = judge.shares(NNC, self.path(run), self.path("judge"), 2000, 0)
        return {"classes": sum(share >= 0.02 for share in shares), "confidence": confidence}

    def check_seed(self, model, seed, wanted):
        run = f"{model.stem}-{seed}"
        self.run_nnc("train", *self.arguments(model), "-o", run, "--seed", seed, "--quiet", "--threads", 1)
        problems = []
        for name, low, high in wanted:
            value = self.value(run, name)
            if not low <= value <= high:
                problems.append(f"seed {seed}: {name} = {value}, not in [{low}, {high}]")
        return problems

    def test_all_have_expectations(self):
        self.assertTrue(MODELS)
        for model in MODELS:
            if "\ntrain:" in model.read_text():
                self.assertTrue(expectations(model), f"{model.name} has no # expect: line")

    def test_arenas_are_hardly_larger_than_what_is_alive_in_them(self):
        for model in MODELS:
            result = self.json_of("check", *self.arguments(model), "--json")
            self.assertGreater(result["live_bytes"], 64, model.name)
            self.assertGreaterEqual(result["arena_bytes"], result["live_bytes"], model.name)
            # Memory comes in pages: the few bytes of a logic gate take one, however they lie.
            self.assertLessEqual(result["arena_bytes"], max(1.15 * result["live_bytes"], 4096),
                                 model.name)

    def test_printed_graphs_read_back(self):
        for model in MODELS:
            trains = "\ntrain:" in model.read_text()
            for stage in ("graph", "grad", "step", "fused") if trains else ("graph", "fused"):
                text = self.run_nnc("dump", model, "--stage", stage).stdout
                self.assertTrue(text.startswith("graph @"), f"{model.name} {stage}")
                again = self.run_nnc("dump", self.write("graph.nnir", text)).stdout
                self.assertEqual(again, text, f"{model.name} {stage}")


def add_test(model):
    def test(self):
        by_seed = {}
        for value, low, high, seed in expectations(model):
            by_seed.setdefault(seed, []).append((value, low, high))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            problems = pool.map(lambda item: self.check_seed(model, *item), by_seed.items())
        self.assertEqual([line for lines in problems for line in lines], [])
    setattr(Models, "test_expect_" + model.stem.replace("-", "_"), test)


for file in MODELS:
    add_test(file)


class Stages(NncTest):
    def test_every_stage_of_the_default_model(self):
        model = ROOT / "models" / "fashion-mlp.yaml"
        beginnings = {}
        for stage in ("spec", "graph", "grad", "step", "fused", "kernels", "llvm", "asm"):
            text = self.run_nnc("dump", model, "--stage", stage).stdout
            self.assertGreater(len(text.splitlines()), 10, stage)
            beginnings[stage] = text
        self.assertIn("fashion-mlp.yaml:", beginnings["graph"])
        self.assertIn("contract", beginnings["graph"])
        self.assertIn("define", beginnings["llvm"])
        self.assertEqual(len(set(beginnings.values())), 8)

    def test_stop_after_a_pass(self):
        model = self.small_model()
        whole = self.run_nnc("dump", model, "--stage", "fused", "--verify-each").stdout
        early = self.run_nnc("dump", model, "--stage", "fused", "--after", "simplify").stdout
        self.assertNotEqual(whole, early)
        times = self.run_nnc("dump", model, "--stage", "step", "--time-passes").stdout
        self.assertIn("simplify", times)
        self.error_of("dump", model, "--stage", "fused", "--after", "nonsense", expect=2)

    def test_dot(self):
        text = self.run_nnc("dump", self.small_model(), "--stage", "graph", "--dot").stdout
        self.assertTrue(text.startswith("digraph"))
        self.assertIn("->", text)


@alone
class Bench(NncTest):
    def test_json(self):
        model = self.small_model()
        result = self.json_of("bench", model, "--batch", 32, "--threads", 1, "--seconds", "0.05",
                              "--json")
        self.assertEqual(list(result), ["model", "batch", "threads", "train_step_us", "infer_us",
                                        "compile_ms", "flops_per_step", "peak_gflops",
                                        "share_of_peak"])
        self.assertEqual((result["model"], result["batch"], result["threads"]), ("tiny", 32, 1))
        for times in (result["train_step_us"], result["infer_us"]):
            self.assertTrue(0 < times["min"] <= times["median"])
        self.assertLess(result["infer_us"]["min"], result["train_step_us"]["min"])
        self.assertTrue(0 < result["compile_ms"]["warm"])
        self.assertGreater(result["peak_gflops"], 1)
        # None: more than a peak that was measured while others had the machine.
        share = result["share_of_peak"]
        self.assertTrue(share is None or 0 < share <= 1, share)
        check = self.json_of("check", model, "--json")
        self.assertEqual(result["flops_per_step"], check["flops"])
