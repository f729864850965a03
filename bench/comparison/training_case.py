"""The training steps that are timed: bench/train_step.cc, in several ways at once."""

import collections

from .failed import Failed
from .side import interleave

SECONDS = 1.5  # of steps in one measurement, at least

Case = collections.namedtuple("Case", "name cell V E H L B T")
CASES = [
    Case("lstm-v10000-h200", "lstm", 10000, 200, 200, 2, 20, 20),
    Case("lstm-v10000-h650", "lstm", 10000, 650, 650, 2, 20, 35),
    Case("lstm-v65-h128", "lstm", 65, 128, 128, 2, 50, 50),
    Case("lstm-v65-h512", "lstm", 65, 512, 512, 2, 50, 50),
    Case("gru-v65-h512", "gru", 65, 512, 512, 2, 50, 50),
    Case("rnn-v8000-h100", "rnn-tanh", 8000, 100, 100, 1, 20, 20),
]


def title(case):
    return f"{case.cell} V{case.V} E{case.E} H{case.H} L{case.L} B{case.B} T{case.T}"


def sizes(case):
    """Of a case, as the programs want them."""
    return [str(size) for size in case[1:]]


def check_equal(case, quantities, ours, theirs, names, tolerance):
    """Both sides compute the same: forward (losses), backward (norms), clipping and update (those of later steps)."""
    for quantity in quantities:
        pairs = zip(map(float, ours[quantity].split()), map(float, theirs[quantity].split()), strict=True)
        for step, (a, b) in enumerate(pairs, 1):
            if not abs(a - b) <= tolerance * abs(b):
                raise Failed(
                    f"{case.name}: {quantity} of step {step}: {a} in {names[0]}, {b} in {names[1]}; "
                    f"allowed is {tolerance:g}"
                )


class Measured:
    """What came of one case: tokens per second of each side in each round, shares of the peak, memory."""

    def __init__(self, context, case, sides, facts, seconds=SECONDS):
        self.case, self.facts = case, facts
        self.weights = int(next(f["weights"] for f in facts.values() if "weights" in f))
        rounds = interleave(context, case.name, list(sides.values()), seconds)
        self.peaks = [r.peaks for r in rounds]
        tokens = case.B * case.T
        self.speeds = {name: [r.rates[i] * tokens for r in rounds] for i, name in enumerate(sides)}
        self.mebibytes = {name: side.peak_mebibytes() for name, side in sides.items()}

    def shares(self, name, peak):
        """Of the floor: 6 operations per multiplied weight and token at the peak(peaks) of the round."""
        pairs = zip(self.speeds[name], self.peaks, strict=True)
        return [speed * 6 * self.weights / peak(peaks) for speed, peaks in pairs]

    def ratios(self, name, to):
        """Of speeds, round by round."""
        return [a / b for a, b in zip(self.speeds[name], self.speeds[to], strict=True)]
