"""The bytes of training: planned, measured, and PyTorch's."""

import collections
import subprocess

from .. import torch_peer
from ..side import introduced
from ..table import table
from ..training_case import Case, check_equal, sizes, title

NAME = "memory"
HELP = "bytes of a training run: planned, measured, and PyTorch's"
PROGRAMS = ["train_step", "memory_plan"]
SETS = ["torch"]
# Relative, between the two sides. PyTorch sums squares in f32: with 100,000 symbols its norm is 4e-4 off that of its
# own gradient in double, while ours is 1e-5 off.
TOLERANCES = {"losses": 1e-4, "norms": 1e-3}
WINDOWS = 8  # of symbols in bench/train_step.cc
MEBIBYTE = 1 << 20
CASES = [
    Case("memory-v10000-h650", "lstm", 10000, 650, 650, 2, 20, 35),
    Case("memory-v100000-h512", "lstm", 100000, 512, 512, 2, 20, 35),
]
EMPTY = Case("memory-empty", "lstm", 2, 1, 1, 1, 1, 1)  # a process with as good as nothing in it

TEXT = """\
Training in f32 with SGD, the same network and symbols on both sides; losses of the first three steps agree to {losses:g},
gradient norms to {norms:g}. "Planned" is what the table of a run (`unroll train` prints its sum) says before anything
is allocated. "Whole process" is the most resident memory that it ever had (VmHWM in /proc), "measured" the same less
that of a process with the smallest network there is: {empty}."""


def planned(context, case):
    """Bytes by name, equal names together."""
    tokens = (WINDOWS * case.T + 1) * case.B
    command = [context.PROGRAMS / "memory_plan", *sizes(case), str(tokens)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    plan = collections.Counter()
    for line in output.splitlines():
        size, _, name = line.partition(" ")
        plan[name] += int(size)
    return plan


def measured(context, case):
    """MiB of each side's process after a few steps."""
    context.progress(f"{case.name}: steps")
    words = [*sizes(case), str(context.threads), "f32"]
    sides = {"unroll": lambda: context.side("train_step", *words)}
    start = context.folder / f"{case.name}.safetensors"
    if not context.options.no_torch:
        subprocess.run([context.PROGRAMS / "train_step", *words, "--write", start], check=True)
        sides["PyTorch"] = lambda: torch_peer.side(
            "train_step_torch.py", *sizes(case), str(context.threads), start, threads=context.threads
        )
    with introduced(sides) as (started, facts):
        if "PyTorch" in facts:
            for quantity, tolerance in TOLERANCES.items():
                check_equal(case, [quantity], facts["unroll"], facts["PyTorch"], ["unroll", "PyTorch"], tolerance)
            start.unlink()
        for side in started.values():
            side.ask(0)
        return {name: side.peak_mebibytes() for name, side in started.items()}


def columns(names):
    """Above the smallest network, then of whole processes."""
    result = ["network", "planned, MiB"]
    for what in ("measured, MiB", "whole process, MiB"):
        result += [what, *(f"{name}'s" for name in names[1:]), *("ratio" for _ in names[1:])]
    return result


def row(case, plan, whole, empty):
    cells = [title(case), f"{sum(plan.values()) / MEBIBYTE:,.0f}"]
    for mebibytes in ({name: whole[name] - empty[name] for name in whole}, whole):
        cells += [f"{value:,.0f}" for value in mebibytes.values()]
        if "PyTorch" in mebibytes:
            cells.append(f"**{mebibytes['unroll'] / mebibytes['PyTorch']:.2f}**")
    return cells


def measure(context):
    cases = context.cases(CASES)
    if not cases:
        return ""
    empty = measured(context, EMPTY)
    plans = {case: planned(context, case) for case in cases}
    rows = [row(case, plans[case], measured(context, case), empty) for case in cases]
    names = list(dict.fromkeys(name for plan in plans.values() for name in plan))
    items = [[name, *(f"{plans[case][name] / MEBIBYTE:,.1f}" for case in cases)] for name in names]
    of_empty = ", ".join(f"{mebibytes:.0f} MiB in {name}" for name, mebibytes in empty.items())
    return "\n\n".join(
        [
            "## Memory",
            TEXT.format(empty=of_empty, **TOLERANCES),
            table(columns(list(empty)), rows),
            "Planned for what, in MiB:",
            table(["", *map(title, cases)], items),
        ]
    )
