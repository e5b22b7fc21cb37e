"""Who is measured: nnc, one process a measurement; and processes that wait for orders."""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KEPT = ROOT / "build" / "bench"  # results and working files

PEERS = {"torch": ["peer_torch.py"], "torch-compiled": ["peer_torch.py", "--variant", "compiled"],
         "torch-channels-last": ["peer_torch.py", "--variant", "channels-last"],
         "jax": ["peer_jax.py"], "jax-waiting": ["peer_jax.py", "--variant", "waiting"],
         "onnxruntime": ["peer_onnx.py"]}


LONGEST = 60  # seconds that one call of nnc may take


class Failed(Exception):
    """A contender ended or refused; the text says why."""


def cores():
    return sorted(os.sched_getaffinity(0))


def pinned(threads):
    """For preexec_fn: the same first cores for everyone."""
    chosen = cores()[:threads]
    return lambda: os.sched_setaffinity(0, chosen)


def nnc_command():
    return os.environ.get("NNC", str(ROOT / "build" / "nnc"))


def run_nnc(*arguments, threads=2, command=None, **environment):
    try:
        done = subprocess.run([command or nnc_command(), *map(str, arguments)],
                              capture_output=True, text=True, preexec_fn=pinned(threads),
                              env=dict(os.environ, **environment), timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise Failed(f"nnc {arguments[0]} did not end within {LONGEST} seconds") from None
    if done.returncode != 0:
        raise Failed(done.stderr or done.stdout)
    return done.stdout


def peer_environment(threads, **more):
    return dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", **more)


class Nnc:
    """A network that nnc trains and predicts with, in the given folder."""
    name = "nnc"

    def __init__(self, workload, folder, threads):
        self.workload, self.folder, self.threads = workload, folder, threads
        self.peaks, self.compile_ms = [], []
        workload.write(folder)
        self.run("train", folder / "model.yaml", "-o", folder / "initial", "--epochs", "0",
                 "--force", "--quiet")

    def run(self, *arguments):
        return run_nnc(*arguments, threads=self.threads)

    def losses(self, count):
        """The first batch is the whole data set: an epoch is a step."""
        run = self.folder / "curve"
        self.run("train", self.folder / "model.yaml", "-o", run, "--epochs", count, "--force",
                 "--quiet", "--threads", self.threads)
        lines = (run / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["train"]["loss"] for line in lines]

    def bench(self, seconds, batch=None):
        result = json.loads(self.run("bench", self.folder / "model.yaml", "--threads", self.threads,
                                     "--batch", batch or self.workload.batch,
                                     "--seconds", seconds, "--json"))
        self.peaks.append(result["peak_gflops"])
        self.compile_ms.append(result["compile_ms"])
        return result

    def measure(self, what, seconds):
        """What: step or infer. {min, median} in microseconds."""
        return self.bench(seconds)[{"step": "train_step_us", "infer": "infer_us"}[what]]

    def close(self):
        pass


class Process:
    """A process that is told what to do line by line, answers in JSON, and sleeps in between."""

    def __init__(self, name, command, log, threads, **environment):
        self.name = name
        self.log = open(log, "w")
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True, env=peer_environment(threads, **environment),
            preexec_fn=pinned(threads))

    def order(self, **what):
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"it ended; {self.log.name} says why")
        return json.loads(line)

    def measure(self, what, seconds):
        return self.order(measure=what, seconds=seconds)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


class Peer(Process):
    """A framework. Its process serves one network after the other (`start`)."""

    def __init__(self, name, threads, **environment):
        work = KEPT / "work"
        work.mkdir(parents=True, exist_ok=True)
        super().__init__(name, [sys.executable, HERE / PEERS[name][0], *PEERS[name][1:],
                                "--threads", threads], work / f"{name}-{threads}.log", threads,
                         **environment)
        self.import_ms = None

    def start(self, workload, folder):
        """Builds the network from nnc's weights; first_call_ms is what its first call took."""
        answer = self.order(workload=workload.name, batch=workload.batch, folder=str(folder))
        self.import_ms = answer["import_ms"]
        self.first_call_ms = answer["first_call_ms"]

    def losses(self, count):
        return self.order(losses=count)["losses"]
