"""Compares two builds of nnc by interleaved runs; ends with status 1 if the new one is slower.

usage: tools/bench/compare.py OLD_NNC NEW_NNC [WORKLOAD …] [--judge steps|compiling|both]
                              [--steps 0.02] [--compiling 0.03] [--rounds 10] [--seconds 0.2]
                              [--batch N] [--threads N]

A workload is a network of workloads.py (none: all) or a model file. Ratios are new / old, over
pairs of rounds: above 1 the new build is slower. It counts if the median is above 1 + the limit of
its kind and the whole 95 % interval above 1; a workload where something does is measured again, and
counts only if that says the same. Running (steps and inference) and compiling are judged apart,
each by its limit; all is shown, and what --judge names decides about the status.
"""

import argparse
import json
import pathlib
import sys

import workloads
from contenders import KEPT, Failed, cores, run_nnc
from stats import is_slower, paired_ratio

WHAT = {"step": lambda result: (result["train_step_us"] or {}).get("min"),
        "inference": lambda result: result["infer_us"]["min"],
        "compile, cold": lambda result: result["compile_ms"]["cold"],
        "compile, warm": lambda result: result["compile_ms"]["warm"]}


def kind(what):
    return "compiling" if what.startswith("compile") else "steps"


def model_file(name):
    if name.endswith((".yaml", ".yml")):
        return pathlib.Path(name)
    workload = workloads.find(name)
    folder = KEPT / "work" / f"{name}-{workload.batch}"
    workload.write(folder)
    return folder / "model.yaml"


def bench(command, model, options):
    arguments = ["bench", model, "--threads", options.threads, "--seconds", options.seconds,
                 "--json"]
    if options.batch:
        arguments += ["--batch", options.batch]
    return json.loads(run_nnc(*arguments, threads=options.threads, command=command))


def measure(model, options):
    """{what: ([old], [new])}, the two builds in turns; who begins changes from round to round."""
    results = {"old": [], "new": []}
    commands = {"old": options.old, "new": options.new}
    for i in range(options.rounds):
        for who in ("old", "new") if i % 2 == 0 else ("new", "old"):
            results[who].append(bench(commands[who], model, options))
    times = {what: tuple([value(result) for result in results[who]] for who in ("old", "new"))
             for what, value in WHAT.items()}
    return {what: pair for what, pair in times.items() if None not in (*pair[0], *pair[1])}


def slower_things(name, options):
    """Measures, prints a line for each thing measured; the set of those that are slower."""
    slower = set()
    for what, (old, new) in measure(model_file(name), options).items():
        ratio = paired_ratio(old, new)
        bad = is_slower(ratio, options.limits[kind(what)])
        if bad:
            slower.add(what)
        print(f"  {name:32} {what:15}{min(old):11.2f}{min(new):11.2f}   {ratio}"
              f"{'   slower' if bad else ''}", flush=True)
    return slower


def compare(name, options):
    """The things that are slower, twice in a row."""
    slower = slower_things(name, options)
    if slower:
        print("  once more:")
        slower &= slower_things(name, options)
    return slower


def verdict(slower, options):
    """Prints a line for each kind; whether one that is judged has become slower."""
    failed = False
    for name, limit in options.limits.items():
        count = sum(kind(what) == name for what in slower)
        judged = options.judge in (name, "both")
        failed |= judged and count > 0
        print(f"{name}: {count} slower by more than {limit:.0%}"
              f"{'' if judged else ' (not judged)'}")
    return failed


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("workload", nargs="*")
    parser.add_argument("--judge", choices=("steps", "compiling", "both"), default="both")
    parser.add_argument("--steps", type=float, default=0.02)
    parser.add_argument("--compiling", type=float, default=0.03)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=min(2, len(cores())))
    options = parser.parse_args(arguments)
    options.limits = {"steps": options.steps, "compiling": options.compiling}
    return options


def main(arguments):
    options = parse(arguments)
    print(f"  {'':32} {'':15}{'old min':>11}{'new min':>11}   new / old, {options.rounds} rounds "
          f"(steps and inference in microseconds, compilation in milliseconds)")
    try:
        slower = [what for name in options.workload or workloads.NAMES
                  for what in compare(name, options)]
    except (Failed, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
    return 1 if verdict(slower, options) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
