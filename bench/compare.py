"""Times training steps of unroll and of PyTorch in turn and prints a Markdown table; bench/compare builds, then runs it.

Both sides begin with the same weights and symbols; losses and gradient norms of their first three steps must agree, or
the command fails. Then each round measures the processor's peak, unroll and PyTorch, one after another. Numbers are
medians over the rounds; a ratio is the median of the rounds' ratios. The floor of a step is 6 operations per multiplied
weight and token at the peak of that round; "of floor" is the floor's time as a share of the step's.
"""

import argparse
import collections
import datetime
import glob
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "bench" / "bench"
TORCH = ["/usr/bin/python3", "-B", str(ROOT / "bench" / "train_step_torch.py")]
TOLERANCE = 1e-4  # between the two sides' losses and norms, relative
SECONDS = 2.0  # of steps in one measurement, at least
WARM_UP_SECONDS = 0.5

Case = collections.namedtuple("Case", "name cell V E H L B T")
CASES = [
    Case("lstm-v10000-h200", "lstm", 10000, 200, 200, 2, 20, 20),
    Case("lstm-v10000-h650", "lstm", 10000, 650, 650, 2, 20, 35),
    Case("lstm-v65-h128", "lstm", 65, 128, 128, 2, 50, 50),
    Case("lstm-v65-h512", "lstm", 65, 512, 512, 2, 50, 50),
    Case("gru-v65-h512", "gru", 65, 512, 512, 2, 50, 50),
    Case("rnn-v8000-h100", "rnn-tanh", 8000, 100, 100, 1, 20, 20),
]


class Failed(Exception):
    """What ends the command with a message and status 1."""


class Side:
    """A program that introduces itself, then answers each line with one line."""

    def __init__(self, command, environment=None):
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{shlex.join(self.command)} ended with status {self.process.wait()}")
        return line.strip()

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return [float(word) for word in self.read().split()]

    def introduction(self):
        facts = {}
        while (line := self.read()) != "ready":
            key, _, rest = line.partition(" ")
            facts[key] = rest
        return facts

    def peak_mebibytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


class Nobody:
    """Stands where PyTorch is not wanted."""

    def __enter__(self):
        return None

    def __exit__(self, *_):
        pass


def torch_environment(threads, kernels):
    """PyTorch with the BLAS that suits it best: Debian's OpenBLAS for OpenMP, choosing its kernels by itself.

    Without this, Debian's PyTorch may run on the reference BLAS, some thirty times slower, or on an OpenBLAS with
    threads of its own beside PyTorch's.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    folders = glob.glob("/usr/lib/*/openblas-openmp")
    if not folders:
        raise Failed("no OpenBLAS for OpenMP in /usr/lib: tools/setup torch installs it")
    environment["LD_LIBRARY_PATH"] = ":".join(folders)
    environment["OMP_NUM_THREADS"] = str(threads)
    if kernels:
        environment["OPENBLAS_CORETYPE"] = kernels
    return environment


def check_equal(case, ours, theirs):
    """Both sides compute the same: forward (losses), backward (norms), clipping and update (those of later steps)."""
    for quantity, name in (("losses", "the loss"), ("norms", "the norm of the gradient")):
        pairs = zip(map(float, ours[quantity].split()), map(float, theirs[quantity].split()), strict=True)
        for step, (a, b) in enumerate(pairs, 1):
            if not abs(a - b) <= TOLERANCE * abs(b):
                raise Failed(f"{case.name}: {name} in step {step} is {a} in unroll and {b} in PyTorch")


def measure(case, options, peak, facts):
    """Runs one case; returns its rounds and the peak memory of both sides."""
    sizes = [str(size) for size in case[1:]] + [str(options.threads)]
    program = [str(PROGRAMS / "train_step"), *sizes]
    with tempfile.TemporaryDirectory() as folder:
        start = f"{folder}/start.safetensors"
        subprocess.run([*program, "--write", start], check=True)
        torch = Nobody() if options.no_torch else Side([*TORCH, *sizes, start], torch_environment(options.threads, options.blas_kernels))
        with Side(program) as ours, torch as theirs:
            facts["unroll"] = ours.introduction()
            if theirs:
                facts["torch"] = theirs.introduction()
                check_equal(case, facts["unroll"], facts["torch"])
            sides = [side for side in (ours, theirs) if side]
            for side in sides:
                side.ask(WARM_UP_SECONDS)
            rounds = []
            for number in range(options.rounds):
                print(f"{case.name}: round {number + 1} of {options.rounds}", file=sys.stderr)
                rounds.append((peak.ask(""), [side.ask(SECONDS) for side in sides]))
            return rounds, [side.peak_mebibytes() for side in sides]


def table_row(case, weights, rounds, memory):
    """The numbers of a case as cells of the table."""
    tokens = case.B * case.T
    speeds = [[steps * tokens / seconds for steps, seconds in sides] for _, sides in rounds]
    shares = [
        [speed * 6 * weights / (peak[1] * 1e9) for speed in row] for (peak, _), row in zip(rounds, speeds, strict=True)
    ]
    cells = [
        f"{case.cell} V{case.V} E{case.E} H{case.H} L{case.L} B{case.B} T{case.T}",
        f"{weights / 1e6:.2f} M",
        *(f"{statistics.median(column):,.0f}" for column in zip(*speeds)),
        *(f"{statistics.median(column):.0%}" for column in zip(*shares)),
        *(f"{mebibytes:.0f}" for mebibytes in memory),
    ]
    if len(memory) == 2:
        ratios = [ours / theirs for ours, theirs in speeds]
        cells.append(f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})")
    return cells


def heading(no_torch):
    sides = ["unroll"] if no_torch else ["unroll", "PyTorch"]
    columns = ["network", "multiplied weights"]
    for quantity in ("{}, tokens/s", "{}, of floor", "{}, peak MiB"):
        columns += [quantity.format(side) for side in sides]
    return columns if no_torch else [*columns, "ratio of speeds (range)"]


def first_line(command):
    """What a command says about a version; empty where there is no such command."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} processors visible"


def describe(options, load, peaks, facts):
    """What stands above the table."""
    commit = first_line(["git", "describe", "--always", "--dirty"])
    print("# Training speed" + ("" if options.no_torch else " beside PyTorch") + "\n")
    print(f"`{options.command}` on {datetime.date.today()}" + (f", commit {commit}" if commit else "") + "\n")
    print(f"- processor: {processor()}; load average before the start {load:.2f}")
    one, every = (statistics.median(column) for column in zip(*peaks))
    peak = f"{one:.0f} GFLOP/s with one thread" + (f", {every:.0f} with {options.threads}" if options.threads > 1 else "")
    print(f"- f32 peak: {peak}")
    print(f"- {facts['unroll']['about']}")
    if "torch" in facts:
        version = first_line(["dpkg-query", "-W", "-f", "${Version}", "python3-torch"])
        print(f"- PyTorch {version} (Debian): {facts['torch']['about']}")
    print(f"- threads: {options.threads}; rounds: {options.rounds}, both sides in turn; medians")
    print("- a step: embedding, L recurrent layers, softmax, backward, clipping, SGD; B rows of T random symbols\n")


def print_table(rows, no_torch):
    columns = heading(no_torch)
    print("| " + " | ".join(columns) + " |")
    print("|---" + "|---:" * (len(columns) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def positive(word):
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is not a positive number")
    return number


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), metavar="N", help="of both sides")
    parser.add_argument("--rounds", type=positive, default=7, metavar="N", help="measurements of each side (7)")
    names = [case.name for case in CASES]
    parser.add_argument("--case", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--blas-kernels", metavar="NAME", help="make PyTorch's OpenBLAS use these (Haswell: AVX2)")
    parser.add_argument("--no-torch", action="store_true", help="unroll alone")
    options = parser.parse_args(arguments)
    options.cases = [case for case in CASES if not options.case or case.name in options.case]
    options.command = shlex.join(["bench/compare", *arguments])
    return options


def main():
    options = parse(sys.argv[1:])
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"bench/compare: other programs are running (load average {load:.2f}): expect noise", file=sys.stderr)
    rows, peaks, facts = [], [], {}
    try:
        with Side([str(PROGRAMS / "peak"), str(options.threads)]) as peak:
            for case in options.cases:
                rounds, memory = measure(case, options, peak, facts)
                rows.append(table_row(case, int(facts["unroll"]["weights"]), rounds, memory))
                peaks += [peak for peak, _ in rounds]
    except (Failed, subprocess.CalledProcessError) as error:
        print(f"bench/compare: {error}", file=sys.stderr)
        return 1
    describe(options, load, peaks, facts)
    print_table(rows, options.no_torch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
