"""How soon `unroll generate` writes."""

import statistics
import subprocess
import time

from ..failed import Failed
from ..table import table

NAME = "first_token"
HELP = "time until `unroll generate` writes its first symbol"
PROGRAMS = []
HIDDEN = 880  # two layers of LSTM over printable ASCII: 50 MB
RUNS_PER_ROUND = 3

TEXT = """\
From starting the command to the first byte on its standard output, `unroll generate MODEL --length 1` with no prompt.
The file has been read shortly before, so it is in memory already."""


def make_model(context):
    """A character model after one step on synthetic text."""
    text, model = context.folder / "text.txt", context.folder / "first_token.safetensors"
    printable = "".join(map(chr, range(32, 127)))
    text.write_text("".join(printable[i:] + printable[:i] + "\n" for i in range(20)), encoding="ascii")
    flags = ["--layers", "2", "--hidden", str(HIDDEN), "--steps", "1", "--batch-size", "1", "--bptt", "2"]
    flags += ["--optimizer", "sgd", "--valid-split", "0", "--quiet"]
    subprocess.run([context.UNROLL, "train", text, "--save", model, *flags], check=True)
    return model


def milliseconds(command):
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        first = process.stdout.read(1)
        taken = time.perf_counter() - start
        process.stdout.read()
    if not first or process.returncode:
        raise Failed(f"{command[0]} generate wrote nothing, or ended with status {process.returncode}")
    return taken * 1e3


def measure(context):
    model = make_model(context)
    size = model.stat().st_size / 1e6
    command = [str(context.UNROLL), "generate", str(model), "--length", "1"]
    milliseconds(command)
    context.progress(f"first_token: {context.rounds * RUNS_PER_ROUND} runs")
    times = sorted(milliseconds(command) for _ in range(context.rounds * RUNS_PER_ROUND))
    model.unlink()
    middle = statistics.median(times)
    row = [f"lstm H{HIDDEN} L2, char, {size:.0f} MB", f"**{middle:.0f}**", f"{times[0]:.0f} to {times[-1]:.0f}"]
    return f"## First symbol\n\n{TEXT}\n\n" + table(["model", "ms until the first byte", "range"], [row])
