#!/usr/bin/env python3
"""Runs the end-to-end tests: the command `nnc` as a user would call it.

usage: tests/e2e/run.py [--nnc build/nnc] [NAME...]

NAME picks tests whose id contains it (test_predict, resume ...). The last line counts what passed
and what failed; the exit status is 0 only if nothing failed.
"""

import argparse
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nnc", default=str(HERE.parent.parent / "build" / "nnc"))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    os.environ["NNC"] = str(pathlib.Path(options.nnc).resolve())
    sys.path.insert(0, str(HERE))
    tests = list(flatten(unittest.defaultTestLoader.discover(str(HERE), "test_*.py")))
    if options.names:
        tests = [t for t in tests if any(name in t.id() for name in options.names)]
    with open(os.devnull, "w") as silent:
        runner = unittest.TextTestRunner(stream=silent, resultclass=Report)
        result = runner.run(unittest.TestSuite(tests))
    for test, text in result.failures + result.errors:
        print(f"\n== {test.id()}\n{text}")
    failed = len({id(t) for t, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if failed == 0 and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
