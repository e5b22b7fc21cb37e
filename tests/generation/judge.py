#!/usr/bin/env python3
"""How many classes a generator makes: its pictures, judged by a trained classifier.

usage: tests/generation/judge.py --nnc build/nnc GENERATOR_RUN CLASSIFIER_RUN [-n 2000] [--seed 0]

Prints the share of each class and the mean confidence, and ends with status 1 unless eight classes
or more have 2 % of the pictures each. Needs nothing but Python: pictures go from one run to the
other as idx bytes.
"""

import argparse
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support import read_npy  # noqa: E402


def as_bytes(numbers):
    """From 0 to 1, or from -1 to 1, as bytes."""
    low = -1.0 if min(numbers) < -0.01 else 0.0
    return bytes(max(0, min(255, round(255 * (x - low) / (1 - low)))) for x in numbers)


def shares(nnc, generator, classifier, rows, seed, side=28):
    """({class: share}, mean confidence) of `rows` pictures."""
    with tempfile.TemporaryDirectory() as folder:
        made, pictures, judged = (f"{folder}/{name}" for name in ("made.npz", "x-idx", "p.npz"))
        subprocess.run([nnc, "generate", generator, "-n", str(rows), "--seed", str(seed), "--out",
                        made], check=True, capture_output=True)
        with zipfile.ZipFile(made) as arrays:
            numbers = read_npy(arrays.read(arrays.namelist()[0]))[1]
        head = struct.pack(">IIII", 0x00000803, rows, side, side)
        pathlib.Path(pictures).write_bytes(head + as_bytes(numbers))
        subprocess.run([nnc, "predict", classifier, "--in", pictures, "--out", judged], check=True,
                       capture_output=True)
        with zipfile.ZipFile(judged) as arrays:
            probability = read_npy(arrays.read("probability.npy"))[1]
    classes = len(probability) // rows
    counts, confidence = [0] * classes, 0.0
    for row in range(rows):
        scores = probability[row * classes:(row + 1) * classes]
        best = max(range(classes), key=scores.__getitem__)
        counts[best] += 1
        confidence += scores[best]
    return [count / rows for count in counts], confidence / rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("generator")
    parser.add_argument("classifier")
    parser.add_argument("--nnc", default="build/nnc")
    parser.add_argument("-n", "--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    found, confidence = shares(flags.nnc, flags.generator, flags.classifier, flags.rows, flags.seed)
    many = sum(share >= 0.02 for share in found)
    print("  ".join(f"{number}: {100 * share:.1f} %" for number, share in enumerate(found)))
    print(f"{many} classes have 2 % or more; mean confidence {confidence:.3f}")
    return 0 if many >= 8 else 1


if __name__ == "__main__":
    sys.exit(main())
