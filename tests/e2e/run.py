#!/usr/bin/env python3
"""Runs the end-to-end tests: the command `nnc` as a user would call it.

usage: tests/e2e/run.py [--nnc build/nnc] [--jobs N] [NAME...]

NAME picks tests whose id contains it (test_predict, resume ...). They run side by side, one for
each core but four at most, except those that are marked `alone` (support.py). The last line counts
what passed and what failed; the exit status is 0 only if nothing failed.
"""

import argparse
import concurrent.futures
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


class Report(unittest.TextTestResult):
    """One line for each test, with the time it took."""

    def startTest(self, test):
        self.started = time.time()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        bad = {id(t) for t, _ in self.failures + self.errors}
        word = "FAILED" if id(test) in bad else "ok    "
        print(f"{word}  {test.id()} ({time.time() - self.started:.1f} s)", flush=True)


def load(names):
    """The tests that `names` pick, in groups that run on their own."""
    groups = {}
    for test in flatten(unittest.defaultTestLoader.discover(str(HERE), "test_*.py")):
        if names and not any(name in test.id() for name in names):
            continue
        kind = type(test)
        shared = kind.setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__
        groups.setdefault(kind if shared else test.id(), []).append(test)
    return list(groups.values())


def is_alone(test):
    method = getattr(test, test._testMethodName)
    return getattr(test, "alone", False) or getattr(method, "alone", False)


def run_group(number, names):
    """How many tests there were, and what those say that failed."""
    with open(os.devnull, "w") as silent:
        runner = unittest.TextTestRunner(stream=silent, resultclass=Report)
        result = runner.run(unittest.TestSuite(load(names)[number]))
    failed = {}
    for test, text in result.failures + result.errors:
        failed[test.id()] = failed.get(test.id(), "") + text
    return result.testsRun, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nnc", default=str(HERE.parent.parent / "build" / "nnc"))
    # Each trains on all cores: more jobs than these would only wait for each other.
    parser.add_argument("--jobs", type=int, default=min(4, len(os.sched_getaffinity(0))))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.environ["NNC"] = str(pathlib.Path(options.nnc).resolve())
    sys.path.insert(0, str(HERE))
    groups = load(options.names)
    alone = [i for i, group in enumerate(groups) if any(map(is_alone, group))]
    with concurrent.futures.ProcessPoolExecutor(max(options.jobs, 1)) as pool:
        together = [pool.submit(run_group, i, options.names)
                    for i in range(len(groups)) if i not in alone]
        results = [one.result() for one in together]
    results += [run_group(i, options.names) for i in alone]
    ran = sum(tests for tests, _ in results)
    failed = {name: text for _, texts in results for name, text in texts.items()}
    for name, text in failed.items():
        print(f"\n== {name}\n{text}")
    print(f"{ran - len(failed)} passed, {len(failed)} failed")
    return 0 if not failed and ran > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
