"""The table of what was measured."""

import collections
import math
import statistics

from lookback import tasks, trials


def by_place(results):
    """{(task, lag, cell): results of all seeds}."""
    places = collections.defaultdict(list)
    for trial, result in sorted(results.items(), key=lambda pair: pair[0].seed):
        places[trial.task, trial.lag, trial.cell].append(result)
    return places


def median_updates(seeds):
    """Of those that solved it; None where none did."""
    solved = [result.solved_at for result in seeds if result.solved_at is not None]
    return statistics.median(solved) if solved else None


def loss_text(nats):
    return f"{nats:.3f}" if nats < math.inf else "diverged"


def outcome(seeds):
    """Share solved, and the median of updates; or the best loss."""
    count = sum(result.solved_at is not None for result in seeds)
    if count == 0:
        return f"0/{len(seeds)} ({loss_text(min(result.nats for result in seeds))})"
    return f"{count}/{len(seeds)} {median_updates(seeds):,.0f}"


def nothing(name, lag):
    return math.log(10) if name in trials.FASHION else tasks.TASKS[name].nothing(lag)


def task_table(places, name):
    lags = sorted({lag for task, lag, _ in places if task == name})
    head = [name, *(f"{lag:,}" for lag in lags)]
    rows = [[cell, *(outcome(places[name, lag, cell]) if places.get((name, lag, cell)) else "not run" for lag in lags)]
            for cell in trials.CELLS if any(places.get((name, lag, cell)) for lag in lags)]
    rows.append(["*knowing nothing*", *(f"({nothing(name, lag):.3f})" for lag in lags)])
    return markdown(head, rows)


def image_table(places):
    rows = []
    for name in trials.FASHION:
        for (task, _, cell), seeds in places.items():
            if task == name:
                rows += [[name, cell, f"{result.updates:,}", loss_text(result.nats),
                          "–" if result.test_accuracy is None else f"{result.test_accuracy:.1%}",
                          f"{result.seconds / 60:.1f}"] for result in seeds]
    rows.append(["", "*knowing nothing*", "", f"{math.log(10):.3f}", "10.0%", ""])
    return markdown(["images", "cell", "updates", "held-out loss", "test accuracy", "processor minutes"], rows, left=2)


def markdown(head, rows, left=1):
    lines = ["| " + " | ".join(head) + " |", "|---" * left + "|---:" * (len(head) - left) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def tables(results):
    """A table for each task, in Markdown, and what they took."""
    if not results:
        return "nothing is finished"
    places = by_place(results)
    parts = [task_table(places, name) for name in tasks.TASKS if any(task == name for task, _, _ in places)]
    if any(task in trials.FASHION for task, _, _ in places):
        parts.append(image_table(places))
    minutes = sum(result.seconds for result in results.values()) / 60
    parts.append(f"{len(results)} runs, {minutes:.1f} processor minutes of training")
    return "\n\n".join(parts)
