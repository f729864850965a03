"""One network trained on one task until it is solved, and the records of all that were."""

import collections
import dataclasses
import json
import math
import os
import signal
import subprocess
import threading

from lookback import files, tasks

DIVERGED = "is not a finite number"  # says the program of a loss or a gradient that grew beyond all bounds

Cell = collections.namedtuple("Cell", "name flags rate")  # rate: of Adam

CELLS = {cell.name: cell for cell in (
    Cell("rnn-tanh", ("--cell", "rnn-tanh"), 0.003),
    Cell("rnn-relu, identity", ("--cell", "rnn-relu", "--init", "identity"), 0.003),
    Cell("gru", ("--cell", "gru"), 0.01),
    Cell("lstm", ("--cell", "lstm"), 0.01),
    Cell("lstm, chrono", ("--cell", "lstm", "--init", "chrono"), 0.01),
    Cell("min-gru", ("--cell", "min-gru"), 0.01),
    Cell("min-lstm", ("--cell", "min-lstm"), 0.01))}

WARMUP = 50  # updates in which the rate rises, whatever the length of a run
FASHION = ("sequential Fashion-MNIST", "permuted Fashion-MNIST")


@dataclasses.dataclass(frozen=True)
class Trial:
    """What is trained. Equal trials have equal results."""

    task: str
    lag: int
    cell: str
    seed: int
    hidden: int
    rate: float
    batch_size: int
    updates: int  # at most
    sequences: int  # that are drawn; fewer than updates * batch_size are repeated


@dataclasses.dataclass
class Result:
    """What became of a trial, or of the part of it that was made before it was interrupted."""

    solved_at: int | None = None  # the first validation of which the answers were right
    updates: int = 0
    nats: float = 0.0  # of the last validation; infinity where the run diverged
    accuracy: float | None = None
    seconds: float = 0.0  # of processor time
    test_accuracy: float | None = None  # of Fashion-MNIST, with the best weights on the images held out
    finished: bool = False


class Stopped(Exception):
    """The command is to end."""


class Records:
    """Results in a file, a line for each. Any thread."""

    def __init__(self, path):
        self.path, self.lock, self.lines = path, threading.Lock(), []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):  # a line that a kill cut off has none
                    record = json.loads(line)
                    self.lines.append((Trial(**record["trial"]), Result(**record["result"])))

    def add(self, trial, result):
        with self.lock:
            self.lines.append((trial, result))
            line = json.dumps({"trial": dataclasses.asdict(trial), "result": dataclasses.asdict(result)})
            with self.path.open("a", encoding="utf-8") as out:
                out.write(line + "\n")

    def finished(self, trial):
        return any(result.finished and trial == other for other, result in self.lines)

    def results(self):
        """{trial: result} of what is finished; its seconds include those of earlier parts."""
        with self.lock:
            seconds = collections.Counter()
            for trial, result in self.lines:
                seconds[trial] += result.seconds
            return {trial: dataclasses.replace(result, seconds=seconds[trial])
                    for trial, result in self.lines if result.finished}


class Runner:
    """Trains; stop() ends all that is running. Any number of threads."""

    def __init__(self, unroll, folder, validate_every, judged):
        self.unroll, self.folder, self.validate_every, self.judged = unroll, folder, validate_every, judged
        self.environment = {**os.environ, "UNROLL_MAX_ISA": os.environ.get("UNROLL_MAX_ISA", "avx2")}
        self.lock, self.stopping, self.running = threading.Lock(), False, set()

    def stop(self):
        with self.lock:
            self.stopping = True
            for process in self.running:
                process.send_signal(signal.SIGINT)

    def start(self, command):
        with self.lock:
            if self.stopping:
                raise Stopped
            # Of a session of its own: Ctrl-C is for this program, which tells the others.
            process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True, env=self.environment, start_new_session=True)
            self.running.add(process)
            return process

    def end(self, process):
        """Waits; the processor seconds that it took."""
        _, status, usage = os.wait4(process.pid, 0)
        process.stdout.close()
        process.stderr.close()
        with self.lock:
            self.running.discard(process)
        process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    def data_of(self, trial):
        return files.names_for(self.folder, tasks.TASKS[trial.task], trial.lag, trial.seed, trial.sequences)

    def command(self, trial, model):
        if trial.task in FASHION:
            data, _ = files.fashion_files(self.folder, trial.task == FASHION[1])
            flags = [*tasks.CLASSIFY, "--step-size", 1]
            every = trial.updates // 10
        else:
            task = tasks.TASKS[trial.task]
            data = files.task_files(self.folder, task, trial.lag, trial.seed, trial.sequences, self.judged)
            flags, every = [*task.flags, "--scale", "none"], self.validate_every
        cell = CELLS[trial.cell]
        chrono = ["--chrono-steps", trial.lag] if "chrono" in cell.flags else []
        return [self.unroll, "train", data.train, "--targets", data.train_targets, "--valid", data.valid,
                "--valid-targets", data.valid_targets, *flags, *cell.flags, *chrono, "--hidden", trial.hidden,
                "--lr", trial.rate, "--schedule", "constant", "--warmup", WARMUP, "--clip", 1, "--dropout", 0, "--average", "none",
                "--batch-size", trial.batch_size, "--steps", trial.updates, "--validate-every", every, "--seed", trial.seed,
                "--precision", "f32", "--threads", 1, "--save", model, "--resume", "--log", "-", "--quiet"]

    def history(self, model):
        """The validations of a run that was interrupted."""
        if not model.exists():
            return []
        shown = subprocess.run([self.unroll, "inspect", model, "--json"], stdout=subprocess.PIPE, check=True).stdout
        return json.loads(shown)["training"]["history"]

    def take(self, trial, point, result):
        """Notes a validation in `result`. Returns whether the task is solved."""
        if point.get("valid_nats_per_token") is None:
            return False
        result.updates = point["step"]
        result.nats, result.accuracy = point["valid_nats_per_token"], point.get("valid_accuracy")
        if trial.task in FASHION:
            return False
        if tasks.solved(tasks.TASKS[trial.task], trial.lag, result.nats, result.accuracy):
            result.solved_at = result.updates
        return result.solved_at is not None

    def train(self, trial, model, result):
        """Trains until the task is solved, the updates are made, or stop() was called. Sets `result`."""
        command = self.command(trial, model)
        if any(self.take(trial, point, result) for point in self.history(model)):
            result.finished = True
            return
        process = self.start(command)
        for line in process.stdout:
            if result.solved_at is None and self.take(trial, json.loads(line), result):
                process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
        result.seconds = self.end(process)
        diverged = DIVERGED in errors
        if diverged:
            result.nats = math.inf
        elif process.returncode not in (0, 130):
            raise RuntimeError(f"{' '.join(map(str, command))} ended with status {process.returncode}: {errors}")
        result.finished = process.returncode == 0 or diverged or result.solved_at is not None

    def test(self, trial, model):
        """Accuracy on Fashion-MNIST's images to test on."""
        _, (images, labels) = files.fashion_files(self.folder, trial.task == FASHION[1])
        process = self.start([self.unroll, "eval", model, images, "--targets", labels, "--step-size", 1, "--threads", 1,
                              "--json", "--quiet"])
        shown = process.stdout.read()
        seconds = self.end(process)
        if process.returncode != 0:
            raise Stopped
        return json.loads(shown)["accuracy"], seconds

    def run(self, trial):
        """The result, finished or not. Throws Stopped where nothing was begun."""
        name = f"{trial.task}-{trial.lag}-{trial.cell}-{trial.seed}".replace(" ", "-").replace(",", "")
        model, result = self.folder / f"{name}.safetensors", Result()
        self.train(trial, model, result)
        if result.finished and trial.task in FASHION and result.nats < math.inf:
            result.test_accuracy, seconds = self.test(trial, model)
            result.seconds += seconds
        if result.finished:
            for path in self.folder.glob(f"{name}.safetensors*"):
                path.unlink()
        return result
