"""The table as a picture: a panel for each task, a tile for each cell and lag. SVG that follows light and dark."""

import html

from lookback import report, tasks, trials

TILE, ROW, LEFT, HEAD, GAP = 80, 26, 130, 62, 34
COLUMNS = 2

# A tile is the darker (on a dark page the lighter) the more seeds solved the task; its words say the same.
STYLE = """
text { font-family: sans-serif; font-size: 12px; fill: #1a1a1a }
.title { font-size: 15px; font-weight: bold } .small { font-size: 11px; fill: #555 }
.page { fill: #ffffff }
.s0 { fill: #f1f1f1; stroke: #9a9a9a; stroke-dasharray: 3 2 }
.s1 { fill: #c6dbef } .s2 { fill: #6baed6 } .s3 { fill: #08519c }
text.t3 { fill: #ffffff } text.t0 { fill: #666666 }
@media (prefers-color-scheme: dark) {
  text { fill: #e8e8e8 } .small { fill: #b0b0b0 } .page { fill: #0d1117 }
  .s0 { fill: #1c2128; stroke: #6a737d } .s1 { fill: #1d3b5c } .s2 { fill: #3f7fb5 } .s3 { fill: #9ecae1 }
  text.t3 { fill: #06182b } text.t2 { fill: #ffffff } text.t0 { fill: #a0a0a0 }
}
"""


def text(x, y, words, kind="", anchor="middle"):
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{name}>{html.escape(words)}</text>'


def shade(solved, seeds):
    """0: none, 3: all."""
    return 0 if solved == 0 else 3 if solved == seeds else 1 if solved * 2 <= seeds else 2


def tile(x, y, seeds):
    if not seeds:
        return [text(x + TILE / 2 - 2, y + 17, "not run", "small")]
    solved = sum(result.solved_at is not None for result in seeds)
    level = shade(solved, len(seeds))
    words = "–" if solved == 0 else f"{report.median_updates(seeds):,.0f}"
    if 0 < solved < len(seeds):
        words += f" ({solved}/{len(seeds)})"
    return [f'<rect x="{x:g}" y="{y:g}" width="{TILE - 4}" height="{ROW - 4}" rx="3" class="s{level}"/>',
            text(x + (TILE - 4) / 2, y + 15.5, words, f"t{level}")]


def panel(places, name, lags, left, top):
    parts = [text(left, top, name, "title", "start"), text(left + LEFT - 8, top + 20, "steps back", "small", "end")]
    parts += [text(left + LEFT + TILE * i + TILE / 2 - 2, top + 20, f"{lag:,}", "small") for i, lag in enumerate(lags)]
    for row, cell in enumerate(trials.CELLS):
        y = top + 28 + ROW * row
        parts.append(text(left + LEFT - 8, y + 15.5, cell, "", "end"))
        for i, lag in enumerate(lags):
            parts += tile(left + LEFT + TILE * i, y, places.get((name, lag, cell), []))
    return parts


def draw(results):
    places = report.by_place(results)
    names = [name for name in tasks.TASKS if any(task == name for task, _, _ in places)]
    lags = sorted({lag for task, lag, _ in places if task in names})
    height, own = 28 + ROW * len(trials.CELLS) + GAP, LEFT + TILE * len(lags) + GAP
    width = max(700, own * min(COLUMNS, len(names)) + 32 - GAP)
    parts = []
    for i, name in enumerate(names):
        parts += panel(places, name, lags, 16 + own * (i % COLUMNS), HEAD + 14 + height * (i // COLUMNS))
    rows = -(-len(names) // COLUMNS)
    bottom = HEAD + height * rows + 8
    parts += [text(16, 24, "Updates until a task is solved, by cell and by how many steps back the answer lies", "title",
                   "start"),
              text(16, 44, "median of the seeds that solved it; the fuller the tile, the more of them did; – none", "small",
                   "start")]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {bottom:g}">'
    return "\n".join([head, f"<style>{STYLE}</style>", f'<rect width="{width:g}" height="{bottom:g}" class="page"/>', *parts,
                      "</svg>"]) + "\n"
