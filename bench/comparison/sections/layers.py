"""One recurrent layer alone, forward and backward, beside oneDNN's RNN primitives and LIBXSMM's LSTM cell."""

import collections
import os
import subprocess

from ..failed import Failed
from ..side import WARM_UP_SECONDS, introduced
from ..table import number, ratio, share, table

NAME = "layers"
HELP = "one recurrent layer alone, forward and backward, beside oneDNN and LIBXSMM (the LSTM in f32, with AVX-512)"
PROGRAMS = ["recurrent_layer", "rnn_primitive", "xsmm_layer"]
PEERS = ["oneDNN", "LIBXSMM"]
XSMM_VECTOR = 16  # units that LIBXSMM's vector code takes at once
SECONDS = 0.7  # of steps in one measurement, at least
RESULTS = ["h", "dx", "dh0", "dU", "dW", "db_input", "db_hidden"]
TOLERANCES = {"f32": 1e-4, "bf16": 3e-2}  # of a result's norm
CAPS = {"avx2": "AVX2", "sse4": "SSE41"}  # UNROLL_MAX_ISA, ONEDNN_MAX_CPU_ISA

Layer = collections.namedtuple("Layer", "name cell H B T")
LAYERS = [
    Layer(f"{cell}-h{H}-b{B}-t{T}", cell, H, B, T)
    for cell in ("lstm", "gru")
    for H, B, T in ((200, 20, 35), (512, 20, 35), (650, 20, 35), (512, 50, 50))
]

TEXT = """\
What training asks of one layer (E = H) between two updates: weights packed for the products of both directions,
gradients of the parameters to zero, forward, backward with the gradients of weights, biases, inputs and first state.
The other side is oneDNN's `lstm` and `lbr_gru` (the GRU whose reset gate stands after the product, as in unroll), which
choose the layouts of their weights themselves; the step includes their reorders. In bf16 that side gets its inputs and
gives its outputs in bf16, unroll in f32. A third side is the LSTM cell of LIBXSMM (Debian's 1.17) in f32, on processors
with AVX-512 and with multiples of 16 units, for which alone it has vector code; its step brings the weights into blocks
for both directions. Outputs and all gradients of the first step agree to {f32:g} of their norm in f32 and {bf16:g} in
bf16. "Packing" is its share of the step; "of peak" counts 6 operations per weight and token. UNROLL_MAX_ISA caps unroll
and oneDNN here, and leaves LIBXSMM out."""


def check(label, peer, ours, theirs, tolerance):
    """Fingerprints: a norm and sums with random signs (bench/recurrent_case.h). Returns the largest difference."""
    largest = 0.0
    for result in RESULTS:
        a, b = ([float(word) for word in facts[result].split()] for facts in (ours, theirs))
        difference = max(abs(x - y) for x, y in zip(a, b, strict=True))
        if not difference <= tolerance * b[0]:
            found = f"{result} of unroll and {peer} differ by {difference / b[0]:.2g} of its norm"
            raise Failed(f"{label}: {found}; {tolerance:g} allowed")
        largest = max(largest, difference / b[0])
    return largest


def their_environment():
    """oneDNN capped as unroll is."""
    cap = CAPS.get(os.environ.get("UNROLL_MAX_ISA", ""))
    return {**os.environ, "ONEDNN_MAX_CPU_ISA": cap} if cap else None


def libxsmm_is_missing(context):
    """Why LIBXSMM is not measured; empty if it is."""
    if os.environ.get("UNROLL_MAX_ISA"):
        return "UNROLL_MAX_ISA is set"
    check_it = [context.PROGRAMS / "xsmm_layer", "--check"]
    return subprocess.run(check_it, capture_output=True, text=True, check=False).stdout.strip()


def precisions(context):
    """Both; f32 alone where the processor, as capped, has no products in bf16."""
    has_bf16 = context.peak.medians().bf16.all > 0
    return context.precisions(["f32", "bf16"] if has_bf16 else ["f32"])


def measure_layer(context, layer, precision, with_libxsmm):
    words = [layer.cell, layer.H, layer.H, layer.B, layer.T, precision, context.threads]
    label = f"{layer.name} {precision}"
    sides = {
        "unroll": lambda: context.side("recurrent_layer", *words),
        "oneDNN": lambda: context.side("rnn_primitive", *words, environment=their_environment()),
    }
    if with_libxsmm and layer.cell == "lstm" and precision == "f32" and layer.H % XSMM_VECTOR == 0:
        sides["LIBXSMM"] = lambda: context.side("xsmm_layer", *words)
    with introduced(sides) as (started, facts):
        differences = {
            peer: check(label, peer, facts["unroll"], facts[peer], TOLERANCES[precision])
            for peer in started
            if peer != "unroll"
        }
        for side in started.values():
            side.ask(WARM_UP_SECONDS)
        rounds = []
        for number_of_round in range(context.rounds):
            context.progress(f"{label}: round {number_of_round + 1} of {context.rounds}")
            peak = getattr(context.peak.measure(), precision).all
            rounds.append((peak, *(side.ask(SECONDS) for side in started.values())))
    abouts = [f"{facts[peer]['about']} (differs by {differences[peer]:.1g})" for peer in differences]
    return row(layer, precision, int(facts["unroll"]["weights"]), rounds), "; ".join(abouts)


def row(layer, precision, weights, rounds):
    """Speeds of all sides, those of a peer that was not measured empty; then the ratios to the peers."""
    tokens = layer.B * layer.T
    cells = [f"{layer.cell} H{layer.H} B{layer.B} T{layer.T} {precision}"]
    sides = range(1, len(rounds[0]))
    for side in sides:
        answers = [entry[side] for entry in rounds]
        speeds = [steps * tokens / seconds for steps, seconds, _ in answers]
        cells += [
            number(speeds),
            share([6 * weights * speed / entry[0] for speed, entry in zip(speeds, rounds, strict=True)]),
            share([packing / seconds for _, seconds, packing in answers]),
        ]
    cells += ["", "", ""] * (len(PEERS) + 1 - len(sides))
    for side in sides[1:]:
        speeds = [(entry[1][0] / entry[1][1], entry[side][0] / entry[side][1]) for entry in rounds]
        cells.append(ratio([ours / theirs for ours, theirs in speeds]))
    return cells + [""] * (len(PEERS) + 1 - len(sides))


def measure(context):
    rows, abouts = [], []
    missing = libxsmm_is_missing(context)
    if missing:
        context.notes["LIBXSMM"] = f"not measured: {missing}"
        context.progress(f"layers: without LIBXSMM: {missing}")
    for layer in context.cases(LAYERS):
        for precision in precisions(context):
            cells, about = measure_layer(context, layer, precision, not missing)
            rows.append(cells)
            abouts.append(f"{cells[0]}: {about}")
    if not rows:
        return ""
    columns = ["layer"]
    for side in ["unroll", *PEERS]:
        columns += [f"{side}, tokens/s", "of peak", "packing"]
    columns += [f"ratio to {peer} (range)" for peer in PEERS]
    implementations = "\n".join(f"- {about}" for about in abouts)
    return "\n\n".join(
        [
            "## Recurrent layers alone",
            TEXT.format(**TOLERANCES),
            table(columns, rows),
            "Implementations that the peers chose, and the largest difference of their results, as a share of the norm:"
            f"\n\n{implementations}",
        ]
    )
