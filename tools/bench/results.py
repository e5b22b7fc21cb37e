"""Results on disk: build/bench/TABLE.json, one entry for each case; a case that is measured again
replaces its old entry. Every entry says when, on what and with which build it was measured."""

import datetime
import hashlib
import json
import os
import pathlib
import platform
import statistics
from importlib import metadata

import core_state
from contenders import KEPT, cores, nnc_command
from stats import paired_ratio, spread


def build_id(command):
    """Tells builds of nnc apart."""
    return hashlib.sha256(pathlib.Path(command).read_bytes()).hexdigest()[:10]


def versions(*packages):
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found


def cpu_model():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def vectors():
    """The widest vectors of this processor that nnc knows."""
    flags = next((line.split() for line in open("/proc/cpuinfo") if line.startswith("flags")), [])
    return next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"))
                 if flag in flags), "SSE2")


def machine():
    return {"cpu": cpu_model(), "cores": len(cores()), "vectors": vectors(),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
            "python": platform.python_version()}


def load(table):
    path = KEPT / f"{table}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def with_other_state(entry, old):
    """The entry, with what an older one of the same build has of a state of the cores that this one
    did not see."""
    if not old or old["build"] != entry["build"] or not entry.get("probes"):
        return entry
    seen = core_state.parts(entry)
    others = {state: {name: value for name, value in part.items() if name != "other_states"}
              for state, part in core_state.parts(old).items() if state and state not in seen}
    return dict(entry, other_states=others) if others else entry


def keep(table, key, entry, options):
    """The entry with when, where and what; added to the table under `key` (text), unless others
    than the usual peers were asked for. The file is replaced in one go."""
    entry = dict(entry, when=f"{datetime.datetime.now():%Y-%m-%d %H:%M}",
                 load=round(os.getloadavg()[0], 2), build=build_id(nnc_command()),
                 machine=machine())
    if options.peers is not None:
        return entry
    everything = load(table)
    entry = with_other_state(entry, everything.get(key))
    everything[key] = entry
    KEPT.mkdir(parents=True, exist_ok=True)
    new = KEPT / f"{table}.json.new"
    new.write_text(json.dumps(everything, indent=1) + "\n")
    new.replace(KEPT / f"{table}.json")
    return entry


def rounds_of(everyone, rounds, measure, threads=1):
    """({name: [what measure(contender) gave in each round]}, probes of the cores before the first
    round and after each; on one thread, where nothing is handed over, only before and after all).
    A B C, A B C, …"""
    times, probes = {one.name: [] for one in everyone}, [core_state.probe()]
    for i in range(rounds):
        for one in everyone:
            times[one.name].append(measure(one))
        if threads > 1 or i == rounds - 1:
            probes.append(core_state.probe())
    return times, probes if probes[0] else None


def minima(rounds):
    """The fastest sample of each round."""
    return [sample["min"] for sample in rounds]


def summary(rounds):
    """(minimum, median, spread of the rounds' minima) of a contender's rounds."""
    return (min(minima(rounds)), statistics.median(sample["median"] for sample in rounds),
            spread(minima(rounds)))


def ratio(times, ours, theirs):
    """Ratio theirs / ours of two names in what rounds_of gave."""
    return paired_ratio(minima(times[ours]), minima(times[theirs]))
