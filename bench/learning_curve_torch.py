#!/usr/bin/python3
"""Trains one network for some minutes: the side of bench/learning_curves that is PyTorch.

    learning_curve_torch.py FILE

FILE is JSON: options (of unroll's run, as its model file records them), vocabulary, boundary and unknown (ids), train and
valid (paths of texts), threads, minutes (from start to exit), plateau_divisor, validations (how many). Prints a line for
each validation: seconds since the start, step, nats per token.
"""

import itertools
import json
import math
import pathlib
import sys
import time

START = time.monotonic()

try:
    import torch  # its import is part of the time
except ModuleNotFoundError as missing:
    sys.exit(f"bench/learning_curve_torch.py: {missing}: tools/setup torch installs it")

# The rules of unroll's evaluation (docs/design.md, "Evaluation in pieces").
SYMBOLS_PER_PIECE, MOST_PIECES, WARM = 1024, 64, 256
VALIDATION_STEPS = 64  # of a window in validation
MEASURED_STEPS = 10
LATEST = 1.5  # times the minutes: a run that takes longer is given up


class LanguageModel(torch.nn.Module):
    """Embedding, recurrent layers, linear output, dropout on what leads upwards; it starts as unroll's network does."""

    def __init__(self, vocabulary, options):
        super().__init__()
        cell, embed, hidden = options["cell"], int(options["embed"]), int(options["hidden"])
        layers, dropout = int(options["layers"]), float(options.get("dropout", 0))
        self.encoder = torch.nn.Embedding(vocabulary, embed)
        recurrent = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn-tanh": torch.nn.RNN}[cell]
        self.rnn = recurrent(embed, hidden, layers, dropout=dropout if layers > 1 else 0)
        self.decoder = torch.nn.Linear(hidden, vocabulary)
        self.dropout = torch.nn.Dropout(dropout)
        tied = options["tied"] == "true"
        if tied:
            self.decoder.weight = self.encoder.weight
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if "bias" in name:
                    parameter.zero_()
                else:
                    parameter.uniform_(-1 / math.sqrt(hidden), 1 / math.sqrt(hidden))
            if not tied:
                self.encoder.weight.uniform_(-math.sqrt(3 / embed), math.sqrt(3 / embed))
            if cell == "lstm":
                for layer in range(layers):
                    getattr(self.rnn, f"bias_ih_l{layer}")[hidden : 2 * hidden] = 1

    def forward(self, inputs, state):
        outputs, state = self.rnn(self.dropout(self.encoder(inputs)), state)
        return self.decoder(self.dropout(outputs).flatten(0, 1)), state


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def ids_of(path, task):
    """The text as ids, one prediction each: lines of words that end with the boundary, or characters."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    number = {symbol: i for i, symbol in enumerate(task["vocabulary"])}
    if task["options"]["tokenizer"] == "char":
        return torch.tensor([number.get(character, task["unknown"]) for character in text])
    lines = ([*line.split(), None] for line in text.removesuffix("\n").split("\n"))
    words = itertools.chain.from_iterable(lines)
    return torch.tensor([task["boundary"] if word is None else number.get(word, task["unknown"]) for word in words])


class Rows:
    """Training windows: the text in B rows of equal length, each symbol predicted from those before it."""

    def __init__(self, ids, boundary, rows, steps):
        before = torch.cat([torch.tensor([boundary]), ids[:-1]])
        length = len(ids) // rows
        self.inputs, self.targets = (part[: length * rows].view(rows, length).t().contiguous() for part in (before, ids))
        self.steps = steps
        self.windows = -(-length // steps)

    def window(self, number):
        first = number * self.steps
        return self.inputs[first : first + self.steps], self.targets[first : first + self.steps].flatten()


class Validation:
    """Nats per token over pieces that run side by side, each warmed on what stands before it."""

    def __init__(self, ids, boundary):
        count = min(MOST_PIECES, max(1, len(ids) // SYMBOLS_PER_PIECE))
        before = torch.cat([torch.tensor([boundary]), ids[:-1]])
        bounds = [i * len(ids) // count for i in range(count + 1)]
        starts = [max(0, first - WARM) for first in bounds[:-1]]
        longest = max(last - start for start, last in zip(starts, bounds[1:], strict=True))
        self.inputs = torch.zeros(longest, count, dtype=torch.long)
        self.targets = torch.full((longest, count), -100)
        for piece, (start, first, last) in enumerate(zip(starts, bounds[:-1], bounds[1:], strict=True)):
            self.inputs[: last - start, piece] = before[start:last]
            self.targets[first - start : last - start, piece] = ids[first:last]
        self.tokens = len(ids)

    def nats_per_token(self, model):
        model.eval()
        total, state = 0.0, None
        with torch.no_grad():
            for first in range(0, len(self.inputs), VALIDATION_STEPS):
                logits, state = model(self.inputs[first : first + VALIDATION_STEPS], state)
                targets = self.targets[first : first + VALIDATION_STEPS].flatten()
                total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
        model.train()
        return total / self.tokens


class Rate:
    """The learning rate of each step, as src/train/schedule.h has it."""

    def __init__(self, options, steps, epoch_steps, plateau_divisor):
        self.options, self.steps, self.epoch_steps = options, steps, epoch_steps
        self.lr, self.divisor, self.factor = float(options["lr"]), 1.0, plateau_divisor
        adam = options["optimizer"] == "adam"
        given = int(options["warmup"])
        self.warmup = given if given >= 0 else min(100, steps // 20) if adam else 0

    def at(self, step):
        if step <= self.warmup:
            return self.lr * step / self.warmup
        done = min(1.0, (step - self.warmup - 1) / max(1, self.steps - self.warmup))
        schedule = self.options["schedule"]
        if schedule == "cosine":
            return self.lr * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        if schedule == "linear":
            return self.lr * (1 - done)
        if schedule == "step":
            epoch = (step - 1) // self.epoch_steps + 1
            return self.lr / float(self.options["decay"]) ** max(0, epoch - int(self.options["decay-after"]))
        return self.lr / self.divisor

    def validated(self, improved):
        if self.options["schedule"] == "plateau" and not improved:
            self.divisor *= self.factor


class Training:
    def __init__(self, task):
        options = task["options"]
        torch.manual_seed(int(options["seed"]))
        self.model = LanguageModel(len(task["vocabulary"]), options)
        self.rows = Rows(ids_of(task["train"], task), task["boundary"], int(options["batch-size"]), int(options["bptt"]))
        self.validation = Validation(ids_of(task["valid"], task), task["boundary"])
        adam = options["optimizer"] == "adam"
        self.optimizer = (torch.optim.Adam if adam else torch.optim.SGD)(self.model.parameters(), lr=1.0)
        self.clip = float(options["clip"])
        self.state = None

    def step(self, number, rate):
        """Step `number`, counted from 1."""
        place = (number - 1) % self.rows.windows
        if place == 0:
            self.state = None
        inputs, targets = self.rows.window(place)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        logits, state = self.model(inputs, self.state)
        torch.nn.functional.cross_entropy(logits, targets).backward()
        if self.clip > 0:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.state = detached(state)

    def validate(self, step):
        nats = self.validation.nats_per_token(self.model)
        print(f"{time.monotonic() - START:.3f} {step} {nats}", flush=True)
        return nats

    def cost(self):
        """Seconds of a step and of a validation; the weights do not change, for the rate is 0."""
        self.step(1, 0.0)
        begin = time.monotonic()
        for number in range(2, 2 + MEASURED_STEPS):
            self.step(number, 0.0)
        middle = time.monotonic()
        self.validation.nats_per_token(self.model)
        self.state = None
        self.optimizer.state.clear()
        return (middle - begin) / MEASURED_STEPS, time.monotonic() - middle


def main():
    if len(sys.argv) != 2:
        print("usage: learning_curve_torch.py FILE", file=sys.stderr)
        return 2
    task = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(task["threads"])
    torch.set_flush_denormal(True)
    training = Training(task)
    per_step, per_validation = training.cost()
    left = 60 * task["minutes"] - (time.monotonic() - START) - task["validations"] * per_validation
    steps = max(task["validations"], int(left / per_step))
    rate = Rate(task["options"], steps, training.rows.windows, task["plateau_divisor"])
    best = math.inf
    for number in range(1, steps + 1):
        training.step(number, rate.at(number))
        if time.monotonic() - START > LATEST * 60 * task["minutes"]:
            print("learning_curve_torch.py: the machine is too busy: steps are slower than measured", file=sys.stderr)
            return 1
        if number % (steps // task["validations"]) == 0 or number == steps:
            nats = training.validate(number)
            rate.validated(nats < best)
            best = min(best, nats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
