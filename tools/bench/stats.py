"""The arithmetic of the suite: ratios with intervals, spread, what counts as slower.

Times are compared in pairs, round by round: the two of a pair were measured one right after the
other, so what slows the whole machine for a while slows both and leaves their ratio alone.
"""

import dataclasses
import random
import statistics

DRAWS = 2000  # of the bootstrap


@dataclasses.dataclass(frozen=True)
class Ratio:
    """theirs / ours with its 95 % interval."""
    middle: float
    low: float
    high: float

    def __str__(self):
        return f"{self.middle:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def paired_ratio(ours, theirs):
    """Median over the rounds of theirs / ours, with a bootstrap interval (Efron, percentiles).

    ours, theirs: times of the same rounds, all above zero; ValueError if their numbers differ or
    there are none. One round gives an interval without width.
    """
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    if not ratios:
        raise ValueError("no rounds to compare")
    source = random.Random(1)
    draws = sorted(statistics.median(source.choices(ratios, k=len(ratios))) for _ in range(DRAWS))
    low, high = draws[DRAWS * 25 // 1000], draws[DRAWS * 975 // 1000 - 1]
    return Ratio(statistics.median(ratios), low, high)


def spread(values):
    """(largest - smallest) / smallest."""
    return (max(values) - min(values)) / min(values)


def is_slower(ratio, threshold):
    """Whether new / old, a Ratio, is slower by more than `threshold` (0.03: 3 %), and not by
    chance: the whole interval lies above 1."""
    return ratio.middle > 1 + threshold and ratio.low > 1


def curve_problem(ours, theirs):
    """None if two curves of losses are the same up to rounding, which training magnifies; else
    what differs, in words."""
    for step, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        if not abs(a - b) <= 2e-3 * max(abs(b), 1e-3):
            return f"step {step}: nnc's loss is {a:.6g}, its own {b:.6g}"
    return None
