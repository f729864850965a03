"""The plot of the section growth: one panel for each swept size, as SVG."""

import collections
import html
import math

Curve = collections.namedtuple("Curve", "name points line")  # points and line: (size, microseconds per token)
Panel = collections.namedtuple("Panel", "name worst curves")

COLOURS = ["#0072b2", "#d55e00"]  # told apart by every kind of colour vision
BAND = 0.25  # what is shaded around a law, relative
WIDTH, HEIGHT, COLUMNS = 300, 230, 3  # of a panel with its margins
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 28, 40  # margins
HEAD = 44  # above all panels


class Scale:
    """A logarithmic axis: from values to places."""

    def __init__(self, least, most, start, end):
        self.least, self.start = math.log(least), start
        self.slope = (end - start) / (math.log(most) - self.least)

    def __call__(self, value):
        return self.start + self.slope * (math.log(value) - self.least)


def ticks(least, most):
    """1, 2 and 5 times powers of ten."""
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    every = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [value for value in every if least <= value <= most]


def short(value):
    return f"{value / 1000:g}k" if value >= 1000 and value % 500 == 0 else f"{value:g}"


def text(x, y, words, anchor="middle", size=11, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>{html.escape(words)}</text>'


def marker(number, x, y):
    """Circles for the first curve, squares for the second."""
    colour = COLOURS[number % len(COLOURS)]
    if number % 2 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{colour}"/>'


def polyline(places, number):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="1.5"/>'


def band(x, y, line, number):
    """What is within BAND of a law."""
    upper = [(x(size), y(time * (1 + BAND))) for size, time in line]
    lower = [(x(size), y(time * (1 - BAND))) for size, time in reversed(line)]
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in upper + lower)
    return f'<polygon points="{path}" fill="{COLOURS[number % len(COLOURS)]}" opacity="0.12"/>'


def draw_axes(panel, x, y, lowest, highest):
    sizes = [size for size, _ in panel.curves[0].points]
    left, right, bottom = x(sizes[0]) - 10, x(sizes[-1]) + 10, HEIGHT - BOTTOM
    frame = f'x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{bottom - TOP}"'
    parts = [f'<rect {frame} fill="none" stroke="#999"/>']
    for value in ticks(lowest, highest):
        parts.append(f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        parts.append(text(left - 5, y(value) + 4, short(value), "end"))
    for size in sizes:
        parts.append(f'<line x1="{x(size):.1f}" x2="{x(size):.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="#999"/>')
        parts.append(text(x(size), bottom + 16, short(size)))
    middle = (left + right) / 2
    parts.append(text(middle, bottom + 32, panel.name, size=12))
    parts.append(text(middle, TOP - 8, f"over {panel.name}: worst deviation {panel.worst:.0%}", size=12))
    down = (TOP + bottom) / 2
    parts.append(text(14, down, "µs per token", size=11, extra=f' transform="rotate(-90 14 {down:.1f})"'))
    return parts


def draw_panel(panel):
    sizes = [size for size, _ in panel.curves[0].points]
    times = [time for curve in panel.curves for _, time in [*curve.points, *curve.line]]
    lowest, highest = min(times) / 1.6, max(times) * 1.6
    x = Scale(sizes[0], sizes[-1], LEFT + 10, WIDTH - RIGHT - 10)
    y = Scale(lowest, highest, HEIGHT - BOTTOM, TOP)
    parts = draw_axes(panel, x, y, lowest, highest)
    for number, curve in enumerate(panel.curves):
        parts.append(band(x, y, curve.line, number))
        parts.append(polyline([(x(size), y(time)) for size, time in curve.line], number))
        parts += [marker(number, x(size), y(time)) for size, time in curve.points]
    return parts


def draw_legend(curves):
    """In the place of one more panel."""
    parts = []
    down = TOP + 30
    for number, curve in enumerate(curves):
        parts += [marker(number, LEFT + 15, down), text(LEFT + 40, down + 4, f"measured, {curve.name}", "start", 12)]
        down += 24
        parts += [polyline([(LEFT, down), (LEFT + 30, down)], number),
                  text(LEFT + 40, down + 4, f"law, {curve.name}", "start", 12)]
        down += 24
    parts.append(f'<rect x="{LEFT}" y="{down - 8}" width="30" height="16" fill="#777" opacity="0.2"/>')
    parts.append(text(LEFT + 40, down + 4, f"within {BAND:.0%} of a law", "start", 12))
    return parts


def draw(base, panels):
    """The document. Every panel has the same curves."""
    places = [(i % COLUMNS * WIDTH, HEAD + i // COLUMNS * HEIGHT) for i in range(len(panels) + 1)]
    width, height = WIDTH * min(COLUMNS, len(places)), places[-1][1] + HEIGHT
    drawings = [*map(draw_panel, panels), draw_legend(panels[0].curves)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        text(width / 2, 20, "Training step: time per token = a + 6 · weights / peak'", size=15),
        text(width / 2, 37, f"one size at a time away from {base}, f32; both axes logarithmic", size=12),
    ]
    for (across, down), drawing in zip(places, drawings, strict=True):
        parts += [f'<g transform="translate({across} {down})">', *drawing, "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"
