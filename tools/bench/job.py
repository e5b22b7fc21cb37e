"""A whole job, process start to exit: Fashion-MNIST, 784-128-128-128-10, ten epochs with
validation. nnc with an empty and with a filled cache of compiled code, Keras on JAX."""

import json
import os
import shutil
import subprocess
import sys
import time

from contenders import HERE, KEPT, ROOT, Failed, nnc_command, peer_environment, pinned
from results import keep, ratio, rounds_of, summary, versions

MODEL = ROOT / "models" / "fashion-mlp.yaml"
DATA = "/usr/share/datasets/fashion-mnist"  # as in the model file
EPOCHS = 10
LEARNT = 0.86  # test accuracy below which a job has not done its work


class Job:
    """A command; a measurement is one run of it. `prepare` comes before, outside of the time."""

    def __init__(self, name, command, accuracy, threads, prepare=lambda: None, **environment):
        self.name, self.command, self.threads = name, list(map(str, command)), threads
        self.accuracy_of, self.prepare = accuracy, prepare
        self.environment = peer_environment(threads, **environment)

    def measure(self):
        self.prepare()
        start = time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, text=True, env=self.environment,
                              preexec_fn=pinned(self.threads))
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise Failed(f"{self.name}: {done.stderr}")
        found = self.accuracy_of(done.stdout)
        if not found["accuracy"] >= LEARNT:
            raise Failed(f"{self.name} learnt too little: accuracy {found['accuracy']:.3f}")
        return {"min": seconds, "median": seconds, **found}


def nnc_job(name, threads, fresh):
    work = KEPT / "work" / "job"
    run, cache = work / name.replace(" ", "-"), work / f"cache-{'fresh' if fresh else 'filled'}"
    cache.mkdir(parents=True, exist_ok=True)

    def prepare():
        if fresh:
            shutil.rmtree(cache)
            cache.mkdir()

    def accuracy(_):
        last = (run / "metrics.jsonl").read_text().splitlines()[-1]
        return {"accuracy": json.loads(last)["valid"]["accuracy"]}
    return Job(name, [nnc_command(), "train", MODEL, "-o", run, "--force", "--epochs", EPOCHS,
                      "--threads", threads], accuracy, threads, prepare,
               XDG_CACHE_HOME=str(cache))


def run(options):
    threads = max(options.threads)
    keras = Job("keras", [sys.executable, HERE / "peer_keras.py", DATA, EPOCHS],
                lambda text: json.loads(text.splitlines()[-1]), threads,
                KERAS_BACKEND=os.environ.get("KERAS_BACKEND", "jax"))
    everyone = [nnc_job("nnc", threads, True), nnc_job("nnc, filled cache", threads, False)]
    everyone[1].measure()  # fills the cache
    if options.peers is None or "keras" in options.peers:
        everyone.append(keras)
    times, probes = rounds_of(everyone, options.rounds, lambda one: one.measure(), threads)
    show(keep("job", "fashion-mlp", {"times": times, "probes": probes, "threads": threads,
                                     "epochs": EPOCHS,
                                     "versions": versions("keras", "jax")}, options))


def show(result):
    times = result["times"]
    print(f"\nfashion-mlp, {result['epochs']} epochs, start to exit, {result['threads']} "
          f"thread(s); seconds, {len(times['nnc'])} rounds, load {result['load']}")
    print(f"  {'':20}{'min':>8}{'median':>8}{'spread':>8}{'accuracy':>10}   against nnc")
    for name, rounds in times.items():
        least, median, width = summary(rounds)
        against = "" if name == "nnc" else str(ratio(times, "nnc", name))
        print(f"  {name:20}{least:8.2f}{median:8.2f}{width:8.0%}{rounds[0]['accuracy']:10.4f}   "
              f"{against}")
    if "keras" in times:
        seconds = min(round_["import_s"] for round_ in times["keras"])
        print(f"  Keras on {times['keras'][0]['backend']}; its import takes {seconds:.1f} of that")
