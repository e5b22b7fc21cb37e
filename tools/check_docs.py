#!/usr/bin/env python3
"""Checks the documentation against the tree.

usage: tools/check_docs.py [ROOT]

Every folder has a README.md (families of ops, test programs and golden files are covered by the one
above), links to files lead somewhere, code below a line `<!-- from FILE -->` is in FILE to the
letter, and the README of the passes names every pass.
Prints one line per problem and ends with status 1 if there is any.
"""

import pathlib
import re
import sys

TOPS = ("cmake", "compiler", "docs", "models", "runtime", "tests", "tools")
# Below these, one README above speaks for all folders.
COVERED = ("compiler/ops/", "tests/ir/", "tests/unit/")
PIPELINE = "compiler/passes/pipeline.cpp"

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
QUOTE = re.compile(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)


def folders(root):
    yield root
    for top in TOPS:
        for path in (root / top, *sorted((root / top).rglob("*"))):
            if path.is_dir() and "__pycache__" not in path.parts:
                yield path


def check(root):
    pages = []
    for folder in folders(root):
        name = folder.relative_to(root).as_posix()
        pages += sorted(folder.glob("*.md"))
        if not (folder / "README.md").is_file() and not name.startswith(COVERED):
            yield f"{name}: no README.md"
    for page in pages:
        name, text = page.relative_to(root).as_posix(), page.read_text()
        for target in LINK.findall(FENCED.sub("", text)):
            if "://" not in target and not (page.parent / target).exists():
                yield f"{name}: link to {target}, which is not there"
        for source, code in QUOTE.findall(text):
            if not (root / source).is_file():
                yield f"{name}: quotes {source}, which is not there"
            elif code not in (root / source).read_text():
                yield f"{name}: quotes {source}, but it has not: {code.splitlines()[0].strip()}"
    explained = (root / "compiler/passes/README.md").read_text()
    for name in re.findall(r'^ +{"([\w-]+)", "', (root / PIPELINE).read_text(), re.MULTILINE):
        if f"`{name}`" not in explained:
            yield f"compiler/passes/README.md: nothing about the pass {name}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    problems = list(check(root))
    print("\n".join(problems) or "docs: folders, links and quoted code are as they should be")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
