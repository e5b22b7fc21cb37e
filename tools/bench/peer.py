"""What the peers' processes share. A peer is started once for a workload and then told, line by
line on standard input, what to do; between orders it sleeps. Each answer is one line of JSON."""

import argparse
import json
import os
import struct
import sys
import time

import numpy

import workloads


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--variant", default="")
    parsed = parser.parse_args()
    parsed.workload = workloads.find(parsed.workload)
    return parsed


def batches(folder, workload, count=8):
    """(x, y) of `count` batches as the network takes them: floats, already scaled."""
    data = numpy.load(os.path.join(folder, "batches.npz"))
    x = data["x"].astype(numpy.float32) * (numpy.float32(1 / 255) if workload.pictures else 1)
    y = data["y"]
    y = y.astype(numpy.int64) if workload.loss == "cross_entropy" else y.astype(numpy.float32)
    n = workload.batch
    return [(x[i * n:(i + 1) * n], y[i * n:(i + 1) * n]) for i in range(count)]


def initial_weights(folder, workload):
    """[(kernel [inputs, units], bias)] as nnc initialised them."""
    data = open(os.path.join(folder, "initial", "weights.safetensors"), "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + length]), data[8 + length:]

    def tensor(name):
        entry = header[name]
        assert entry["dtype"] == "F32", entry
        flat = numpy.frombuffer(body[slice(*entry["data_offsets"])], dtype=numpy.float32)
        return flat.reshape(entry["shape"]).copy()
    return [(tensor(f"fc{i}.kernel"), tensor(f"fc{i}.bias"))
            for i in range(1, workload.layers + 1)]


def time_calls(call, seconds):
    """Microseconds of a call: the fastest and the median group of calls."""
    for _ in range(5):
        call()
    start = time.perf_counter()
    call()
    group = max(1, int(500e-6 / max(time.perf_counter() - start, 1e-7)))
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 10:
        start = time.perf_counter()
        for _ in range(group):
            call()
        samples.append((time.perf_counter() - start) / group * 1e6)
    return {"min": min(samples), "median": float(numpy.median(samples))}


def serve(make):
    """make() -> (step, infer, losses): step() and infer() are timed, losses(n) trains n steps from
    the initial weights on the first batch and gives the loss before each. None: cannot do that."""
    start = time.perf_counter()
    step, infer, losses = make()
    if step:
        step()
    else:
        infer()
    answer = {"first_call_ms": (time.perf_counter() - start) * 1e3}
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "losses" in order:
            answer = {"losses": losses(order["losses"]) if losses else None}
        else:
            answer = {"step": time_calls(step, order["seconds"]) if step else None,
                      "infer": time_calls(infer, order["seconds"]) if infer else None}
        print(json.dumps(answer), flush=True)
