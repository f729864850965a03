#!/usr/bin/env python3
"""Draws the curves of training runs: loss over steps, of training thin and of validation thick.

    curves.py RUN... --save curves.svg

A RUN is a model file, which holds its history, or a log that `unroll train --log` wrote. With matplotlib the picture may
be of any kind that it knows (.png, .pdf, .svg); without it, an SVG file is written here.
"""

import argparse
import html
import json
import math
import pathlib
import sys

import unroll

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:
    pyplot = None

COLOURS = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b9770e", "#555555"]
WIDTH, HEIGHT, MARGIN = 720, 420, 60


def points_of(path):
    """Training and validation of a run: two lists of (step, nats per token)."""
    if path.suffix == ".safetensors":
        history = unroll.Model.open(path).metadata["history"]
    else:
        history = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    train = [(point["step"], point["nats_per_token"]) for point in history]
    valid = [(point["step"], point["valid_nats_per_token"]) for point in history
             if point.get("valid_nats_per_token") is not None]
    return train, valid


def draw_with_matplotlib(runs, save):
    figure, axes = pyplot.subplots(figsize=(WIDTH / 96, HEIGHT / 96))
    for colour, (name, (train, valid)) in zip(COLOURS * len(runs), runs):
        axes.plot(*zip(*train), color=colour, linewidth=0.7, alpha=0.6)
        axes.plot(*zip(*(valid or train)), color=colour, linewidth=2, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("nats per token")
    axes.legend()
    figure.savefig(save)


def ticks(low, high):
    """Five or so round numbers between both."""
    width = 10 ** math.floor(math.log10((high - low) / 2 or 1))
    step = next(width * k for k in (1, 2, 5, 10) if (high - low) / (width * k) <= 6)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def svg(runs):
    """The picture as text."""
    everything = [point for _, curves in runs for curve in curves for point in curve]
    left, right = 0, max(step for step, _ in everything)
    low, high = min(loss for _, loss in everything), max(loss for _, loss in everything)
    if high == low:
        low, high = low - 0.5, high + 0.5

    def x(step):
        return MARGIN + (WIDTH - 2 * MARGIN) * (step - left) / (right - left or 1)

    def y(loss):
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (loss - low) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
             f'font-size="12"><rect width="100%" height="100%" fill="white"/>']
    for step in ticks(left, right):
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{step:g}</text>')
    for loss in ticks(low, high):
        parts.append(f'<path d="M{MARGIN},{y(loss):.1f}H{WIDTH - MARGIN}" stroke="#dddddd"/>'
                     f'<text x="{MARGIN - 6}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss:.4g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">step</text>')
    parts.append(f'<text transform="translate(16,{HEIGHT / 2}) rotate(-90)" text-anchor="middle">nats per token</text>')
    for i, (name, (train, valid)) in enumerate(runs):
        colour = COLOURS[i % len(COLOURS)]
        for curve, width in ((train, 0.7), (valid or train, 2)):
            line = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in curve)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        parts.append(f'<text x="{WIDTH - MARGIN}" y="{MARGIN + 16 * i}" text-anchor="end" fill="{colour}">'
                     f'{html.escape(name)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUN", nargs="+", type=pathlib.Path)
    parser.add_argument("--save", required=True, type=pathlib.Path)
    options = parser.parse_args()
    runs = [(path.name, points_of(path)) for path in options.runs]
    for name, (train, _) in runs:
        if not train:
            sys.exit(f"curves.py: {name} has no steps")
    if pyplot is not None:
        draw_with_matplotlib(runs, options.save)
    elif options.save.suffix == ".svg":
        options.save.write_text(svg(runs), encoding="utf-8")
    else:
        sys.exit(f"curves.py: {options.save.name} takes matplotlib, which is not installed: name a file that ends in .svg")


if __name__ == "__main__":
    main()
