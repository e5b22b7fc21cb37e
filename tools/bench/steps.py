"""Whole training steps: nnc, PyTorch eager and compiled, JAX."""

import core_state
import workloads
from contenders import KEPT, Failed, Nnc, Peer
from results import keep, ratio, rounds_of, summary
from stats import curve_problem

CURVE = 10  # steps of the check that all learn the same
PEERS = ("torch", "torch-compiled", "jax")
# Of networks with convolutions.
PICTURE_PEERS = ("torch", "torch-compiled", "torch-channels-last", "jax")


def start_peers(names, threads):
    return [Peer(name, threads) for name in names]


def ready(nnc, peers):
    """The peers that built the network and learn the same as nnc."""
    ours, good = nnc.losses(CURVE), []
    for peer in peers:
        try:
            peer.start(nnc.workload, nnc.folder)
            problem = curve_problem(ours, peer.losses(CURVE))
        except Failed as failure:
            problem = failure
        if problem:
            print(f"  {peer.name}: left out: {problem}", flush=True)
        else:
            good.append(peer)
    return good, ours


def measure(workload, threads, peers, options):
    folder = KEPT / "work" / f"{workload.name}-{workload.batch}"
    nnc = Nnc(workload, folder, threads)
    good, curve = ready(nnc, peers)
    times, probes = rounds_of([nnc, *good], options.rounds,
                              lambda one: one.measure("step", options.seconds), threads)
    return {"workload": workload.name, "batch": workload.batch, "threads": threads,
            "flops": workload.flops, "peak_gflops": max(nnc.peaks), "times": times,
            "losses": curve, "probes": probes}


def batches_of(workload, options):
    if options.batch:
        return options.batch
    if options.glance or workload.pictures:
        return [workload.batch]
    return sorted({workload.batch, *workloads.BATCHES})


def run(options):
    for name in options.only or (workloads.GLANCE if options.glance else workloads.NAMES):
        workload = workloads.find(name)
        for threads in options.threads:
            usual = PICTURE_PEERS if workload.pictures else PEERS
            peers = start_peers(usual if options.peers is None else options.peers, threads)
            for batch in batches_of(workload, options):
                try:
                    result = measure(workload.at(batch), threads, peers, options)
                except Failed as problem:
                    print(f"\n{name}, batch {batch}: left out: {problem}", flush=True)
                    continue
                show(keep("steps", f"{name}/{batch}/{threads}", result, options))
            for peer in peers:
                peer.close()


def share_of_peak(result, microseconds):
    return result["flops"] / microseconds * 1e-3 / result["peak_gflops"]


def best_peer(result):
    """(name, Ratio) of the fastest other than nnc, or None."""
    times = result["times"]
    others = [name for name in times if name != "nnc"]
    if not others:
        return None
    best = min(others, key=lambda name: ratio(times, "nnc", name).middle)
    return best, ratio(times, "nnc", best)


def show(result):
    """One table for each state of the cores that was seen."""
    for state, part in core_state.parts(result).items():
        times = part["times"]
        print(f"\n{part['workload']}, batch {part['batch']}, {part['threads']} thread(s)"
              f"{f', cores {state}' if state else ''}; microseconds a step, "
              f"{len(times['nnc'])} rounds, load {part['load']}")
        print(f"  {'':20}{'min':>10}{'median':>10}{'spread':>9}{'of peak':>9}   against nnc")
        for name, rounds in times.items():
            least, median, width = summary(rounds)
            against = "" if name == "nnc" else str(ratio(times, "nnc", name))
            share = share_of_peak(part, least)
            print(f"  {name:20}{least:10.2f}{median:10.2f}{width:9.0%}{share:9.1%}   {against}",
                  flush=True)
    if result.get("probes"):
        print(f"  {core_state.words(result)}", flush=True)
