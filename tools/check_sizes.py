#!/usr/bin/env python3
"""Checks that files and functions stay small, and that nothing unfinished is left in them.

usage: tools/check_sizes.py [ROOT]

Files: none over 500 lines, median at most 150, lines at most 100 columns (texts
aside). C++ functions: at most 60 lines from the opening line to the closing brace.
"""

import pathlib
import re
import statistics
import sys

LONGEST_FILE = 500
LARGEST_MEDIAN = 150
LONGEST_FUNCTION = 60
WIDEST_LINE = 100

CODE = (".h", ".cpp", ".py", ".sh")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|not " r"implemented")
# A function's opening line at the outer level or inside a namespace or class.
NOT_A_FUNCTION = re.compile(r"^\s*(namespace|class|struct|union|enum|extern|using|typedef)\b")


def files(root):
    for top in ("compiler", "runtime", "tools", "tests", "cmake"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in CODE and "__pycache__" not in path.parts:
                yield path


def long_functions(lines):
    """(first line, lines) of the C++ functions that are too long. Relies on the format check:
    a function ends at the first closing brace with the indentation of its first line."""
    start, indent = None, 0
    for number, line in enumerate(lines, 1):
        width = len(line) - len(line.lstrip())
        if start is None:
            opens = line.rstrip().endswith("{") and ("(" in line or ")" in line)
            if opens and width <= 2 and not NOT_A_FUNCTION.match(line) and " = {" not in line:
                start, indent = number, width
        elif line.startswith(" " * indent + "}") and width == indent:
            if number - start + 1 > LONGEST_FUNCTION:
                yield start, number - start + 1
            start = None


def check(root):
    problems, lengths = [], []
    for path in files(root):
        name = path.relative_to(root).as_posix()
        lines = path.read_text().splitlines()
        lengths.append(len(lines))
        if len(lines) > LONGEST_FILE:
            problems.append(f"{name}: {len(lines)} lines, {LONGEST_FILE} are allowed")
        for number, line in enumerate(lines, 1):
            if len(line) > WIDEST_LINE and '"' not in line:  # a text may need its own line
                problems.append(f"{name}:{number}: {len(line)} columns, {WIDEST_LINE} are allowed")
            if UNFINISHED.search(line):
                problems.append(f"{name}:{number}: something unfinished: {line.strip()}")
        if path.suffix in (".h", ".cpp"):
            for number, length in long_functions(lines):
                problems.append(f"{name}:{number}: a function of {length} lines, "
                                f"{LONGEST_FUNCTION} are allowed")
    if lengths and statistics.median(lengths) > LARGEST_MEDIAN:
        problems.append(f"the median file has {statistics.median(lengths)} lines, "
                        f"{LARGEST_MEDIAN} are allowed")
    return problems, lengths


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    if root.is_file():
        root = root.parent.parent
    problems, lengths = check(root)
    for problem in problems:
        print(problem)
    if not problems:
        print(f"sizes: {len(lengths)} files, median {statistics.median(lengths):.0f} lines, "
              f"longest {max(lengths)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
