"""What the end-to-end tests share: a scratch folder, the command, small data files."""

import ast
import gzip
import json
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NNC = os.environ.get("NNC", str(ROOT / "build" / "nnc"))


def alone(test):
    """A class or a test that looks at the time something takes: run.py runs nothing beside it."""
    test.alone = True
    return test


class NncTest(unittest.TestCase):
    """A test with a folder of its own, in which `nnc` runs with an object cache of its own."""

    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="nnc-test-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(self.folder / "cache"),
                                LC_ALL="C.UTF-8")

    def path(self, name):
        return self.folder / name

    def write(self, name, content):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return path

    def run_nnc(self, *arguments, expect=0, stdin=None, cwd=None, **more):
        """Runs nnc; fails unless it ends with the code `expect`. Texts come back as str."""
        done = subprocess.run([NNC, *map(str, arguments)], cwd=cwd or self.folder, input=stdin,
                              env=self.environment, capture_output=True, timeout=300, text=True,
                              **more)
        self.assertEqual(done.returncode, expect,
                         f"nnc {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done

    def json_of(self, *arguments, **more):
        return json.loads(self.run_nnc(*arguments, **more).stdout)

    def error_of(self, *arguments, expect=1, **more):
        """What nnc says on standard error, with the scratch folder's name taken out."""
        done = self.run_nnc(*arguments, expect=expect, **more)
        return done.stderr.replace(str(self.folder) + "/", "")

    def small_pictures(self, rows=240, test_rows=60):
        """idx files of 6x6 pictures in three classes: bright at the top, middle or bottom."""
        for split, count, seed in (("train", rows, 1), ("test", test_rows, 2)):
            pictures, labels = make_pictures(count, seed)
            self.write(f"{split}-images.gz", gzip.compress(idx(pictures, (count, 6, 6))))
            self.write(f"{split}-labels.gz", gzip.compress(idx(labels, (count,))))

    def small_model(self, name="tiny.yaml", **changes):
        """A model file for small_pictures; changes replace parts of the text."""
        self.small_pictures()
        text = SMALL_MODEL
        for old, new in changes.get("replace", {}).items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.write(name, text)


SMALL_MODEL = """nnc: 1
data:
  train: {idx: {image: train-images.gz, label: train-labels.gz}}
  test: {idx: {image: test-images.gz, label: test-labels.gz}}
  valid: {fraction: 0.25, stratify: label, seed: 3}
  fields:
    image: {shape: [6, 6, 1], prepare: [{scale: 1/255}]}
    label: {names: [top, middle, bottom]}
model:
  inputs: [image]
  layers:
    - flatten
    - dense: {units: 17, activation: relu}
    - dense: {units: 9, activation: tanh}
    - dense: 3
      name: logits
  outputs: {probability: "softmax(logits)"}
loss: {cross_entropy: {logits: logits, target: label}}
metrics: [accuracy]
train:
  epochs: 4
  batch: 32
  optimizer: {adam: {rate: 0.01}}
  seed: 5
"""


def make_pictures(count, seed):
    """Bytes of `count` 6x6 pictures and of their labels."""
    source = random.Random(seed)
    pictures, labels = bytearray(), bytearray()
    for _ in range(count):
        label = source.randrange(3)
        labels.append(label)
        for row in range(6):
            bright = row // 2 == label
            for _ in range(6):
                pictures.append(source.randrange(120, 256) if bright else source.randrange(0, 140))
    return bytes(pictures), bytes(labels)


def idx(data, shape, kind=8):
    """An idx file (kind 8: unsigned bytes)."""
    header = struct.pack(">BBBB", 0, 0, kind, len(shape))
    return header + b"".join(struct.pack(">I", extent) for extent in shape) + data


def npy(values, shape, kind="<f4"):
    """A .npy file of numbers in a flat list."""
    code = {"f2": "e", "f4": "f", "f8": "d", "u1": "B", "i2": "h", "i4": "i", "i8": "q"}[kind[1:]]
    order = ">" if kind[0] == ">" else "<"
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
            struct.pack("%s%d%s" % (order, len(values), code), *values))


def read_npy(data):
    """(shape, flat list) of the bytes of a .npy file."""
    assert data[:6] == b"\x93NUMPY", data[:6]
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    code, size = {"<f4": ("f", 4), "<f8": ("d", 8), "<i4": ("i", 4),
                  "|u1": ("B", 1)}[header["descr"]]
    body = data[10 + length:]
    return header["shape"], list(struct.unpack("<%d%s" % (len(body) // size, code), body))


def read_safetensors(path):
    """{name: (dtype, shape, bytes)}, and the metadata."""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length:]
    return {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
            for name, entry in header.items()}, metadata
