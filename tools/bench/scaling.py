"""Scaling of nnc's training step over the batch and over threads."""

import workloads
from contenders import KEPT, Nnc
from results import keep, ratio, rounds_of, summary

BATCHES = (1, 2, 8, 32, 128, 512, 2048, 8192)
PICTURE_BATCHES = (2, 16, 128, 512)  # of networks with convolutions: a larger one takes long


class AtThreads:
    """nnc with a number of threads; the inference of the same run is kept beside the step."""

    def __init__(self, nnc, batch):
        self.nnc, self.batch = nnc, batch
        self.name = str(nnc.threads)

    def measure(self, seconds):
        result = self.nnc.bench(seconds, self.batch)
        return dict(result["train_step_us"], infer=result["infer_us"])


def measure(workload, batch, options):
    folder = KEPT / "work" / f"{workload.name}-{workload.batch}"
    all_threads = [Nnc(workload, folder, threads) for threads in options.threads]
    everyone = [AtThreads(nnc, batch) for nnc in all_threads]
    times, probes = rounds_of(everyone, options.rounds, lambda one: one.measure(options.seconds),
                              max(options.threads))
    return {"workload": workload.name, "batch": batch, "times": times, "probes": probes,
            "flops": workload.at(batch).flops,
            "peak_gflops": {str(nnc.threads): max(nnc.peaks) for nnc in all_threads}}


def run(options):
    for name in options.only or workloads.NAMES:
        print(f"\n{name}; microseconds a training step, {options.rounds} rounds")
        print(f"  {'batch':>6}" + "".join(f"{f'{t} thread(s)':>14}{'of peak':>9}"
                                          for t in options.threads) + "   speed-up")
        workload = workloads.find(name)
        for batch in options.batch or (PICTURE_BATCHES if workload.pictures else BATCHES):
            result = measure(workload, batch, options)
            show(keep("scaling", f"{name}/{batch}", result, options))


def speed_up(result):
    """Ratio of the time on one thread to that on most threads; None without both."""
    threads = sorted(result["times"], key=int)
    return ratio(result["times"], threads[-1], threads[0]) if len(threads) > 1 else None


def cells(result):
    """[(microseconds, share of the peak of as many cores)], by threads."""
    found = []
    for threads in sorted(result["times"], key=int):
        least = summary(result["times"][threads])[0]
        peak = result["peak_gflops"][threads]
        found.append((least, result["flops"] / least * 1e-3 / peak))
    return found


def show(result):
    row = "".join(f"{least:14.2f}{share:9.1%}" for least, share in cells(result))
    print(f"  {result['batch']:6}{row}   {speed_up(result) or ''}", flush=True)
