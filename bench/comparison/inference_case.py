"""Networks that are only run, in windows of T steps by B rows: bench/infer_step.cc beside ONNX Runtime."""

import collections
import functools
import math
import statistics
import subprocess

from . import onnx_peer
from .failed import Failed
from .side import interleave, introduced
from .table import number, ratio, share, table

SECONDS = 1.0  # of steps in one measurement, at least
PEER_TOLERANCE = 1e-4  # between log-probabilities, each
# Root of the mean square of the differences to f32. None at all would mean that the precision was not used.
ROUNDED_TOLERANCES = {"bf16": 1e-3, "int8": 3e-3}
PEER = "ONNX Runtime f32"

Case = collections.namedtuple("Case", "name V E H L")
CASES = [
    Case("lstm-v65-h128", 65, 128, 128, 2),
    Case("lstm-v65-h512", 65, 512, 512, 2),
    Case("lstm-v10000-h650", 10000, 650, 650, 2),
]
CALL = Case("lstm-v65-h1", 65, 1, 1, 2)  # of which a run by ONNX Runtime is little more than the call
BYTES = {"f32": 4, "bf16": 2, "int8": 1, PEER: 4}  # of a weight


def check(case, facts):
    """ONNX Runtime's outputs are f32's; bf16's and int8's are near them."""
    log_probs = {name: [float(word) for word in said["log_probs"].split()] for name, said in facts.items()}
    expected = log_probs["f32"]
    for name in log_probs.keys() - {"f32"}:
        differences = [abs(a - b) for a, b in zip(log_probs[name], expected, strict=True)]
        if name == PEER:
            agrees, limit, distance = max(differences) <= PEER_TOLERANCE, PEER_TOLERANCE, max(differences)
        else:
            distance = math.sqrt(sum(d * d for d in differences) / len(differences))
            limit = ROUNDED_TOLERANCES[name]
            agrees = 0 < distance <= limit
        if not agrees:
            raise Failed(f"{case.name}: log-probabilities of {name} are {distance:g} from f32's; allowed is {limit:g}")


def measure_case(context, case, B, T, threads, rounded):
    """Runs f32, the precisions `rounded` and the peer in turn.

    Returns tokens per second by side and round, the rounds' peaks, MiB by side, and the number of multiplied weights.
    """
    words = [str(size) for size in (*case[1:], B, T, threads)]
    weights, model, ids = (context.folder / f"{case.name}.{kind}" for kind in ("safetensors", "onnx", "ids"))
    start = functools.partial(context.side, "infer_step", *words)
    sides = {name: functools.partial(start, name) for name in ["f32", *rounded]}
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


def measure_call(context):
    """Seconds that ONNX Runtime takes for a network of one unit."""
    (speeds, *_) = measure_case(context, CALL, 1, 1, 1, [])
    return 1 / statistics.median(speeds[PEER])


def shares(speeds, peaks, weights):
    """Of the floor: 2 operations per multiplied weight and token at the peak."""
    return [speed * 2 * weights / peak for speed, peak in zip(speeds, peaks, strict=True)]


def rows_of(case, measured, threads, with_bytes, call):
    """A row of the table for each side. `call`: seconds, or None."""
    speeds, peaks, mebibytes, weights = measured
    reference = PEER if PEER in speeds else "f32"
    rows = []
    for name, rates in speeds.items():
        kind = "f32" if name == PEER else name
        own = [getattr(p, kind).one if threads == 1 else getattr(p, kind).all for p in peaks]
        side = name if name == PEER else f"unroll {name}"
        row = [f"lstm V{case.V} E{case.E} H{case.H} L{case.L}", side, number(rates)]
        row.append(share(shares(rates, own, weights)) if all(own) else "-")
        if with_bytes:
            row.append(number([rate * weights * BYTES[name] / 1e9 for rate in rates], 1))
        row.append(f"{mebibytes[name]:.0f}")
        ratios = [a / b for a, b in zip(rates, speeds[reference], strict=True)]
        row.append("" if name == reference else ratio(ratios))
        if call:
            without = [a * (1 / b - call) for a, b in zip(rates, speeds[reference], strict=True)]
            row.append("" if name == reference else number(without, 2))
        rows.append(row)
    return rows


def section(context, B, T, threads, with_bytes):
    """The table of all wanted cases; empty where there are none."""
    cases = context.cases(CASES)
    if not cases:
        return ""
    call = measure_call(context) if B * T == 1 and not context.options.no_onnx else None
    rounded = context.precisions(["bf16", "int8"])
    rows = []
    for case in cases:
        rows += rows_of(case, measure_case(context, case, B, T, threads, rounded), threads, with_bytes, call)
    reference = "unroll f32" if context.options.no_onnx else PEER
    columns = ["network", "side", "tokens/s", "of floor"]
    columns += ["weights, GB/s"] if with_bytes else []
    columns += ["peak MiB", f"ratio to {reference} (range)"]
    return table([*columns, f"without {call * 1e6:.0f} µs a call"] if call else columns, rows)
