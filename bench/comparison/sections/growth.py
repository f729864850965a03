"""How the time of a training step grows with each size: sweeps, and a law fitted to them."""

import collections
import pathlib
import statistics

from ..growth_plot import Curve, Panel, draw
from ..side import interleave, introduced
from ..table import table
from ..training_case import Case, sizes, title

NAME = "growth"
HELP = "time per token over sweeps of T, B, H, V and L, with a fitted law; --plot FILE draws it"
PROGRAMS = ["train_step"]
SECONDS = 0.4  # of steps in one measurement, at least
GATES = 4  # of the LSTM
BASE = Case("growth", "lstm", 10000, 256, 256, 1, 32, 32)
SWEEPS = {
    "T": [8, 16, 32, 64, 128],
    "B": [8, 16, 32, 64, 128],
    "H": [64, 128, 256, 512, 1024],
    "V": [1000, 2500, 10000, 20000, 40000],
    "L": [1, 2, 3, 4, 6],
}

# Time per token = a + 6 * weights / peak, in microseconds and GFLOP/s; a peak of None: only the sum is known.
Law = collections.namedtuple("Law", "a slope peak worst")

TEXT = """\
Steps of training in f32, one size at a time away from {base} (E goes with H). To the
times per token of each sweep the law `a + 6 * weights / peak'` with a not below 0 is fitted by least squares of
relative deviations, weights being those that are multiplied. Where the swept size does not change them, a and peak'
cannot be told apart, and the law is a constant. The worst deviation of any point from its law is **{worst:.0%}**."""


def add_options(parser):
    parser.add_argument("--plot", metavar="FILE", type=pathlib.Path, help="draw the section growth as SVG")


def case_of(letter, size):
    """The base with another T, B, H (and E), V or L."""
    changes = {"H": size, "E": size} if letter == "H" else {letter: size}
    return BASE._replace(name=f"growth-{letter}{size}", **changes)


def multiplied_weights(case):
    recurrent = GATES * case.H * (case.E + case.H) + (case.L - 1) * GATES * case.H * 2 * case.H
    return recurrent + case.V * case.H


def fit(weights, times):
    """Least squares of (law / time - 1) over the points."""
    ones = [1 / time for time in times]
    if len(set(weights)) == 1:
        a, slope = sum(ones) / sum(one * one for one in ones), 0.0
    else:
        # law / time = a * u + slope * v is to be 1.
        vs = [6e-3 * weight / time for weight, time in zip(weights, times, strict=True)]
        uu, uv, vv = (sum(x * y for x, y in zip(*pair)) for pair in ((ones, ones), (ones, vs), (vs, vs)))
        u, v = sum(ones), sum(vs)
        determinant = uu * vv - uv * uv
        a, slope = (u * vv - v * uv) / determinant, (v * uu - u * uv) / determinant
        if a < 0:
            a, slope = 0.0, v / vv
    laws = [a + slope * 6e-3 * weight for weight in weights]
    worst = max(abs(time / law - 1) for law, time in zip(laws, times, strict=True))
    return Law(a, slope, 1 / slope if slope else None, worst)


def measure_sweep(context, letter, thread_counts):
    """Microseconds per token: {threads: [time of each size]}."""
    cases = [case_of(letter, size) for size in SWEEPS[letter]]

    def start(case, threads):
        return lambda: context.side("train_step", *sizes(case), threads, "f32")

    sides = {(case, threads): start(case, threads) for case in cases for threads in thread_counts}
    with introduced(sides) as (started, facts):
        for (case, _), said in facts.items():
            assert int(said["weights"]) == multiplied_weights(case)
        rounds = interleave(context, f"growth over {letter}", list(started.values()), SECONDS)
    columns = zip(*(entry.rates for entry in rounds), strict=True)
    rates = dict(zip(started, map(statistics.median, columns), strict=True))
    return {
        threads: [1e6 / (rates[case, threads] * case.B * case.T) for case in cases] for threads in thread_counts
    }


def name_of(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


def curve(letter, threads, times, law):
    """The law at many sizes between the least and the largest, and the points."""
    measured = SWEEPS[letter]
    count = 24
    between = [measured[0] * (measured[-1] / measured[0]) ** (i / count) for i in range(count + 1)]
    line = [(size, law.a + law.slope * 6e-3 * multiplied_weights(case_of(letter, size))) for size in between]
    return Curve(name_of(threads), list(zip(measured, times, strict=True)), line)


def row(letter, threads, times, law):
    return [
        "H = E" if letter == "H" else letter,
        ", ".join(map(str, SWEEPS[letter])),
        str(threads),
        ", ".join(f"{time:.3g}" for time in times),
        f"{law.a:.3g}",
        f"{law.peak:.0f}" if law.peak else "-",
        f"{law.worst:.0%}",
    ]


def measure(context):
    thread_counts = sorted({1, context.threads})
    rows, panels, laws = [], [], []
    for letter in SWEEPS:
        if not context.cases([case_of(letter, size) for size in SWEEPS[letter]]):
            continue
        times = measure_sweep(context, letter, thread_counts)
        weights = [multiplied_weights(case_of(letter, size)) for size in SWEEPS[letter]]
        found = {threads: fit(weights, times[threads]) for threads in thread_counts}
        laws += found.values()
        rows += [row(letter, threads, times[threads], found[threads]) for threads in thread_counts]
        curves = [curve(letter, threads, times[threads], found[threads]) for threads in thread_counts]
        panels.append(Panel("H = E" if letter == "H" else letter, max(found[t].worst for t in thread_counts), curves))
    if not rows:
        return ""
    parts = ["## Growth", TEXT.format(base=title(BASE), worst=max(law.worst for law in laws))]
    if context.options.plot:
        context.options.plot.write_text(draw(title(BASE), panels), encoding="utf-8")
        parts.append(f"![Time per token over each size]({context.options.plot.name})")
    columns = ["sweep", "sizes", "threads", "time per token, µs", "a, µs", "peak', GFLOP/s", "worst deviation"]
    return "\n\n".join([*parts, table(columns, rows)])
