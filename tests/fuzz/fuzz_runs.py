#!/usr/bin/env python3
"""Mutated run folders must never crash the commands that open them.

usage: tests/fuzz/fuzz_runs.py [--nnc build/nnc] [--rounds N] [--seed S] [--only I] [--keep FOLDER]
                             [--patience SECONDS]

A run is trained once; in each round one to three of its files are changed (bytes, numbers at their
extremes, pieces of JSON, the end cut off, another file's contents, a folder or nothing in its
place), and one command reads it. Right is an exit status of 0, 1 or 2 within 5 seconds, with words
where it is not 0, and with nothing of a sanitizer in them. Every round depends on the seed and its
number alone.
"""

import argparse
import json
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

MODEL = """nnc: 1
name: fuzzed
data:
  train: {generate: {rows: 60, seed: 3, x: "uniform(-1, 1, [4])", y: "x[0]*x[1]", c: "if(x[2] > 0, 1, 0)"}}
  valid: {fraction: 0.2, stratify: c}
  fields: {x: {prepare: [standardize]}, c: {classes: 2}}
model:
  inputs: [x]
  layers:
    - dense: {units: 5, activation: tanh}
    - batch_norm
    - dropout: 0.1
      name: h
    - dense: 2
      name: o
    - dense: 1
      name: q
      from: h
  outputs: {p: "softmax(o)", r: "q[0]"}
loss:
  terms:
    a: {cross_entropy: {logits: o, target: c}}
    b: {mean_squared_error: {prediction: q, target: y}}
metrics: [{accuracy: {prediction: o, target: c}}]
train: {epochs: 3, batch: 16, optimizer: adam, schedule: cosine, seed: 5}
"""

FILES = ("manifest.json", "manifest.json", "model.yaml", "weights.safetensors",
         "checkpoint/last.safetensors", "checkpoint/last.safetensors", "metrics.jsonl")
NUMBERS = (0, -1, 1, 2, 127, 128, 255, 256, 2**31 - 1, 2**31, 2**32, 2**40, 2**53, 2**62, 2**63,
           -2**31, -2**63, 2**64, 1e308, -1e-320)
VALUES = NUMBERS + (None, True, "", "x", "NaN", [], {}, [[]], {"": 0}, "\u001b[31m", "a" * 3000)


def change_json(value, source):
    """The value with one place changed."""
    if isinstance(value, (dict, list)) and value and source.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = source.choice(list(keys))
        if source.random() < 0.15:
            del value[key]
        else:
            value[key] = change_json(value[key], source)
        return value
    if isinstance(value, str) and value[:1] == "{" and source.random() < 0.8:  # JSON inside JSON
        try:
            return json.dumps(change_json(json.loads(value), source))
        except ValueError:
            pass
    return source.choice(VALUES)


def change_bytes(data, source):
    data = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1) if source.random() < 0.5 else source.randrange(
            min(len(data), 400) + 1)
        what = source.randrange(6)
        if what == 0 and at < len(data):
            data[at] ^= 1 << source.randrange(8)
        elif what == 1:
            width = source.choice((1, 2, 4, 8))
            data[at:at + width] = (int(source.choice(NUMBERS[:17])) % 2**(8 * width)).to_bytes(
                width, "little")
        elif what == 2:
            del data[at:at + source.randint(1, 40)]
        elif what == 3:
            data[at:at] = data[:source.randint(1, 60)]
        elif what == 4:
            found = [m.span() for m in re.finditer(rb"-?\d+", bytes(data[:4000]))]
            if found:
                begin, end = source.choice(found)
                data[begin:end] = str(source.choice(NUMBERS)).encode()
        else:
            del data[at:]
    return bytes(data)


def change_safetensors(data, source):
    """Its JSON header, with the length made right again."""
    length = int.from_bytes(data[:8], "little")
    header = change_json(json.loads(data[8:8 + length]), source)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length:]


def change_header(suffix, data, source):
    try:
        if suffix == ".safetensors":
            return change_safetensors(data, source)
        return json.dumps(change_json(json.loads(data), source)).encode()
    except ValueError:  # changed before
        return change_bytes(data, source)


def change_file(path, run, source):
    kind = source.random()
    if kind < 0.03:
        path.unlink()
        if source.random() < 0.5:
            path.mkdir()
        return
    data = path.read_bytes()
    if kind < 0.06:
        data = run.joinpath(source.choice(FILES)).read_bytes()
    elif kind < 0.6 and path.suffix in (".json", ".safetensors"):
        data = change_header(path.suffix, data, source)
    else:
        data = change_bytes(data, source)
    path.write_bytes(data)


def commands(nnc, folder, rows):
    return ([nnc, "eval", folder, "--split", "valid", "--json"],
            [nnc, "predict", folder, "--in", rows, "--out", "-"],
            [nnc, "emit", folder, "-o", f"{folder}/out.hpp"],
            [nnc, "train", "--resume", folder, "--epochs", "4", "--quiet"])


def problem_with(command, patience, environment):
    """Empty, or what is wrong with how the command ended."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    start = time.monotonic()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=60,
                              preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return "it did not end within 60 s"
    said = done.stderr.decode(errors="replace")
    if done.returncode not in (0, 1, 2):
        return f"exit status {done.returncode}\n{said[-3000:]}"
    if done.returncode != 0 and not said.strip():
        return "it failed without a word"
    for word in ("Sanitizer", "runtime error:", "json.exception", "mistake in nnc"):
        if word in said:
            return f"it says {word!r}\n{said[-3000:]}"
    if any(ord(c) < 32 and c not in "\n\t" for c in said):
        return f"control characters in {said!r}"
    if time.monotonic() - start > patience:
        return f"it took {time.monotonic() - start:.1f} s"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nnc", default="build/nnc")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", help="leave the folder of the last round here")
    parser.add_argument("--patience", type=float, default=5)
    flags = parser.parse_args()
    nnc = os.path.abspath(flags.nnc)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="nnc-fuzz-") as scratch:
        scratch = pathlib.Path(scratch)
        environment = dict(os.environ, XDG_CACHE_HOME=str(scratch / "cache"),
                           ASAN_OPTIONS="allocator_may_return_null=0:max_allocation_size_mb=2000:"
                                        "detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1")
        (scratch / "fuzzed.yaml").write_text(MODEL)
        (scratch / "rows.csv").write_text("0.1,0.2,0.3,0.4\n" * 5)
        subprocess.run([nnc, "train", str(scratch / "fuzzed.yaml"), "-o", str(scratch / "run"),
                        "--quiet"], check=True, env=environment)
        numbers = [flags.only] if flags.only is not None else range(flags.rounds)
        for number in numbers:
            source = random.Random(f"{flags.seed}:{number}")
            run = scratch / "changed"
            shutil.rmtree(run, ignore_errors=True)
            shutil.copytree(scratch / "run", run)
            for name in source.sample(FILES, source.choice((1, 1, 2, 3))):
                if (run / name).is_file():
                    change_file(run / name, scratch / "run", source)
            command = source.choice(commands(nnc, str(run), str(scratch / "rows.csv")))
            problem = problem_with(command, flags.patience, environment)
            if problem:
                failed += 1
                print(f"round {number} with seed {flags.seed}: {' '.join(command[1:3])}: {problem}",
                      flush=True)
        if flags.keep and (scratch / "changed").exists():
            shutil.copytree(scratch / "changed", flags.keep, dirs_exist_ok=True)
    print(f"{len(numbers) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
