"""The networks that are only run, in windows of T steps by B rows: bench/infer_step.cc beside ONNX Runtime."""

import collections
import functools
import math
import subprocess

from . import onnx_peer
from .failed import Failed
from .side import interleave, introduced
from .table import number, ratio, share, table

SECONDS = 1.0  # of steps in one measurement, at least
PEER_TOLERANCE = 1e-4  # between log-probabilities, each
ROUNDED_TOLERANCE = 0.02  # root of the mean square of the differences between a lower precision and f32
PEER = "ONNX Runtime f32"

Case = collections.namedtuple("Case", "name V E H L")
CASES = [
    Case("lstm-v65-h128", 65, 128, 128, 2),
    Case("lstm-v65-h512", 65, 512, 512, 2),
    Case("lstm-v10000-h650", 10000, 650, 650, 2),
]
BYTES = {"f32": 4, "bf16": 2, "int8": 1, PEER: 4}  # of a weight


def check(case, facts):
    """ONNX Runtime's outputs are f32's; bf16's and int8's are near them."""
    log_probs = {name: [float(word) for word in said["log_probs"].split()] for name, said in facts.items()}
    expected = log_probs["f32"]
    for name, found in log_probs.items():
        differences = [abs(a - b) for a, b in zip(found, expected, strict=True)]
        worst = max(differences) if name == PEER else math.sqrt(sum(d * d for d in differences) / len(differences))
        limit = PEER_TOLERANCE if name == PEER else ROUNDED_TOLERANCE
        if not worst <= limit:
            raise Failed(f"{case.name}: log-probabilities of {name} and f32 are {worst:g} apart, more than {limit:g}")


def measure_case(context, case, B, T, threads):
    """Runs the wanted sides in turn; returns rates of tokens by side and round, the rounds' peaks, memory, weights."""
    words = [str(size) for size in (*case[1:], B, T, threads)]
    weights, model, ids = (context.folder / f"{case.name}.{kind}" for kind in ("safetensors", "onnx", "ids"))
    names = ["f32", *(name for name in context.precisions(["bf16", "int8"]))]
    sides = {name: functools.partial(context.side, "infer_step", *words, name) for name in names}
    if not context.options.no_onnx:
        subprocess.run([context.PROGRAMS / "infer_step", *words, "f32", "--write", weights], check=True)
        onnx_peer.write_model(weights, B, T, model, ids)
        sides[PEER] = lambda: onnx_peer.side(model, ids, B, T, threads)
    with introduced(sides) as (started, facts):
        check(case, facts)
        context.notes["unroll"] = facts["f32"]["about"]
        if PEER in facts:
            context.notes["ONNX Runtime"] = facts[PEER]["about"]
            for file in (weights, model, ids):
                file.unlink()
        rounds = interleave(context, f"{case.name}, {B} x {T}", list(started.values()), SECONDS)
        speeds = {name: [r.rates[i] * B * T for r in rounds] for i, name in enumerate(started)}
        mebibytes = {name: side.peak_mebibytes() for name, side in started.items()}
        return speeds, [r.peaks for r in rounds], mebibytes, int(facts["f32"]["weights"])


def shares(speeds, peaks, weights):
    """Of the floor: 2 operations per multiplied weight and token at the peak."""
    return [speed * 2 * weights / peak for speed, peak in zip(speeds, peaks, strict=True)]


def rows_of(case, measured, threads, with_bytes):
    """A row of the table for each side."""
    speeds, peaks, mebibytes, weights = measured
    reference = PEER if PEER in speeds else "f32"
    rows = []
    for name, rates in speeds.items():
        kind = "f32" if name == PEER else name
        own = [getattr(p, kind).one if threads == 1 else getattr(p, kind).all for p in peaks]
        row = [f"lstm V{case.V} E{case.E} H{case.H} L{case.L}", name if name == PEER else f"unroll {name}", number(rates)]
        row.append(share(shares(rates, own, weights)) if all(own) else "-")
        if with_bytes:
            row.append(number([rate * weights * BYTES[name] / 1e9 for rate in rates], 1))
        row.append(f"{mebibytes[name]:.0f}")
        ratios = [a / b for a, b in zip(rates, speeds[reference], strict=True)]
        rows.append([*row, "" if name == reference else ratio(ratios)])
    return rows


def section(context, B, T, threads, with_bytes):
    """The table of all wanted cases; empty where there are none."""
    rows = []
    for case in context.cases(CASES):
        rows += rows_of(case, measure_case(context, case, B, T, threads), threads, with_bytes)
    if not rows:
        return ""
    reference = "unroll f32" if context.options.no_onnx else PEER
    columns = ["network", "side", "tokens/s", "of floor"]
    columns += ["weights, GB/s"] if with_bytes else []
    return table([*columns, "peak MiB", f"ratio to {reference} (range)"], rows)
