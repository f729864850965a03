"""One recurrent layer alone, forward and backward, beside oneDNN's own RNN primitives."""

import collections
import os

from ..failed import Failed
from ..side import WARM_UP_SECONDS, introduced
from ..table import number, ratio, share, table

NAME = "layers"
HELP = "one recurrent layer alone, forward and backward, beside oneDNN's RNN primitives"
PROGRAMS = ["recurrent_layer", "rnn_primitive"]
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
gives its outputs in bf16, unroll in f32. Outputs and all gradients of the first step agree to {f32:g} of their norm in
f32 and {bf16:g} in bf16. "Packing" is its share of the step; "of peak" counts 6 operations per weight and token.
UNROLL_MAX_ISA caps both sides here."""


def check(label, ours, theirs, tolerance):
    """Fingerprints: a norm and sums with random signs (bench/recurrent_case.h)."""
    for result in RESULTS:
        a, b = ([float(word) for word in facts[result].split()] for facts in (ours, theirs))
        difference = max(abs(x - y) for x, y in zip(a, b, strict=True))
        if not difference <= tolerance * b[0]:
            found = f"{result} of unroll and oneDNN differ by {difference / b[0]:.2g} of its norm"
            raise Failed(f"{label}: {found}; {tolerance:g} allowed")


def their_environment():
    """oneDNN capped as unroll is."""
    cap = CAPS.get(os.environ.get("UNROLL_MAX_ISA", ""))
    return {**os.environ, "ONEDNN_MAX_CPU_ISA": cap} if cap else None


def precisions(context):
    """Both; f32 alone where the processor, as capped, has no products in bf16."""
    has_bf16 = context.peak.medians().bf16.all > 0
    return context.precisions(["f32", "bf16"] if has_bf16 else ["f32"])


def measure_layer(context, layer, precision):
    words = [layer.cell, layer.H, layer.H, layer.B, layer.T, precision, context.threads]
    label = f"{layer.name} {precision}"
    sides = {
        "unroll": lambda: context.side("recurrent_layer", *words),
        "oneDNN": lambda: context.side("rnn_primitive", *words, environment=their_environment()),
    }
    with introduced(sides) as (started, facts):
        check(label, facts["unroll"], facts["oneDNN"], TOLERANCES[precision])
        for side in started.values():
            side.ask(WARM_UP_SECONDS)
        rounds = []
        for number_of_round in range(context.rounds):
            context.progress(f"{label}: round {number_of_round + 1} of {context.rounds}")
            peak = getattr(context.peak.measure(), precision).all
            rounds.append((peak, *(side.ask(SECONDS) for side in started.values())))
    return row(layer, precision, int(facts["unroll"]["weights"]), rounds), facts["oneDNN"]["about"]


def row(layer, precision, weights, rounds):
    tokens = layer.B * layer.T
    cells = [f"{layer.cell} H{layer.H} B{layer.B} T{layer.T} {precision}"]
    for side in (1, 2):
        answers = [entry[side] for entry in rounds]
        speeds = [steps * tokens / seconds for steps, seconds, _ in answers]
        cells += [
            number(speeds),
            share([6 * weights * speed / entry[0] for speed, entry in zip(speeds, rounds, strict=True)]),
            share([packing / seconds for _, seconds, packing in answers]),
        ]
    return [*cells, ratio([ours[0] / ours[1] * theirs[1] / theirs[0] for _, ours, theirs in rounds])]


def measure(context):
    rows, abouts = [], []
    for layer in context.cases(LAYERS):
        for precision in precisions(context):
            cells, about = measure_layer(context, layer, precision)
            rows.append(cells)
            abouts.append(f"{cells[0]}: {about}")
    if not rows:
        return ""
    columns = ["layer"]
    for side in ("unroll", "oneDNN"):
        columns += [f"{side}, tokens/s", "of peak", "packing"]
    implementations = "\n".join(f"- {about}" for about in abouts)
    return "\n\n".join(
        [
            "## Recurrent layers alone",
            TEXT.format(**TOLERANCES),
            table([*columns, "ratio of speeds (range)"], rows),
            f"Implementations that oneDNN chose:\n\n{implementations}",
        ]
    )
