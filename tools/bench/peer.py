"""What the peers' processes share. A peer is started once and then told, line by line on standard
input, which network to build and what to measure; between orders it sleeps. Each answer is one line
of JSON."""

import time

STARTED = time.perf_counter()

import argparse
import json
import os
import struct
import sys

import numpy

import workloads


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--variant", default="")
    return parser.parse_args()


def batches(folder, workload, count=8):
    """(x, y) of `count` batches as the network takes them: floats, already scaled."""
    data = numpy.load(os.path.join(folder, "batches.npz"))
    scale = numpy.float32(1 / 255 if workload.stored == "uint8" else 1)
    x = data["x"].astype(numpy.float32) * scale
    if workload.target == "x":
        y = x
    elif workload.loss == "cross_entropy":
        y = data["y"].astype(numpy.int64)
    else:
        y = data["y"].astype(numpy.float32)
    n = workload.batch
    return [(x[i * n:(i + 1) * n], y[i * n:(i + 1) * n]) for i in range(count)]


def initial_weights(folder, workload):
    """{layer: {kernel: …, bias: …}} as nnc initialised them: dense kernels [inputs, units],
    convolutions [rows, columns, channels, filters], batch_norm's gamma, beta, mean, variance."""
    data = open(os.path.join(folder, "initial", "weights.safetensors"), "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    found = {}
    for place in workload.places():
        for name, entry in header.items():
            layer, _, part = name.rpartition(".")
            if layer == place.name:
                assert entry["dtype"] == "F32", entry
                flat = numpy.frombuffer(body[slice(*entry["data_offsets"])], dtype=numpy.float32)
                found.setdefault(layer, {})[part] = flat.reshape(entry["shape"]).copy()
    return found


def channels_first(rows):
    """[rows, height, width, channels] as [rows, channels, height, width]; others as they are."""
    return numpy.ascontiguousarray(rows.transpose(0, 3, 1, 2)) if rows.ndim == 4 else rows


def flattened_channels_first(place, kernel):
    """The kernel of a dense layer whose inputs were flattened with their channels first."""
    if not place.picture:
        return kernel
    picture = kernel.reshape(*place.picture, -1).transpose(2, 0, 1, 3)
    return numpy.ascontiguousarray(picture).reshape(kernel.shape)


class Network:
    """What a peer builds: step() and infer() are timed, finish() waits until all of them are
    done, losses(n) trains n steps from the initial weights on the first batch and gives the loss
    before each, answer() is the output for the first batch. None: the peer does not do that."""

    def __init__(self, step=None, infer=None, losses=None, finish=lambda: None, answer=None):
        self.step, self.infer, self.losses = step, infer, losses
        self.finish, self.answer = finish, answer


def time_calls(call, finish, seconds):
    """Microseconds of a call: the fastest and the median group of calls."""
    for _ in range(2):
        call()
    finish()
    start = time.perf_counter()
    call()
    finish()
    once = time.perf_counter() - start
    for _ in range(5 if once < 5e-3 else 0):
        call()
    finish()
    group = max(1, int(200e-6 / max(once, 1e-7)))
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter()
        for _ in range(group):
            call()
        finish()
        samples.append((time.perf_counter() - start) / group * 1e6)
    return {"min": min(samples), "median": float(numpy.median(samples))}


def serve(make):
    """make(workload, folder) builds a Network; serves orders until standard input ends."""
    import_ms = (time.perf_counter() - STARTED) * 1e3
    network = None
    for line in sys.stdin:
        order = json.loads(line)
        if "workload" in order:
            workload = workloads.find(order["workload"]).at(order["batch"])
            start = time.perf_counter()
            network = make(workload, order["folder"])
            (network.step or network.infer)()
            network.finish()
            answer = {"import_ms": import_ms,
                      "first_call_ms": (time.perf_counter() - start) * 1e3}
        elif "losses" in order:
            answer = {"losses": network.losses(order["losses"]) if network.losses else None}
        elif "answer" in order:
            answer = {"answer": network.answer().tolist()}
        else:
            call = network.step if order["measure"] == "step" else network.infer
            answer = time_calls(call, network.finish, order["seconds"])
        print(json.dumps(answer), flush=True)
