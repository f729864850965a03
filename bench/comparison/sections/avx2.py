"""A step of training as on a processor without AVX-512."""

import functools
import os

from ..side import PeakMeter, capped, introduced
from ..table import number, ratio, share, table
from ..training_case import CASES, Measured, check_equal, sizes, title

NAME = "avx2"
HELP = "steps of training in f32 with UNROLL_MAX_ISA=avx2 beside those without (not where that is set already)"
PROGRAMS = ["train_step"]
TOLERANCE = 1e-4  # relative, between losses and norms of the two sides

TEXT = """\
The steps of the section on training, f32, once with all that the processor has and once with `UNROLL_MAX_ISA=avx2`, as
on a processor without AVX-512. Losses and gradient norms agree to {tolerance:g} of their size. The f32 peak with that cap
is {one:.0f} GFLOP/s with one thread, {all:.0f} with {threads}."""


def measure_case(context, case):
    start = functools.partial(context.side, "train_step", *sizes(case), context.threads, "f32")
    with introduced({"all": start, "avx2": functools.partial(start, environment=capped("avx2"))}) as (sides, facts):
        check_equal(case, ["losses", "norms"], facts["avx2"], facts["all"], ["avx2", "all"], TOLERANCE)
        context.notes["unroll"] = facts["all"]["about"]
        return Measured(context, case, sides, facts)


def measure(context):
    if os.environ.get("UNROLL_MAX_ISA"):
        return ""
    results = [measure_case(context, case) for case in context.cases(CASES)]
    if not results:
        return ""
    with PeakMeter(context.PROGRAMS / "peak", context.threads, capped("avx2")) as meter:
        peak = meter.measure().f32
    text = TEXT.format(tolerance=TOLERANCE, one=peak.one / 1e9, all=peak.all / 1e9, threads=context.threads)
    rows = [
        [
            title(r.case),
            number(r.speeds["all"]),
            number(r.speeds["avx2"]),
            share(r.shares("avx2", lambda _: peak.all)),
            ratio(r.ratios("avx2", "all")),
        ]
        for r in results
    ]
    columns = ["network", "all, tokens/s", "AVX2, tokens/s", "of AVX2's floor", "AVX2 to all (range)"]
    return f"## Without AVX-512\n\n{text}\n\n{table(columns, rows)}"
