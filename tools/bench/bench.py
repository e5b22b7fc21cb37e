"""nnc against its peers: whole training steps and inference, interleaved in one run.

The rules: every framework is pinned to the same cores and has the same threads; only one of them
computes at a time; rounds go nnc, peer, peer ..., nnc, peer, peer ...; all start from the weights
that nnc initialised, and first show that they learn the same (losses of the first steps). nnc's
step includes the gather of its rows from the data set, the peers' does not.
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys

import numpy

import workloads

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {"torch": ["peer_torch.py"], "torch-compiled": ["peer_torch.py", "--variant", "compiled"],
         "jax": ["peer_jax.py"], "onnxruntime": ["peer_onnx.py"]}
CURVE = 10  # steps of the loss-curve check


class Failed(Exception):
    pass


def pinned(threads):
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return lambda: os.sched_setaffinity(0, cores)


class Nnc:
    name = "nnc"

    def __init__(self, workload, folder, threads):
        self.workload, self.folder, self.threads = workload, folder, threads
        self.command = os.environ.get("NNC", str(ROOT / "build" / "nnc"))
        write_data(workload, folder)
        (folder / "model.yaml").write_text(workload.yaml("one.npz"))
        self.run("train", folder / "model.yaml", "-o", folder / "initial", "--epochs", "0",
                 "--force", "--quiet")
        self.first_call_ms = None

    def run(self, *arguments):
        done = subprocess.run([self.command, *map(str, arguments)], capture_output=True, text=True,
                              preexec_fn=pinned(self.threads))
        if done.returncode != 0:
            raise Failed(done.stderr)
        return done.stdout

    def losses(self, count):
        """The first batch is the whole data set: an epoch is a step."""
        run = self.folder / "curve"
        self.run("train", self.folder / "model.yaml", "-o", run, "--epochs", count, "--force",
                 "--quiet", "--threads", self.threads)
        lines = (run / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["train"]["loss"] for line in lines]

    def measure(self, seconds):
        result = json.loads(self.run("bench", self.folder / "model.yaml", "--threads", self.threads,
                                     "--seconds", seconds, "--json"))
        self.first_call_ms = result["compile_ms"]["cold"]
        self.warm_ms = result["compile_ms"]["warm"]
        self.peak = result["peak_gflops"]
        return {"step": result["train_step_us"], "infer": result["infer_us"]}

    def close(self):
        pass


class Peer:
    def __init__(self, name, workload, folder, threads):
        self.name = name
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                           JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="")
        self.log = open(folder / f"{name}.log", "w")
        self.process = subprocess.Popen(
            [sys.executable, HERE / PEERS[name][0], *PEERS[name][1:], "--workload", workload.name,
             "--folder", folder, "--threads", str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=environment, preexec_fn=pinned(threads))
        self.first_call_ms = self.answer()["first_call_ms"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"it ended; {self.log.name} says why")
        return json.loads(line)

    def order(self, **what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def losses(self, count):
        return self.order(losses=count)["losses"]

    def measure(self, seconds):
        return self.order(seconds=seconds)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def write_data(workload, folder):
    """batches.npz: eight batches; one.npz: the first of them."""
    source = numpy.random.default_rng(1)
    rows = workload.batch * 8
    if workload.pictures:
        x = source.integers(0, 256, (rows, workload.widths[0]), dtype=numpy.uint8)
    else:
        x = source.uniform(0, 6, (rows, workload.widths[0])).astype(numpy.float32)
    if workload.loss == "cross_entropy":
        y = source.integers(0, workload.widths[-1], rows).astype(numpy.uint8)
    else:
        y = numpy.sin(x[:, :1]).astype(numpy.float32)
    numpy.savez(folder / "batches.npz", x=x, y=y)
    numpy.savez(folder / "one.npz", x=x[:workload.batch], y=y[:workload.batch])


def curve_problem(ours, theirs):
    """None if two curves of losses are the same up to rounding."""
    for step, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        if abs(a - b) > 2e-3 * max(abs(b), 1e-3):
            return f"step {step}: nnc's loss is {a:.6g}, its own {b:.6g}"
    return None


def ratio_interval(ours, theirs):
    """Median of theirs / ours over the rounds with a 95 % bootstrap interval."""
    source = random.Random(1)
    pairs = list(zip(ours, theirs))
    draws = []
    for _ in range(2000):
        sample = [source.choice(pairs) for _ in pairs]
        draws.append(statistics.median(b for _, b in sample) /
                     statistics.median(a for a, _ in sample))
    draws.sort()
    middle = statistics.median(theirs) / statistics.median(ours)
    return middle, draws[50], draws[1949]


def start_peers(names, workload, folder, threads):
    peers = []
    for name in names:
        try:
            peers.append(Peer(name, workload, folder, threads))
        except Failed as problem:
            print(f"  {name}: left out: {problem}")
    return peers


def check_curves(nnc, peers):
    ours = nnc.losses(CURVE)
    for peer in list(peers):
        theirs = peer.losses(CURVE)
        problem = curve_problem(ours, theirs) if theirs else None
        if problem:
            print(f"  {peer.name}: left out, it does not learn the same: {problem}")
            peer.close()
            peers.remove(peer)


def measure(workload, names, options):
    folder = ROOT / "build" / "bench" / workload.name
    folder.mkdir(parents=True, exist_ok=True)
    nnc = Nnc(workload, folder, options.threads)
    peers = start_peers(names, workload, folder, options.threads)
    check_curves(nnc, peers)
    everyone = [nnc, *peers]
    times = {one.name: {"step": [], "infer": []} for one in everyone}
    for _ in range(options.rounds):
        for one in everyone:
            for what, value in one.measure(options.seconds).items():
                if value:
                    times[one.name][what].append(value)
    for one in everyone:
        one.close()
    return {"workload": workload.name, "batch": workload.batch, "threads": options.threads,
            "flops": workload.flops, "peak_gflops": nnc.peak, "times": times,
            "first_call_ms": {one.name: one.first_call_ms for one in everyone},
            "warm_compile_ms": nnc.warm_ms}


def print_result(result):
    print(f"\n{result['workload']}, batch {result['batch']}, {result['threads']} thread(s); "
          f"microseconds, {len(result['times']['nnc']['step'])} rounds")
    print(f"  {'':16}{'step min':>10}{'median':>10}{'spread':>9}   {'against nnc':<22}"
          f"{'of peak':>8}{'infer':>10}{'first ms':>10}")
    ours = [t["min"] for t in result["times"]["nnc"]["step"]]
    for name, times in result["times"].items():
        infer = min(t["min"] for t in times["infer"])
        first = result["first_call_ms"][name]
        if not times["step"]:
            print(f"  {name:16}{'':10}{'':10}{'':9}   {'':22}{'':8}{infer:10.1f}{first:10.0f}")
            continue
        mins = [t["min"] for t in times["step"]]
        median = statistics.median(t["median"] for t in times["step"])
        spread = (max(mins) - min(mins)) / min(mins)
        share = result["flops"] / min(mins) * 1e-3 / result["peak_gflops"]
        ratio = ""
        if name != "nnc":
            middle, low, high = ratio_interval(ours, mins)
            ratio = f"{middle:.2f}x [{low:.2f}, {high:.2f}]"
        print(f"  {name:16}{min(mins):10.1f}{median:10.1f}{spread:9.0%}   {ratio:<22}{share:8.1%}"
              f"{infer:10.1f}{first:10.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=min(2, len(os.sched_getaffinity(0))))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    parser.add_argument("--only", action="append", help="a workload")
    parser.add_argument("--peers", default=",".join(PEERS), help="any of " + ", ".join(PEERS))
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 0.15
    results = []
    for name in options.only or workloads.DEFAULT:
        result = measure(workloads.find(name), [p for p in options.peers.split(",") if p], options)
        print_result(result)
        results.append(result)
    kept = ROOT / "build" / "bench" / f"{datetime.datetime.now():%Y-%m-%d-%H%M%S}.json"
    kept.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nkept in {kept.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
