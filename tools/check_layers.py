#!/usr/bin/env python3
"""Checks who includes whom: the folders' rules, no cycles, LLVM only where it belongs.

usage: tools/check_layers.py [ROOT]

Prints one line per broken rule (file:line: what is wrong) and ends with status 1 if there is any.
"""

import pathlib
import re
import sys

# What files of a folder may include of the project, besides their own folder.
ALLOWED = {
    "compiler/support": [],
    "compiler/ir": ["compiler/support", "compiler/kernel"],
    "compiler/kernel": ["compiler/support", "compiler/ir"],
    "compiler/ops": ["compiler/support", "compiler/ir", "compiler/kernel"],
    "compiler/layers": ["compiler/support", "compiler/ir", "compiler/ops"],
    "compiler/language": ["compiler/support", "compiler/ir", "compiler/ops", "compiler/layers"],
    "compiler/assemble": ["compiler/support", "compiler/ir", "compiler/ops", "compiler/layers",
                          "compiler/language", "compiler/autodiff"],
    "compiler/autodiff": ["compiler/support", "compiler/ir"],
    "compiler/passes": ["compiler/support", "compiler/ir", "compiler/kernel"],
    "compiler/codegen": ["compiler/support", "compiler/kernel"],
    "compiler/jit": ["compiler/support", "compiler/kernel", "compiler/codegen"],
    # the stage driver: files directly in compiler/
    "compiler": ["compiler/" + folder for folder in (
        "support", "ir", "kernel", "ops", "layers", "language", "assemble", "autodiff", "passes",
        "codegen", "jit")],
    "runtime": [],
    "tools/workbench": ["compiler", "runtime"],
    "tools/nnc": ["compiler", "runtime", "tools/workbench"],
    "tests": ["compiler", "runtime", "tests"],
}
# The runtime headers that the compiler may know.
ABI = ("runtime/abi.h", "runtime/shape.h")
# Only these may see LLVM.
LLVM_FILES = re.compile(r"compiler/(jit/|codegen/llvm_)|tests/unit/(jit|codegen)/")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def folder_of(path):
    """The rule that a project path falls under: compiler/ir/op.h -> compiler/ir."""
    parts = path.split("/")
    if parts[0] in ("compiler", "tools") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def sources(root):
    for top in ("compiler", "runtime", "tools", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                yield path.relative_to(root).as_posix()


def includes(root, path):
    """(line, whether in quotes, what is included); tests may name a file next to them."""
    for number, line in enumerate((root / path).read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found or found.group(2).endswith(".hpp"):  # emitted headers, in texts of tests
            continue
        included = found.group(2)
        neighbour = (root / path).parent / included
        if path.startswith("tests/") and neighbour.is_file():
            included = neighbour.resolve().relative_to(root).as_posix()
        yield number, found.group(1) == '"', included


def is_allowed(path, included):
    mine, other = folder_of(path), folder_of(included)
    if mine == other:
        return True
    if mine not in ALLOWED:
        return False
    if included in ABI and mine.startswith("compiler"):
        return True
    return any(other == entry or other.startswith(entry + "/") for entry in ALLOWED[mine])


def find_cycle(graph):
    """A list of files that include each other in a circle, or None."""
    state, stack = {}, []

    def visit(node):
        state[node] = "open"
        stack.append(node)
        for target in graph.get(node, []):
            if state.get(target) == "open":
                return stack[stack.index(target):] + [target]
            if target not in state:
                found = visit(target)
                if found:
                    return found
        state[node] = "done"
        stack.pop()
        return None

    for start in graph:
        if start not in state:
            found = visit(start)
            if found:
                return found
    return None


def check(root):
    problems, graph = [], {}
    for path in sources(root):
        for number, ours, included in includes(root, path):
            where = f"{path}:{number}"
            if not ours:
                if included.startswith(("llvm/", "llvm-c/")) and not LLVM_FILES.match(path):
                    problems.append(f"{where}: LLVM's headers belong in codegen's LLVM printer "
                                    f"and in jit, not here ({included})")
                continue
            if not (root / included).is_file():
                problems.append(f"{where}: there is no {included} (includes are written from the "
                                "root of the repository)")
                continue
            graph.setdefault(path, []).append(included)
            if not is_allowed(path, included):
                problems.append(f"{where}: {folder_of(path)} may not include {included}")
    cycle = find_cycle(graph)
    if cycle:
        problems.append("files include each other in a circle: " + " -> ".join(cycle))
    return problems


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    if root.is_file():
        root = root.parent.parent
    problems = check(root)
    for problem in problems:
        print(problem)
    if not problems:
        print("layers: every include keeps the rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
