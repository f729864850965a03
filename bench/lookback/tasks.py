"""Sequences whose answer depends on what was read T steps before; docs/math/lookback.md defines them.

A drawn sequence is a pair: inputs, bytes or an array of floats, step after step; and targets, a tuple.
"""

import array
import collections
import itertools
import math
import random

SYMBOLS = 8  # that copying and recall tell apart
COPIED = 10
DEEPEST = 4
BRACKETS = 8  # in a sequence, on average

# Numbers per step; steps for a lag; a function (dice, lag) that draws a sequence; the loss of knowing nothing, for a lag.
Task = collections.namedtuple("Task", "name flags kind width steps draw nothing")

Sequences = collections.namedtuple("Sequences", "inputs targets")


def one_hot(symbols, width):
    """Bytes of 0 and 1, `width` for each symbol."""
    rows = [bytes(int(i == symbol) for i in range(width)) for symbol in range(width)]
    return b"".join(rows[symbol] for symbol in symbols)


def draw_adding(dice, lag):
    """At each step a number in [-1, 1] and a mark; one mark in each half. Target: 0.5 + a quarter of the marked sum."""
    marked = (dice.randrange(lag // 2), dice.randrange(lag // 2, lag))
    inputs = array.array("f", bytes(8 * lag))
    inputs[0::2] = array.array("f", [2 * dice.random() - 1 for _ in range(lag)])
    for step in marked:
        inputs[2 * step + 1] = 1
    return inputs, (0.5 + sum(inputs[2 * step] for step in marked) / 4,)


def draw_copying(dice, lag):
    """Ten of eight symbols, T - 1 blanks, a mark, ten blanks. Targets: T + 10 blanks, then the ten symbols."""
    symbols = dice.choices(range(1, SYMBOLS + 1), k=COPIED)
    read = [*symbols, *itertools.repeat(0, lag - 1), SYMBOLS + 1, *itertools.repeat(0, COPIED)]
    return one_hot(read, SYMBOLS + 2), (*itertools.repeat(0, lag + COPIED), *symbols)


def bracket_share(lag):
    return min(0.8, BRACKETS / lag)


def draw_depth(dice, lag):
    """Brackets among dots; at depth 0 a bracket opens, at depth 4 it closes. Target: the depth after T steps."""
    share, depth, read = bracket_share(lag), 0, []
    for _ in range(lag):
        if dice.random() >= share:
            read.append(0)
            continue
        opens = depth == 0 or (depth < DEEPEST and dice.random() < 0.5)
        depth += 1 if opens else -1
        read.append(1 if opens else 2)
    return one_hot(read, 3), (depth,)


def depth_shares(lag):
    """How often each depth is the last: the walk of draw_depth, as a chain."""
    share = bracket_share(lag)
    shares = [1.0] + [0.0] * DEEPEST
    for _ in range(lag):
        after = [(1 - share) * p for p in shares]
        for depth, p in enumerate(shares):
            opens = 1 if depth == 0 else 0 if depth == DEEPEST else 0.5
            if opens > 0:
                after[depth + 1] += share * p * opens
            if opens < 1:
                after[depth - 1] += share * p * (1 - opens)
        shares = after
    return shares


def draw_recall(dice, lag):
    """One of eight symbols, then T of eight others. Target: the first one."""
    first = dice.randrange(SYMBOLS)
    return one_hot([first, *dice.choices(range(SYMBOLS, 2 * SYMBOLS), k=lag)], 2 * SYMBOLS), (first,)


CLASSIFY = ("--task", "classify", "--input", "dense", "--readout", "last", "--bidirectional=false")
TAG = ("--task", "tag", "--input", "dense", "--transitions", "none", "--bidirectional=false")
REGRESS = ("--task", "regress", "--readout", "last")

TASKS = {task.name: task for task in (
    # Half the squared error, in units of the target's variance.
    Task("adding", REGRESS, "numbers", 2, lambda lag: lag, draw_adding, lambda _: 0.5),
    Task("copying", TAG, "labels of steps", SYMBOLS + 2, lambda lag: lag + 2 * COPIED, draw_copying,
         lambda lag: COPIED * math.log(SYMBOLS) / (lag + 2 * COPIED)),
    Task("bracket depth", CLASSIFY, "labels", 3, lambda lag: lag, draw_depth,
         lambda lag: -sum(p * math.log(p) for p in depth_shares(lag) if p > 0)),
    Task("recall", CLASSIFY, "labels", 2 * SYMBOLS, lambda lag: lag + 1, draw_recall, lambda _: math.log(SYMBOLS)))}

ADDING_VARIANCE = 1 / 24  # of the target: each number's is 1/3, and a quarter of the sum has 2/3 / 16


def solved(task, lag, nats, accuracy):
    """Whether answers on held-out sequences are right: see docs/math/lookback.md."""
    if task.name == "adding":
        return math.sqrt(2 * nats * ADDING_VARIANCE) < 0.04
    if task.name == "copying":  # 99 of 100 symbols, as if every error were one of theirs
        return (1 - accuracy) * task.steps(lag) / COPIED <= 0.01
    return accuracy >= 0.99


def held_out(task, lag, seed, count):
    """Sequences to judge by, each once."""
    dice = random.Random(f"{task.name}, lag {lag}, seed {seed}, held out")
    seen, inputs, targets = set(), [], []
    for _ in range(100 * count):
        read, answer = task.draw(dice, lag)
        if bytes(read) in seen:
            continue
        seen.add(bytes(read))
        inputs.append(read)
        targets.append(answer)
        if len(inputs) == count:
            return Sequences(inputs, targets)
    raise ValueError(f"{task.name} has no {count} different sequences of lag {lag}")


def to_learn_from(task, lag, seed, count, judged):
    """Sequences none of which is among `judged`."""
    dice = random.Random(f"{task.name}, lag {lag}, seed {seed}")
    refused = {bytes(read) for read in judged.inputs}
    inputs, targets = [], []
    while len(inputs) < count:
        read, answer = task.draw(dice, lag)
        if bytes(read) in refused:
            continue
        inputs.append(read)
        targets.append(answer)
    return Sequences(inputs, targets)
