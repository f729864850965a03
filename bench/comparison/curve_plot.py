"""The plot of bench/learning_curves: validation loss over minutes, as SVG."""

import collections

from .growth_plot import text

Curve = collections.namedtuple("Curve", "name points")  # points: (minutes, nats per token)

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]  # told apart by every kind of colour vision
DASHES = ["", "6 3", "2 3", "8 3 2 3"]
WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 50, 50  # margins
TICKS = 6


def places(points, minutes, least, most):
    """Points as places in the picture."""
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return [(LEFT + across * x / minutes, TOP + down * (most - y) / (most - least)) for x, y in points]


def draw_axes(minutes, least, most):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [f'<rect x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{bottom - TOP}" fill="none" stroke="#999"/>']
    for i in range(TICKS + 1):
        x, y = minutes * i / TICKS, least + (most - least) * i / TICKS
        (across, _), (_, down) = places([(x, least), (0, y)], minutes, least, most)
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{down:.1f}" y2="{down:.1f}" stroke="#ddd"/>')
        parts.append(text(LEFT - 6, down + 4, f"{y:.2f}", "end"))
        parts.append(text(across, bottom + 18, f"{x:.3g}"))
    parts.append(text((LEFT + right) / 2, bottom + 38, "minutes from start", size=12))
    middle = (TOP + bottom) / 2
    turned = f' transform="rotate(-90 16 {middle:.1f})"'
    parts.append(text(16, middle, "validation, nats per token", size=12, extra=turned))
    return parts


def draw(title, curves):
    """The document; the legend names the best loss of each curve."""
    minutes = max(x for curve in curves for x, _ in curve.points)
    losses = [y for curve in curves for _, y in curve.points]
    least, most = min(losses), max(losses)
    margin = 0.04 * (most - least) or 1.0
    least, most = least - margin, most + margin
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(WIDTH / 2, 28, title, size=15),
        *draw_axes(minutes, least, most),
    ]
    for number, curve in enumerate(curves):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        stroke = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places(curve.points, minutes, least, most))
        parts.append(f'<polyline points="{path}" {stroke}/>')
        down = TOP + 22 + 20 * number
        parts.append(f'<line x1="{WIDTH - 250}" x2="{WIDTH - 215}" y1="{down}" y2="{down}" {stroke}/>')
        parts.append(text(WIDTH - 207, down + 4, f"{curve.name}: {min(y for _, y in curve.points):.4f}", "start", 12))
    return "\n".join([*parts, "</svg>"]) + "\n"
