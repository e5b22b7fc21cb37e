"""How long until the first step can run: nnc with an empty and a filled cache, what its process
costs, and the first step of the peers in fresh processes (their imports apart)."""

import statistics
import subprocess
import time

import workloads
from contenders import KEPT, ROOT, Failed, Nnc, Peer, nnc_command
from results import keep

FASHION = ROOT / "models" / "fashion-mlp.yaml"  # the network of mlp-128x3
PEERS = ("torch", "torch-compiled", "jax")
COMMANDS = {"nnc --version": ["--version"], "nnc check fashion-mlp.yaml": ["check", FASHION]}


def process_ms(arguments):
    """From starting nnc to its end."""
    start = time.perf_counter()
    done = subprocess.run([nnc_command(), *map(str, arguments)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(done.stderr)
    return (time.perf_counter() - start) * 1e3


def peer_first_ms(name, workload, folder, threads):
    """(first step, import) of a fresh process that keeps and finds nothing on disk."""
    peer = Peer(name, threads, TORCHINDUCTOR_FORCE_DISABLE_CACHES="1")
    peer.start(workload, folder)
    peer.close()
    return peer.first_call_ms, peer.import_ms


def measure(workload, options):
    threads = max(options.threads)
    nnc = Nnc(workload, KEPT / "work" / f"{workload.name}-{workload.batch}", threads)
    for _ in range(options.rounds):
        nnc.bench(options.seconds)
    result = {"workload": workload.name, "threads": threads, "cold_ms": [], "warm_ms": []}
    for compile_ms in nnc.compile_ms:
        result["cold_ms"].append(compile_ms["cold"])
        result["warm_ms"].append(compile_ms["warm"])
    return result, nnc.folder


def run(options):
    for name in options.only or workloads.NAMES:
        workload = workloads.find(name)
        result, folder = measure(workload, options)
        result["first_step_ms"], result["import_ms"] = {}, {}
        if name == "mlp-128x3":
            for peer in PEERS if options.peers is None else options.peers:
                first, imported = peer_first_ms(peer, workload, folder, max(options.threads))
                result["first_step_ms"][peer], result["import_ms"][peer] = first, imported
        show(keep("compile", name, result, options))
    process = {what: [process_ms(arguments) for _ in range(options.rounds)]
               for what, arguments in COMMANDS.items()}
    show_process(keep("compile", "process", {"process_ms": process}, options))


def row(what, milliseconds):
    print(f"  {what:34}{min(milliseconds):9.1f}{statistics.median(milliseconds):9.1f}", flush=True)


def show(result):
    print(f"\n{result['workload']}; milliseconds until the first step can run: min, median of "
          f"{len(result['cold_ms'])}, load {result['load']}")
    row("nnc, empty cache", result["cold_ms"])
    row("nnc, filled cache", result["warm_ms"])
    for name, first in result["first_step_ms"].items():
        row(f"{name} (import: {result['import_ms'][name]:.0f})", [first])


def show_process(result):
    print(f"\nprocesses from start to exit; milliseconds, load {result['load']}")
    for what, milliseconds in result["process_ms"].items():
        row(what, milliseconds)
