"""What share of the peak the kernels of each convolution reach: forward, gradient of the input,
gradient of the weights (with the update in it), from nnc's own profile of a step."""

import json

import core_state
import workloads
from contenders import KEPT, Failed, Nnc
from layers import CONVOLUTIONS
from results import keep

GRADIENT_AXES = 5  # of a weight gradient of each row: row, kernel, channels, filters
KINDS = ("forward", "input gradient", "weight gradient")


def lines_of(workload):
    """({name of a layer: its line in the model file}, the line of the loss)"""
    lines = workload.yaml("one.npz").splitlines()
    first = lines.index("  layers:") + 2  # lines count from 1
    places = workload.places()
    loss = next(i for i, line in enumerate(lines, 1) if line.startswith("loss:"))
    return {place.name: first + i for i, place in enumerate(places)}, loss


def kinds_of(groups, loss_line):
    """[(group, forward | input gradient | weight gradient | None)]. Kernels that multiply are told
    apart by their result, which has rows of the batch or not, and by whether the loss came before
    them. A weight gradient of each row has more axes than a picture."""
    found, backward = [], False
    for group in groups:
        backward = backward or group["line"] == loss_line
        kind = None
        if group["flops"] > 0:
            sizes = group["shape"].split("[")[-1].split(",")
            of_rows = "b" in sizes[0] + sizes[-1] and len(sizes) != GRADIENT_AXES
            kind = KINDS[1 if backward else 0] if of_rows else KINDS[2]
        found.append((group, kind))
    return found


def table_of(workload, result):
    """[{layer, kernels: {kind: {us, share}}, other_us}] of the convolutions. Share: of the peak, by
    the multiply-adds of the layer as written, border taps counted, whatever its kernel computes."""
    lines, loss = lines_of(workload)
    groups = kinds_of(result["profile"]["groups"], loss)
    rows = []
    for place in workload.places():
        if place.layer.kind not in CONVOLUTIONS:
            continue
        mine = [(group, kind) for group, kind in groups if group["line"] == lines[place.name]]
        flops, kernels = 2 * workload.batch * place.products, {}
        for kind in KINDS:
            microseconds = sum(group["us"] for group, its in mine if its == kind)
            if microseconds > 0:
                share = flops / microseconds * 1e-3 / result["peak_gflops"]
                kernels[kind] = {"us": microseconds, "share": share}
        rows.append({"layer": place.name, "kernels": kernels,
                     "other_us": sum(group["us"] for group, its in mine if its is None)})
    return rows


def measure(workload, threads, options):
    nnc = Nnc(workload, KEPT / "work" / f"{workload.name}-{workload.batch}", threads)
    probes = [core_state.probe()]
    result = json.loads(nnc.run("bench", nnc.folder / "model.yaml", "--profile", "--json",
                                "--threads", threads, "--seconds", options.seconds))
    probes.append(core_state.probe())
    return {"workload": workload.name, "batch": workload.batch, "threads": threads,
            "step_us": result["profile"]["step_us"], "peak_gflops": result["peak_gflops"],
            "kernels": table_of(workload, result), "probes": probes if probes[0] else None}


def run(options):
    for name in options.only or [w.name for w in workloads.WORKLOADS if w.pictures]:
        for threads in options.threads:
            try:
                result = measure(workloads.find(name), threads, options)
            except Failed as problem:
                print(f"\n{name}: left out: {problem}", flush=True)
                continue
            show(keep("kernels", f"{name}/{threads}", result, options))


def cell(kernel):
    return f"{kernel['us']:10.1f}{kernel['share']:6.0%}" if kernel else f"{'-':>10}{'':6}"


def show(result):
    print(f"\n{result['workload']}, batch {result['batch']}, {result['threads']} thread(s), step "
          f"{result['step_us']:.0f}; microseconds and share of the peak, load {result['load']}")
    if result["probes"]:
        print(f"  {core_state.words(result)}")
    print(f"  {'':18}" + "".join(f"{kind:>16}" for kind in KINDS) + "   rest of the layer")
    for row in result["kernels"]:
        cells = "".join(cell(row["kernels"].get(kind)) for kind in KINDS)
        print(f"  {row['layer']:18}{cells}{row['other_us']:10.1f}", flush=True)
