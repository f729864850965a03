"""A step of training: beside PyTorch, in bf16 beside f32, on all threads beside one."""

import functools
import subprocess

from .. import torch_peer
from ..side import introduced
from ..table import number, ratio, share, table
from ..training_case import CASES, Measured, check_equal, sizes, title

NAME = "training"
HELP = "steps of training: beside PyTorch, in bf16 beside f32, on all threads beside one"
PROGRAMS = ["train_step"]
SETS = ["torch"]
PEER_TOLERANCE = 1e-4  # relative, between losses and norms of the two sides
BF16_TOLERANCE = {"losses": 1e-4, "norms": 2e-2}  # relative, between bf16 and f32

TEXT = """\
A step is what `unroll train` repeats: gradient to zero, embedding, L recurrent layers, softmax, backward, norm,
clipping, SGD, packing of the weights; B rows of T random symbols, all sides from the same weights. Losses and gradient
norms of the first three steps agree with PyTorch's to {peer:g} of their size; bf16's with f32's to {loss:g} and {norm:g};
one thread's with those of all exactly. "Of floor": the time of 6 operations per multiplied weight and token at that round's
peak (of the precision and number of threads) as a share of the step's."""


def add_options(parser):
    parser.add_argument("--blas-kernels", metavar="NAME", help="make PyTorch's OpenBLAS use these (Haswell: AVX2)")


def measure_case(context, case):
    """Runs the wanted sides of a case in turn."""
    start = context.folder / f"{case.name}.safetensors"
    words = sizes(case)
    every = str(context.threads)
    subprocess.run([context.PROGRAMS / "train_step", *words, every, "f32", "--write", start], check=True)
    ours = functools.partial(context.side, "train_step", *words)
    sides = {"f32": lambda: ours(every, "f32")}
    if not context.options.no_torch:
        sides["PyTorch"] = lambda: torch_peer.side(
            "train_step_torch.py", *words, every, start, threads=context.threads, kernels=context.options.blas_kernels
        )
    if "bf16" in context.precisions(["f32", "bf16"]):
        sides["bf16"] = lambda: ours(every, "bf16")
    if context.threads > 1:
        sides["one thread"] = lambda: ours("1", "f32")
    with introduced(sides) as (started, facts):
        start.unlink()
        check(case, facts)
        context.notes["unroll"] = facts["f32"]["about"]
        if "PyTorch" in facts:
            context.notes["PyTorch"] = f"{torch_peer.version()}: {facts['PyTorch']['about']}"
        return Measured(context, case, started, facts)


def check(case, facts):
    """Every side against f32."""
    if "PyTorch" in facts:
        check_equal(case, ["losses", "norms"], facts["f32"], facts["PyTorch"], ["unroll", "PyTorch"], PEER_TOLERANCE)
    if "bf16" in facts:
        for quantity, tolerance in BF16_TOLERANCE.items():
            check_equal(case, [quantity], facts["bf16"], facts["f32"], ["bf16", "f32"], tolerance)
    if "one thread" in facts:
        check_equal(case, ["losses", "norms"], facts["one thread"], facts["f32"], ["one thread", "all"], 0)


def beside_torch(results):
    columns = ["network", "multiplied weights", "unroll, tokens/s", "of floor", "peak MiB"]
    if "PyTorch" in results[0].speeds:
        columns += ["PyTorch, tokens/s", "of floor", "peak MiB", "ratio of speeds (range)"]
    rows = []
    for result in results:
        row = [title(result.case), f"{result.weights / 1e6:.2f} M"]
        for name in ("f32", "PyTorch"):
            if name in result.speeds:
                row += [number(result.speeds[name]), share(result.shares(name, lambda peaks: peaks.f32.all)),
                        f"{result.mebibytes[name]:.0f}"]
        if "PyTorch" in result.speeds:
            row.append(ratio(result.ratios("f32", "PyTorch")))
        rows.append(row)
    return "### f32" + (" compared with PyTorch" if "PyTorch" in results[0].speeds else "") + "\n\n" + table(columns, rows)


def bf16_beside_f32(results):
    rows = []
    for result in results:
        floor = "-"
        if all(peaks.bf16.all for peaks in result.peaks):
            floor = share(result.shares("bf16", lambda peaks: peaks.bf16.all))
        rows.append([title(result.case), number(result.speeds["bf16"]), floor, f"{result.mebibytes['bf16']:.0f}",
                     ratio(result.ratios("bf16", "f32"))])
    columns = ["network", "bf16, tokens/s", "of bf16 floor", "peak MiB", "ratio to f32 (range)"]
    return "### bf16 compared with f32\n\n" + table(columns, rows)


def threads_beside_one(results, threads):
    rows = [
        [title(result.case), number(result.speeds["one thread"]),
         share(result.shares("one thread", lambda peaks: peaks.f32.one)), ratio(result.ratios("f32", "one thread"))]
        for result in results
    ]
    columns = ["network", "one thread, tokens/s", "of one thread's floor", f"{threads} threads to one (range)"]
    return f"### {threads} threads compared with one, f32\n\n" + table(columns, rows)


def measure(context):
    results = [measure_case(context, case) for case in context.cases(CASES)]
    if not results:
        return ""
    text = TEXT.format(peer=PEER_TOLERANCE, loss=BF16_TOLERANCE["losses"], norm=BF16_TOLERANCE["norms"])
    parts = ["## Steps of training", text, beside_torch(results)]
    if "bf16" in results[0].speeds:
        parts.append(bf16_beside_f32(results))
    if "one thread" in results[0].speeds:
        parts.append(threads_beside_one(results, context.threads))
    return "\n\n".join(parts)
