"""Tables in Markdown, and numbers for them."""

import statistics


def table(columns, rows):
    """The first column is text, the others are numbers."""
    lines = ["| " + " | ".join(columns) + " |", "|---" + "|---:" * (len(columns) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(values, digits=0):
    """The median."""
    return f"{statistics.median(values):,.{digits}f}"


def share(values):
    """The median as a percentage."""
    return f"{statistics.median(values):.0%}"


def ratio(values):
    """The median and the range."""
    return f"**{statistics.median(values):.2f}** ({min(values):.2f} to {max(values):.2f})"
