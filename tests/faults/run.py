#!/usr/bin/env python3
"""Kills trainings, fills disks, takes memory and threads away; the bits at the end stay the same.

usage: tests/faults/run.py [--nnc build/nnc] [--injector build/tests/libfault_injector.so]
                           [--long] [--seed N] [NAME...]

NAME picks among kill, disk, memory and threads. What must hold, whatever happens: nnc ends by
itself with exit code 0, 1 or 2 and words for it, or by the signal that was sent; then the same
command, or --resume where a run has begun, ends with the same weights, checkpoint and lines of
metrics as a training that was never disturbed; and no temporary file stays.
The last line counts what passed and what failed.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"

MODEL = """nnc: 1
name: disturbed
data:
  train: {csv: {file: rows.csv, columns: {x: [a, b, c, d], y: y}}}
  valid: {fraction: 0.2, seed: 4}
  fields: {x: {prepare: [standardize]}}
model:
  inputs: [x]
  layers:
    - dense: {units: 24, activation: tanh}
    - dropout: 0.1
    - dense: {units: 16, activation: tanh}
    - dense: 1
      name: o
  outputs: {p: "o[0]"}
loss: {mean_squared_error: {prediction: o, target: y}}
train: {epochs: EPOCHS, batch: 32, optimizer: {adam: {rate: 0.002}}, schedule: cosine, seed: 5}
"""


def table(rows):
    source = random.Random(1)
    lines = ["a,b,c,d,y"]
    for _ in range(rows):
        x = [source.uniform(-1, 1) for _ in range(4)]
        lines.append(",".join(f"{v:.5f}" for v in x + [x[0] * x[1] + 0.1 * source.gauss(0, 1)]))
    return "\n".join(lines) + "\n"


def tensors_of(path):
    """The tensors of a safetensors file and where its training stood, without the times."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    training = json.loads(metadata.get("training", "{}"))
    for key in ("seconds", "epoch_seconds"):
        training.pop(key, None)
    return header, training, data[8 + length:]


def metrics_of(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def contents_of(run):
    """All that two runs of the same training must have in common."""
    return {"weights": tensors_of(run / "weights.safetensors"),
            "checkpoint": tensors_of(run / "checkpoint/last.safetensors"),
            "metrics": metrics_of(run / "metrics.jsonl"),
            "model": (run / "model.yaml").read_text(),
            "files": sorted(str(path.relative_to(run)) for path in run.rglob("*"))}


class Wrong(Exception):
    pass


class Faults:
    def __init__(self, options, folder):
        self.nnc = str(pathlib.Path(options.nnc).resolve())
        self.injector = str(pathlib.Path(options.injector).resolve())
        self.long = options.long
        self.random = random.Random(options.seed)
        self.folder = folder
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), LC_ALL="C.UTF-8")
        self.passed = self.failed = 0
        (folder / "rows.csv").write_text(table(2000 if self.long else 400))
        (folder / "m.yaml").write_text(MODEL.replace("EPOCHS", "2500" if self.long else "60"))
        self.number = 0

    # Running nnc

    def command(self, run):
        return [self.nnc, "train", "m.yaml", "-o", run, "--quiet", "--threads", "2"]

    def call(self, words, fault=None, kill_after=None, before=None, user=None, stdin=None):
        """(exit code, what it said); negative for a signal, as subprocess has it."""
        environment = dict(self.environment)
        if fault:
            environment.update(fault, LD_PRELOAD=self.injector)
        started = subprocess.Popen(words, cwd=self.folder, env=environment, preexec_fn=before,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors="replace",
                                   **(user or {}))
        try:
            out, said = started.communicate(stdin or "", timeout=kill_after)
        except subprocess.TimeoutExpired:
            started.kill()
            out, said = started.communicate()
        return started.returncode, out + said

    def check_end(self, code, said, sent=None):
        if sent is not None and code == -sent:
            return
        if code < 0:
            raise Wrong(f"ended by signal {signal.Signals(-code).name}\n{said}")
        if code not in (0, 1, 2):
            raise Wrong(f"exit code {code}\n{said}")
        if code != 0 and "error: " not in said:
            raise Wrong(f"exit code {code} without words\n{said}")

    def go_on(self, run):
        """The command that brings the run to its end from where it is."""
        if (self.folder / run / "model.yaml").exists():  # which is written after the manifest
            return [self.nnc, "train", "--resume", run, "--quiet", "--threads", "1"]
        return self.command(run)

    def check_recovers(self, run):
        code, said = self.call(self.go_on(run))
        if code != 0:
            raise Wrong(f"it does not go on: exit code {code}\n{said}")
        found = contents_of(self.folder / run)
        for key, expected in self.reference.items():
            if found[key] != expected:
                shown = f": {found[key]}" if key == "files" else ""
                raise Wrong(f"the {key} are not those of an undisturbed training{shown}")

    def trial(self, name, work):
        self.number += 1
        run = f"run{self.number}"
        try:
            work(run)
            self.passed += 1
        except Wrong as wrong:
            self.failed += 1
            print(f"FAILED  {name}: {wrong}", flush=True)
            return
        shutil.rmtree(self.folder / run, ignore_errors=True)

    def make_reference(self):
        """An undisturbed training; how long it takes and how often it changes a file."""
        self.call(self.command("warm"))  # fills the cache of machine code
        start = time.monotonic()
        count = self.folder / "count"
        code, said = self.call(self.command("whole"), {"FAULT_COUNT": str(count)})
        if code != 0:
            sys.exit(f"the undisturbed training fails: {said}")
        self.seconds = time.monotonic() - start
        self.calls = int(count.read_text())
        if self.calls < 10:
            sys.exit(f"only {self.calls} calls change a file: is {self.injector} loaded?")
        self.reference = contents_of(self.folder / "whole")

    # What is done to it

    def kill(self):
        """kill -9, again and again until the training is through."""
        wanted = 200 if self.long else 12
        kills = 0
        while kills < wanted:
            def work(run):
                nonlocal kills
                # A training that has been killed often enough may end.
                for attempt in range(self.random.randint(1, 8)):
                    if attempt % 2 == 0:
                        after = self.random.uniform(0, self.seconds)
                        code, said = self.call(self.go_on(run), kill_after=after)
                    else:
                        at = self.random.randint(1, self.calls)
                        code, said = self.call(self.go_on(run),
                                               {"FAULT": "KILL", "FAULT_AT": str(at)})
                    self.check_end(code, said, sent=signal.SIGKILL)
                    if code == 0:
                        break
                    kills += 1
                    if (self.folder / run / "model.yaml").exists():
                        self.check_end(*self.call([self.nnc, "eval", run, "--split", "train"]))
                self.check_recovers(run)
            self.trial("kill", work)
        print(f"        killed {kills} times")

    def disk(self):
        """A disk that is full or broken, at one call or from it on."""
        for error in ("ENOSPC", "EIO"):
            for i in range(100 if self.long else 5):
                at = self.random.randint(1, self.calls)
                stays = str(i % 2)
                fault = {"FAULT": error, "FAULT_AT": str(at), "FAULT_STAYS": stays}

                def work(run, fault=fault):
                    code, said = self.call(self.command(run), fault)
                    self.check_end(code, said)
                    self.check_recovers(run)
                self.trial(f"{fault}", work)
            self.output_files(error)

    def output_files(self, error):
        """What emit and predict write is there whole or not at all."""
        for words, name in ((["emit", "whole", "-o"], "net.hpp"),
                            (["predict", "whole", "--in", "rows.csv", "--out"], "out.npz"),
                            (["predict", "whole", "--in", "rows.csv", "--out"], "out.csv"),
                            (["predict", "whole", "--in", "-", "--out"], "piped.csv")):
            rows = (self.folder / "rows.csv").read_text()
            self.call([self.nnc, *words, f"good-{name}"], stdin=rows)
            good = (self.folder / f"good-{name}").read_bytes()
            for at in range(1, 9 if self.long else 5):
                def work(folder, at=at):
                    (self.folder / folder).mkdir()
                    path = self.folder / folder / name
                    code, said = self.call([self.nnc, *words, str(path), "--no-cache"],
                                           {"FAULT": error, "FAULT_AT": str(at)}, stdin=rows)
                    self.check_end(code, said)
                    left = [path.name for path in (self.folder / folder).iterdir()]
                    if left not in ([], [name]):
                        raise Wrong(f"{left} stays")
                    if left and path.read_bytes() != good:
                        raise Wrong("the file is not whole")
                    if code == 0 and not left:
                        raise Wrong("exit code 0, and no file")
                self.trial(f"{words[0]} {name}, {error} at {at}", work)

    def memory(self):
        """Less and less address space, down to what the program itself needs."""
        def limited(kilobytes):
            return lambda: resource.setrlimit(resource.RLIMIT_AS, (kilobytes << 10,) * 2)

        few, many = 1 << 10, 1 << 23
        while many - few > few // 50:
            middle = (few + many) // 2
            try:
                code, _ = self.call([self.nnc, "--version"], before=limited(middle))
            except OSError:
                code = 1
            few, many = (few, middle) if code == 0 else (middle, many)
        sizes = 20 if self.long else 6
        least, most = 1.2 * many, 12 * many
        for i in range(sizes):
            size = int(least * (most / least) ** (i / (sizes - 1)))

            def work(run, size=size):
                self.check_end(*self.call(self.command(run) + ["--no-cache"],
                                          before=limited(size)))
                self.check_recovers(run)
            self.trial(f"ulimit -v {size} ({size / many:.2f} times what --version needs)", work)

    def threads(self):
        """Few processes and threads."""
        user = {}
        if os.geteuid() == 0:  # whom no such limit binds: as nobody
            shutil.copy(self.nnc, self.folder / "nnc")
            os.chmod(self.folder, 0o777)
            user = {"user": 65534, "group": 65534, "extra_groups": []}
        uid = 65534 if os.geteuid() == 0 else os.geteuid()
        for extra in range(1, 11) if self.long else (1, 2, 4):
            used = threads_of(uid)

            def limited(limit=used + extra):
                resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))

            def work(run):
                words = self.command(run) + ["--no-cache"]
                if user:
                    words[0] = str(self.folder / "nnc")
                words[words.index("--threads") + 1] = str(self.random.choice((1, 2, 8, 64)))
                self.check_end(*self.call(words, before=limited, user=user))
                self.check_recovers(run)
            self.trial(f"ulimit -u {extra} more than there are", work)


def threads_of(uid):
    """How many threads a user has now: each counts for the limit."""
    count = 0
    for task in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if task.stat().st_uid == uid:
                count += len(list((task / "task").iterdir()))
        except OSError:
            pass  # has ended
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nnc", default=str(BUILD / "nnc"))
    parser.add_argument("--injector", default=str(BUILD / "tests/libfault_injector.so"))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(1 << 30) if options.long else 1
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="nnc-faults-") as folder:
        faults = Faults(options, pathlib.Path(folder))
        faults.make_reference()
        print(f"        undisturbed: {faults.seconds:.1f} s, {faults.calls} calls that change files")
        for name in ("kill", "disk", "memory", "threads"):
            if options.names and name not in options.names:
                continue
            before = faults.passed
            getattr(faults, name)()
            print(f"ok      {name}: {faults.passed - before} trials", flush=True)
    print(f"{faults.passed} passed, {faults.failed} failed")
    return 0 if faults.failed == 0 and faults.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
