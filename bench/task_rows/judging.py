"""Scores of answers, how far chance moves them, and whether one contender is better than another."""

import math
import random

SWAPS = 10_000
RESAMPLES = 2_000


def spans(tags):
    """Of BIO tags, by the rules of conlleval: a span begins where its class changes or B- says so."""
    found, begin, kind = set(), 0, None
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        name = name if prefix in ("B", "I") else None
        if kind is not None and (name != kind or prefix == "B"):
            found.add((begin, i, kind))
            kind = None
        if name is not None and kind is None:
            begin, kind = i, name
    return found


def counts_of(data, gold, answers):
    """A row of counts for each text or sentence: (right, answered, in the truth)."""
    if data.task == "classify":
        return [(int(a == g), 1, 1) for g, a in zip(gold, answers, strict=True)]
    if data.measure == "accuracy":
        return [(sum(a == g for g, a in zip(gs, as_, strict=True)), len(gs), len(gs))
                for gs, as_ in zip(gold, answers, strict=True)]
    pairs = [(spans(gs), spans(as_)) for gs, as_ in zip(gold, answers, strict=True)]
    return [(len(g & a), len(a), len(g)) for g, a in pairs]


def score_of(right, answered, truth):
    """F1, which is accuracy where as many are answered as there are."""
    return 2 * right / (answered + truth) if answered + truth else 0.0


def score(counts):
    return score_of(*(sum(column) for column in zip(*counts)))


def interval(data, counts):
    """95%: Wilson's of accuracy, of F1 the bootstrap over sentences."""
    if data.measure == "accuracy":
        n, p, z = sum(row[1] for row in counts), score(counts), 1.959964
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return middle - half, middle + half
    dice = random.Random(1)
    scores = sorted(score(dice.choices(counts, k=len(counts))) for _ in range(RESAMPLES))
    return scores[RESAMPLES * 25 // 1000], scores[RESAMPLES * 975 // 1000 - 1]


def p_value(data, ours, theirs):
    """Of one label per text McNemar's exact test; else random swaps of the answers to a sentence."""
    if data.task == "classify":
        better = sum(a[0] > b[0] for a, b in zip(ours, theirs))
        worse = sum(a[0] < b[0] for a, b in zip(ours, theirs))
        n = better + worse
        tail = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
        return min(1.0, 2 * tail / 2**n)
    return swapped(ours, theirs)


def swapped(ours, theirs):
    """Share of random swaps after which the scores differ at least as much."""
    differ = [(a, b) for a, b in zip(ours, theirs) if a != b]
    mine, other = (tuple(map(sum, zip(*side))) for side in (ours, theirs))
    seen = abs(score_of(*mine) - score_of(*other))
    steps = [tuple(y - x for x, y in zip(a, b)) for a, b in differ]
    dice, as_far = random.Random(1), 0
    for _ in range(SWAPS):
        bits = dice.getrandbits(len(steps)) if steps else 0
        moved = [0, 0, 0]
        for i, step in enumerate(steps):
            if bits >> i & 1:
                moved[0] += step[0]
                moved[1] += step[1]
                moved[2] += step[2]
        a = score_of(*(x + m for x, m in zip(mine, moved)))
        b = score_of(*(x - m for x, m in zip(other, moved)))
        as_far += abs(a - b) >= seen - 1e-12
    return (as_far + 1) / (SWAPS + 1)
