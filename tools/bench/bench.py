"""nnc against its peers, interleaved in one run; see README.md for the rules.

Tables (none: a glance at the steps of three networks, each at its own batch):
  steps      training steps of all networks at all batches, on one thread and on all
  inference  the emitted header and the JIT against ONNX Runtime, one row and 128
  scaling    nnc's step over batches of 1 to 8192 rows and over threads
  compile    until the first step can run; start of the process
  job        training Fashion-MNIST from start to exit, against Keras
  kernels    the share of the peak of each kernel of the convolutions
  profile    where the time of a step goes
  all        all of these
  page       docs/benchmarks.md from the newest results
"""

import argparse
import signal
import sys

import compile_times
import inference
import job
import kernels
import page
import scaling
import steps
from contenders import Failed, cores

TABLES = {"steps": steps.run, "inference": inference.run, "scaling": scaling.run,
          "compile": compile_times.run, "job": job.run, "kernels": kernels.run,
          "profile": page.run_profile}
# Rounds and seconds of each measurement: in full, and quick.
ROUNDS = {"steps": ((10, 0.3), (3, 0.15)), "inference": ((10, 0.2), (3, 0.1)),
          "scaling": ((10, 0.2), (3, 0.05)), "compile": ((10, 0.05), (3, 0.05)),
          "job": ((5, 0), (3, 0)),
          "kernels": ((1, 2), (1, 0.5)), "profile": ((1, 2), (1, 0.5))}


def parse():
    parser = argparse.ArgumentParser(prog="tools/bench/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="*", metavar="TABLE",
                        choices=[[], *TABLES, "all", "page"])
    parser.add_argument("--only", action="append", metavar="NAME", help="a network")
    parser.add_argument("--batch", action="append", type=int, help="rows of a batch")
    parser.add_argument("--threads", action="append", type=int,
                        help="threads (default: one, and as many as there are cores)")
    parser.add_argument("--peers", help="instead of a table's own, such as jax,torch; '' for none; "
                             "such results are shown and not kept",
                        type=lambda text: [name for name in text.split(",") if name])
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--page", action="store_true", help="then write docs/benchmarks.md")
    return parser.parse_args()


def main(options):
    options.glance = not options.table and not options.page
    most = min(2, len(cores()))
    if not options.threads:
        options.threads = [most] if options.glance else sorted({1, most})
    tables = ["steps"] if options.glance else options.table
    if "all" in tables:
        tables = [*TABLES, *(table for table in tables if table == "page")]
    chosen = options.rounds, options.seconds
    for table in tables:
        if table == "page":
            options.page = True
            continue
        usual = ROUNDS[table][1 if options.quick else 0]
        options.rounds, options.seconds = (a or b for a, b in zip(chosen, usual))
        TABLES[table](options)
    if options.page:
        page.write()


if __name__ == "__main__":
    # An exception, so that what is running now ends too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(parse())
    except Failed as problem:
        sys.exit(f"bench: {problem}")
