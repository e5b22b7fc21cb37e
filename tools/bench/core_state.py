"""How far apart the cores are just now. On shared machines two cores may be near each other for
some minutes and far apart for the next, as if another cache lay between them; steps on several
threads take another time then, so every round says which it was."""

import json
import statistics

from contenders import KEPT, cores, run_nnc

NEAR, FAR = "near", "far"
# GB/s at which a core writes memory that another one has read: about 45 near, 8 far.
SLOW_GIVE = 20
FIGURES = ("barrier_ns", "give_gbs", "take_gbs")
FEWEST = 2  # rounds that a state has to have had to be shown for itself


def probe():
    """{barrier_ns, give_gbs, take_gbs} now, measured by nnc in a third of a second; None on one
    core. nnc's own kept figures of the machine stay as they are."""
    if len(cores()) < 2:
        return None
    folder = KEPT / "work" / "machine"
    folder.mkdir(parents=True, exist_ok=True)
    found = json.loads(run_nnc("bench", "--machine", "--renew", "--json", threads=len(cores()),
                               XDG_CACHE_HOME=str(folder)))
    return {name: found[name] for name in FIGURES}


def name_of(figures):
    return FAR if figures["give_gbs"] < SLOW_GIVE else NEAR


def names_of(probes):
    """The state of each round: probes were made before the first round and after each. None where
    it changed while the round was going on."""
    names = [name_of(figures) for figures in probes]
    return [a if a == b else None for a, b in zip(names, names[1:])]


def parts(entry):
    """{state: the rounds of an entry in that state, as an entry}. A state of less than two rounds
    is not there; without any all rounds are, under None."""
    probes = entry.get("probes")
    if not probes or entry.get("threads") == 1:
        return {None: entry}
    names = names_of(probes)
    found = {}
    for state in (NEAR, FAR):
        rounds = [i for i, name in enumerate(names) if name == state]
        if len(rounds) >= FEWEST:
            times = {name: [all_rounds[i] for i in rounds]
                     for name, all_rounds in entry["times"].items()}
            found[state] = dict(entry, times=times)
    return {**(found or {None: entry}), **entry.get("other_states", {})}


def medians(entry):
    """{state: {barrier_ns: …}} of an entry's probes."""
    probes = entry.get("probes") or []
    return {state: {figure: statistics.median(p[figure] for p in chosen) for figure in FIGURES}
            for state in (NEAR, FAR) if (chosen := [p for p in probes if name_of(p) == state])}


def words(entry):
    """What the rounds of an entry were measured in, in words."""
    return "; ".join(f"cores {state}: barrier {found['barrier_ns']:.0f} ns, writing what the other "
                     f"has read {found['give_gbs']:.0f} GB/s, reading what it has written "
                     f"{found['take_gbs']:.0f} GB/s" for state, found in medians(entry).items())
