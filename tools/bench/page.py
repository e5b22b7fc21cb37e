"""docs/benchmarks.md: the template page.md.in with the newest results in the places of their
names. Nothing is measured here but the profile."""

import pathlib
import re
import statistics

import core_state
import inference
import kernels
import scaling
import steps
import workloads
from contenders import HERE, ROOT, run_nnc
from results import keep, load, ratio, summary, versions

PAGE = ROOT / "docs" / "benchmarks.md"
MODEL = ROOT / "models" / "fashion-mlp.yaml"
NAMES = {"nnc": "nnc", "torch": "PyTorch", "torch-compiled": "PyTorch compiled",
         "torch-channels-last": "PyTorch channels last", "jax": "JAX",
         "onnxruntime": "ONNX Runtime", "header": "header, -O3 -march=native",
         "header-portable": "header, -O2", "jit": "JIT"}
TABLES = ("steps", "inference", "scaling", "compile", "job", "kernels", "profile")
MISSING = "Not measured yet."


def number(value):
    """Three digits that count."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def table(head, rows):
    left = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, left, *rows])


def in_order(entries):
    """By network, then by what else is in the key."""
    def place(item):
        name, *rest = item[0].split("/")
        known = workloads.NAMES.index(name) if name in workloads.NAMES else len(workloads.NAMES)
        return [known, *(int(part) for part in reversed(rest))]
    return [entry for _, entry in sorted(entries.items(), key=place)]


def far_cells(part):
    """Of the rounds with the cores far apart: nnc, the fastest other, their ratio."""
    if not part:
        return ["", "", ""]
    best = steps.best_peer(part)
    nnc = number(summary(part["times"]["nnc"])[0])
    if not best:
        return [nnc, "", ""]
    return [nnc, f"{NAMES[best[0]]} {number(summary(part['times'][best[0]])[0])}", best[1]]


def near_cells(part, peers):
    if not part:
        return [""] * (5 + len(peers))
    times, best = part["times"], steps.best_peer(part)
    least, median, width = summary(times["nnc"])
    others = [number(summary(times[name])[0]) if name in times else "" for name in peers]
    return [number(least), number(median), f"{width:.0%}",
            f"{steps.share_of_peak(part, least):.0%}", *others, best[1] if best else ""]


def steps_tables():
    """One table for each number of threads; the best peer and its ratio in the last columns, and
    beside them what was measured while the cores were far apart."""
    entries = in_order(load("steps"))
    texts = []
    for threads in sorted({entry["threads"] for entry in entries}, reverse=True):
        chosen = [entry for entry in entries if entry["threads"] == threads]
        peers = [name for name in steps.PICTURE_PEERS if any(name in e["times"] for e in chosen)]
        every = [core_state.parts(entry) for entry in chosen]
        far = any(core_state.FAR in parts for parts in every)
        rows = []
        for entry, parts in zip(chosen, every):
            row = near_cells(parts.get(core_state.NEAR) or parts.get(None), peers)
            row += far_cells(parts.get(core_state.FAR)) if far else []
            rows.append([entry["workload"], entry["batch"], *row])
        head = ["network", "batch", "nnc", "median", "spread", "of peak",
                *(NAMES[name] for name in peers), "best peer / nnc"]
        head += ["cores far apart: nnc", "best peer", "best peer / nnc"] if far else []
        texts.append(f"{threads} thread{'s' if threads > 1 else ''}:\n\n{table(head, rows)}")
    return "\n\n".join(texts) or MISSING


def kernels_table():
    def cells(row):
        found = [row["kernels"].get(kind) for kind in kernels.KINDS]
        return [f"{number(one['us'])} ({one['share']:.0%})" if one else "" for one in found]
    rows = [[entry["workload"], entry["threads"], row["layer"], *cells(row),
             number(row["other_us"])]
            for entry in in_order(load("kernels")) for row in entry["kernels"]]
    head = ["network", "threads", "layer", *kernels.KINDS, "rest of the layer"]
    return table(head, rows) if rows else MISSING


def states_text():
    """What it costs to hand data from core to core, in each state that was seen."""
    probes = [probe for name in TABLES for entry in load(name).values()
              for probe in entry.get("probes") or []]
    found = core_state.medians({"probes": probes})
    if not found:
        return ""
    rows = [[f"cores {state}", sum(core_state.name_of(p) == state for p in probes),
             *(number(found[state][figure]) for figure in core_state.FIGURES)] for state in found]
    head = ["", "times seen", "a barrier, ns", "writing what another core has read, GB/s",
            "reading what another core has written, GB/s"]
    return "\n\n" + table(head, rows)


def inference_table():
    rows = []
    for entry in in_order(load("inference")):
        times = entry["times"]
        against = ratio(times, "header", "onnxruntime") if "onnxruntime" in times else ""
        rows.append([entry["workload"], entry["rows"],
                     *(number(summary(times[name])[0]) if name in times else ""
                       for name in inference.NAMES), against])
    head = ["network", "rows", *(NAMES[name] for name in inference.NAMES),
            "ONNX Runtime / header"]
    return table(head, rows) if rows else MISSING


def scaling_table():
    rows = []
    for entry in in_order(load("scaling")):
        cells = [cell for least, share in scaling.cells(entry)
                 for cell in (number(least), f"{share:.0%}")]
        rate = entry["batch"] / min(summary(rounds)[0] for rounds in entry["times"].values())
        rows.append([entry["workload"], entry["batch"], *cells, scaling.speed_up(entry) or "",
                     number(rate)])
    threads = sorted({t for entry in load("scaling").values() for t in entry["times"]}, key=int)
    head = ["network", "batch"]
    for count in threads:
        head += [f"{count} thread{'s' if count != '1' else ''}", "of peak"]
    return table([*head, "speed-up", "million rows a second"], rows) if rows else MISSING


def compile_table():
    entries = load("compile")
    rows = []
    for name in (name for name in workloads.NAMES if name in entries):
        entry = entries[name]
        rows.append([name, number(min(entry["cold_ms"])),
                     number(statistics.median(entry["cold_ms"])), number(min(entry["warm_ms"])),
                     number(statistics.median(entry["warm_ms"])),
                     *(number(entry["first_step_ms"][peer]) if peer in entry["first_step_ms"]
                       else "" for peer in steps.PEERS)])
    if not rows:
        return MISSING
    head = ["network", "nnc", "median", "nnc, filled cache", "median",
            *(NAMES[peer] for peer in steps.PEERS)]
    text = table(head, rows)
    for what, times in entries.get("process", {}).get("process_ms", {}).items():
        text += f"\n\n`{what}` takes {number(min(times))} ms from start to exit " \
                f"(median {number(statistics.median(times))})."
    return text


def job_table():
    entry = load("job").get("fashion-mlp")
    if not entry:
        return MISSING
    rows = []
    for name, rounds in entry["times"].items():
        least, median, width = summary(rounds)
        against = "" if name == "nnc" else ratio(entry["times"], "nnc", name)
        rows.append([name.replace("keras", "Keras on JAX"), f"{least:.2f}", f"{median:.2f}",
                     f"{width:.0%}", f"{rounds[0]['accuracy']:.3f}", against])
    return table(["", "seconds", "median", "spread", "accuracy", "against nnc"], rows)


def run_profile(options):
    """Keeps the table of `nnc bench --profile`, and prints it."""
    arguments = ["bench", MODEL, "--profile", "--threads", max(options.threads),
                 "--seconds", options.seconds]
    text = run_nnc(*arguments, threads=max(options.threads))
    print(text)
    keep("profile", "fashion-mlp", {"text": text}, options)
    if "--machine" in run_nnc("bench", "--help"):
        text = run_nnc("bench", "--machine", threads=max(options.threads))
        text = text.replace(str(pathlib.Path.home()), "~")
        print(text)
        keep("profile", "machine", {"text": text}, options)


def block(text):
    return f"```\n{text.rstrip()}\n```"


def sums(text):
    """How far the profile's step is from the one that was timed without marks; empty if the text
    has no such lines."""
    timed = re.search(r"training step +([\d.]+) µs +median ([\d.]+) µs", text)
    summed = re.search(r"^ +step +([\d.]+)$", text, re.MULTILINE)
    if not timed or not summed:
        return ""
    median, whole = float(timed[2]), float(summed[1])
    return f"\n\nThe groups add up to {number(whole)} µs; timed without marks the step's median " \
           f"is {number(median)} µs ({whole / median - 1:+.1%})."


def profile_text():
    entry = load("profile").get("fashion-mlp")
    return block(entry["text"]) + sums(entry["text"]) if entry else MISSING


def machine_text():
    """The machine and how quiet it was, of everything that is on the page."""
    entries = [entry for name in TABLES for entry in load(name).values()]
    if not entries:
        return MISSING
    newest = max(entries, key=lambda entry: entry["when"])
    machine = newest["machine"]
    peaks = [entry["peak_gflops"] for entry in load("steps").values()
             if entry["threads"] == machine["cores"]]
    found = versions("torch", "jax", "onnxruntime", "keras")
    lines = [f"{machine['cpu']}, {machine['cores']} cores, {machine['vectors']}, "
             f"{machine['system']}."]
    if peaks:
        lines.append(f"Peak of multiply-adds, measured beside every step: "
                     f"{min(peaks):.0f} to {max(peaks):.0f} GFLOP/s on all cores.")
    lines.append("Versions: " + ", ".join(f"{name} {version}" for name, version in found.items())
                 + f", Python {machine['python']}.")
    lines.append(f"Measured {min(e['when'] for e in entries)} to {newest['when']}, load average "
                 f"{min(e['load'] for e in entries)} to {max(e['load'] for e in entries)}.")
    builds = {entry["build"] for entry in entries}
    if len(builds) > 1:
        lines.append(f"The figures come from {len(builds)} builds of nnc.")
        print(f"page: the results come from {len(builds)} builds; `run.sh all` measures anew")
    described = load("profile").get("machine")
    figures = "\n\n" + block(described["text"]) if described else ""
    return " ".join(lines) + states_text() + figures


PARTS = {"machine": machine_text, "steps": steps_tables, "inference": inference_table,
         "scaling": scaling_table, "compile": compile_table, "job": job_table,
         "kernels": kernels_table, "profile": profile_text}


def write():
    template = (HERE / "page.md.in").read_text()
    text = re.sub(r"@(\w+)@", lambda found: PARTS[found.group(1)](), template)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}")
