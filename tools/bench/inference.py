"""Inference on one thread: the emitted header, compiled for this processor and for any, and the JIT
against ONNX Runtime. All must give the same answers."""

import hashlib
import os
import subprocess

import numpy

import workloads
from contenders import HERE, KEPT, Failed, Nnc, Peer, Process
from results import keep, ratio, rounds_of, summary

ROWS = (1, 128)
FLAGS = {"header": ["-O3", "-march=native"], "header-portable": ["-O2"]}
NAMES = ("header", "header-portable", "jit", "onnxruntime")


class Jit:
    """nnc's own predictions, in the process that compiled them."""
    name = "jit"

    def __init__(self, nnc):
        self.nnc = nnc

    def measure(self, what, seconds):
        return self.nnc.measure(what, seconds)

    def close(self):
        pass


def compile_driver(nnc, name):
    """The header's driver; compiled anew only if the header or the driver changed."""
    folder = nnc.folder
    header = folder / "emitted.hpp"
    nnc.run("emit", folder / "initial", "-o", header)
    driver = HERE / "header_driver.cpp"
    source = header.read_bytes() + driver.read_bytes() + " ".join(FLAGS[name]).encode()
    program = folder / f"{name}.{hashlib.sha256(source).hexdigest()[:12]}"
    if not program.exists():
        for old in folder.glob(f"{name}.????????????"):
            old.unlink()
        subprocess.run([os.environ.get("CXX", "g++"), "-std=c++17", *FLAGS[name],
                        f'-DNNC_HEADER="{header}"',
                        f"-DNNC_MODEL={nnc.workload.name.replace('-', '_')}",
                        f"-DNNC_OUTPUTS={nnc.workload.outputs}", driver, "-o", program],
                       check=True)
    return program


def start_header(nnc, name):
    rows = nnc.folder / f"{name}.rows"
    numpy.load(nnc.folder / "one.npz")["x"].astype(numpy.float32).tofile(rows)
    return Process(name, [compile_driver(nnc, name), nnc.workload.batch, rows],
                   nnc.folder / f"{name}.log", 1)


def start(nnc, name):
    if name == "jit":
        return Jit(nnc)
    if name in FLAGS:
        return start_header(nnc, name)
    peer = Peer(name, 1)
    peer.start(nnc.workload, nnc.folder)
    return peer


def check_answers(everyone):
    """All predict the same from the same weights, up to the rounding of sums in another order."""
    answers = {one.name: numpy.array(one.order(answer=1)["answer"]).ravel()
               for one in everyone if not isinstance(one, Jit)}
    first, *others = answers
    for name in others:
        error = numpy.abs(answers[name] - answers[first]).max()
        if not error <= 1e-4 * max(1, numpy.abs(answers[first]).max()):
            raise Failed(f"{name} answers otherwise than {first}: by {error:.3g}")


def measure(workload, names, options):
    folder = KEPT / "work" / f"{workload.name}-{workload.batch}"
    nnc = Nnc(workload, folder, 1)
    everyone = [start(nnc, name) for name in names]
    check_answers(everyone)
    times, probes = rounds_of(everyone, options.rounds,
                              lambda one: one.measure("infer", options.seconds))
    for one in everyone:
        one.close()
    return {"workload": workload.name, "rows": workload.batch, "threads": 1, "times": times,
            "probes": probes}


def run(options):
    names = [*NAMES[:3], *(NAMES[3:] if options.peers is None else options.peers)]
    for name in options.only or workloads.INFERENCE:
        for rows in options.batch or ROWS:
            result = measure(workloads.find(name).at(rows), names, options)
            show(keep("inference", f"{name}/{rows}", result, options))


def show(result):
    times = result["times"]
    print(f"\n{result['workload']}, {result['rows']} row(s), one thread; microseconds, "
          f"{len(times['header'])} rounds, load {result['load']}")
    print(f"  {'':16}{'min':>10}{'median':>10}{'spread':>9}   ONNX Runtime against it")
    for name, rounds in times.items():
        least, median, width = summary(rounds)
        against = str(ratio(times, name, "onnxruntime")) \
            if "onnxruntime" in times and name != "onnxruntime" else ""
        print(f"  {name:16}{least:10.3f}{median:10.3f}{width:9.0%}   {against}", flush=True)
