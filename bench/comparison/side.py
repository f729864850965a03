"""Programs that are measured: each introduces itself, then answers each line with one line."""

import collections
import contextlib
import os
import shlex
import statistics
import subprocess
import sys

from .failed import Failed

WARM_UP_SECONDS = 0.3

Peaks = collections.namedtuple("Peaks", "f32 bf16 int8")
Peak = collections.namedtuple("Peak", "one all")  # operations per second, of one thread and of all; 0: not there
Round = collections.namedtuple("Round", "peaks rates")  # rates: steps per second of each side, in their order


class Side:
    """A program that prints `KEY words...` lines and `ready`, then for each line on its input one line of numbers.

    Use it in a `with` statement: leaving it closes the program's input, which ends the program.
    """

    def __init__(self, command, environment=None):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{shlex.join(self.command)} ended with status {self.process.wait()}")
        return line.strip()

    def introduction(self):
        """What stands before `ready`, the first word of each line as the key."""
        facts = {}
        while (line := self.read()) != "ready":
            key, _, rest = line.partition(" ")
            facts[key] = rest
        return facts

    def ask(self, line):
        """The numbers of the answer."""
        try:
            print(line, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Failed(f"{shlex.join(self.command)} ended with status {self.process.wait()}") from None
        return [float(word) for word in self.read().split()]

    def rate(self, seconds):
        """Steps per second over at least so many seconds; for programs that answer `STEPS SECONDS ...`."""
        steps, taken, *_ = self.ask(seconds)
        return steps / taken

    def peak_mebibytes(self):
        """The most memory that the program has had at once."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


class PeakMeter:
    """The program `peak`: what the processor can do at this moment."""

    def __init__(self, program, threads, environment=None):
        self.side = Side([program, threads], environment)
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.side.__exit__(*exception)

    def measure(self):
        numbers = [number * 1e9 for number in self.side.ask("")]
        self.seen.append(Peaks(*(Peak(*numbers[i : i + 2]) for i in (0, 2, 4))))
        return self.seen[-1]

    def medians(self):
        """Over all that was measured; measures once where nothing was."""
        if not self.seen:
            self.measure()
        columns = zip(*self.seen)
        return Peaks(*(Peak(*map(statistics.median, zip(*column))) for column in columns))


@contextlib.contextmanager
def introduced(sides):
    """Starts sides, a dict of functions that do; yields them and what they said, in dicts of the same names."""
    with contextlib.ExitStack() as stack:
        started = {name: stack.enter_context(start()) for name, start in sides.items()}
        yield started, {name: side.introduction() for name, side in started.items()}


def interleave(context, label, sides, seconds):
    """Measures the peak and each side in turn, once a round; returns the rounds. Every side has been introduced."""
    for side in sides:
        side.ask(WARM_UP_SECONDS)
    rounds = []
    for number in range(context.rounds):
        context.progress(f"{label}: round {number + 1} of {context.rounds}")
        rounds.append(Round(context.peak.measure(), [side.rate(seconds) for side in sides]))
    return rounds


def capped(instruction_set):
    """The environment in which unroll's programs use no more than that: avx2 or sse4."""
    return {**os.environ, "UNROLL_MAX_ISA": instruction_set}


def progress(text):
    print(text, file=sys.stderr, flush=True)
