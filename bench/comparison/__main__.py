"""Times unroll beside its peers and prints one Markdown document; progress goes to standard error.

Sets up what the wanted sections need and builds it in build/bench. In each round all sides of a comparison run one
after another, the processor's peak among them; numbers are medians over the rounds, a ratio is the median of the
rounds' ratios, with its range. Outputs of both sides are compared before anything is timed: the command fails where
they differ, after measuring and printing the other sections. UNROLL_MAX_ISA=avx2 caps unroll and the peak, not the
peers.
"""

import argparse
import datetime
import importlib
import os
import platform
import shlex
import subprocess
import sys
import tempfile

from . import sections, setup
from .context import BUILD, ROOT, Context
from .failed import Failed
from .side import PeakMeter, progress


def positive(word):
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is not a positive number")
    return number


def parse(arguments, modules):
    help_of_sections = "\n".join(f"  {name:14}{module.HELP}" for name, module in modules.items())
    parser = argparse.ArgumentParser(
        prog="bench/compare",
        description=__doc__,
        epilog=f"sections:\n{help_of_sections}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = list(modules)
    parser.add_argument("--section", action="append", choices=names, metavar="NAME", help="this alone; may be repeated")
    parser.add_argument("--rounds", type=positive, default=7, metavar="N", help="measurements of each side (7)")
    every = os.cpu_count()
    parser.add_argument("--threads", type=positive, default=every, metavar="N", help="unless a section says otherwise")
    parser.add_argument("--case", action="append", metavar="WORD", help="cases that are named so; may be repeated")
    precisions = ["f32", "bf16", "int8"]
    parser.add_argument("--precision", action="append", choices=precisions, help="of unroll; may be repeated")
    parser.add_argument("--no-torch", action="store_true", help="do without PyTorch")
    parser.add_argument("--no-onnx", action="store_true", help="do without ONNX Runtime")
    for module in modules.values():
        if hasattr(module, "add_options"):
            module.add_options(parser)
    options = parser.parse_args(arguments)
    options.section = options.section or list(modules)
    prefix = [f"{name}={os.environ[name]}" for name in ("UNROLL_MAX_ISA",) if name in os.environ]
    options.command = shlex.join([*prefix, "bench/compare", *arguments])
    return options


def output_of(command):
    """What a command says; empty where there is no such command."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} processors visible"


def head(context, load):
    """What stands above the sections."""
    commit = output_of(["git", "describe", "--always", "--dirty"])
    peaks = []
    for name, peak in context.peak.medians()._asdict().items():
        every = f", {peak.all / 1e9:.0f} with {context.threads}" if context.threads > 1 else ""
        peaks.append(f"{name} {peak.one / 1e9:.0f}{every}" if peak.one else f"{name} not there")
    lines = [
        "# Speed",
        "",
        f"`{context.options.command}` on {datetime.date.today()}" + (f", commit {commit}" if commit else ""),
        "",
        f"- processor: {processor()}; load average before the start {load:.2f}",
        f"- peak in registers, G operations/s with one thread: {'; '.join(peaks)}",
        *(f"- {name}: {text}" for name, text in context.notes.items()),
        f"- threads: {context.threads} unless a section says otherwise",
        f"- rounds: {context.rounds}, all sides in turn; medians",
    ]
    return "\n".join(lines)


def run(options, modules):
    load = os.getloadavg()[0]
    if load > 0.5:
        progress(f"bench/compare: other programs are running (load average {load:.2f}): expect noise")
    wanted = [modules[name] for name in modules if name in options.section]
    setup.prepare(wanted, options)
    with tempfile.TemporaryDirectory() as folder, PeakMeter(BUILD / "bench" / "peak", options.threads) as peak:
        context = Context(options, folder, peak)
        parts, failures = [], []
        for module in wanted:
            try:
                parts.append(module.measure(context).strip())
            except (Failed, subprocess.CalledProcessError) as error:
                failures.append(f"section {module.NAME}: {error}")
                progress(f"bench/compare: {failures[-1]}")
        print("\n\n".join([head(context, load), *filter(None, parts)]))
    if failures:
        raise Failed("; ".join(failures))


def main():
    modules = {name: importlib.import_module(f".sections.{name}", __package__) for name in sections.ORDER}
    try:
        run(parse(sys.argv[1:], modules), modules)
    except (Failed, subprocess.CalledProcessError) as error:
        print(f"bench/compare: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
