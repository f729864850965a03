#!/usr/bin/env python3
"""The sequences of bench/memory are what docs/math/lookback.md says, and the command goes on where it stopped."""

import array
import collections
import gzip
import json
import math
import pathlib
import subprocess
import sys

from command_line import UNROLL, CommandTest, main

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
from lookback import files, report, tasks, trials  # noqa: E402

LAGS = (2, 10, 31)


def symbols_of(inputs, width):
    """What one-hot bytes mean."""
    rows = [inputs[i:i + width] for i in range(0, len(inputs), width)]
    assert all(sorted(row) == [0] * (width - 1) + [1] for row in rows)
    return [row.index(1) for row in rows]


def numbers_of_array(path, kind):
    """Shape and numbers of an array file, read by its own words."""
    content = path.read_bytes()
    size = int.from_bytes(content[8:10], "little")
    head = eval(content[10:10 + size], {})  # a literal of Python, by the format's definition
    assert (10 + size) % 64 == 0 and not head["fortran_order"] and content[:8] == b"\x93NUMPY\x01\x00"
    return head["shape"], array.array(kind, content[10 + size:])


class Lookback(CommandTest):
    def drawn(self, name, lag):
        task = tasks.TASKS[name]
        judged = tasks.held_out(task, lag, 5, 20) if lag > 2 or name == "adding" else tasks.Sequences([], [])
        return task, tasks.to_learn_from(task, lag, 5, 200, judged)

    def test_adding_marks_a_number_in_each_half_and_asks_for_their_sum(self):
        for lag in LAGS:
            _, sequences = self.drawn("adding", lag)
            for inputs, (target,) in zip(*sequences):
                steps = list(zip(inputs[0::2], inputs[1::2]))
                self.assertEqual(len(steps), lag)
                self.assertTrue(all(-1 <= number <= 1 and mark in (0, 1) for number, mark in steps))
                self.assertEqual([sum(mark for _, mark in half) for half in (steps[:lag // 2], steps[lag // 2:])], [1, 1])
                self.assertAlmostEqual(4 * (target - 0.5), sum(number * mark for number, mark in steps))

    def test_adding_varies_as_much_as_the_loss_of_knowing_nothing_says(self):
        _, sequences = self.drawn("adding", 10)
        targets = [target for (target,) in sequences.targets]
        self.assertAlmostEqual(sum((target - 0.5)**2 for target in targets) / len(targets), tasks.ADDING_VARIANCE, delta=0.01)

    def test_copying_asks_for_the_first_ten_symbols_at_the_last_ten_steps(self):
        for lag in LAGS:
            _, sequences = self.drawn("copying", lag)
            for inputs, targets in zip(*sequences):
                read = symbols_of(inputs, 10)
                self.assertEqual((len(read), len(targets)), (lag + 20, lag + 20))
                self.assertTrue(all(1 <= symbol <= 8 for symbol in read[:10]))
                self.assertEqual(read[10:], [0] * (lag - 1) + [9] + [0] * 10)
                self.assertEqual(list(targets), [0] * (lag + 10) + read[:10])

    def test_depth_is_what_is_left_when_pairs_of_brackets_are_taken_out(self):
        for lag in LAGS:
            _, sequences = self.drawn("bracket depth", lag)
            for inputs, (depth,) in zip(*sequences):
                left = "".join(".()"[symbol] for symbol in symbols_of(inputs, 3)).replace(".", "")
                while "()" in left:
                    left = left.replace("()", "")
                self.assertEqual(left, "(" * depth)
                self.assertLessEqual(depth, 4)

    def test_depths_occur_as_often_as_the_loss_of_knowing_nothing_assumes(self):
        _, sequences = self.drawn("bracket depth", 31)
        counts = collections.Counter(depth for (depth,) in sequences.targets)
        shares = tasks.depth_shares(31)
        self.assertAlmostEqual(sum(shares), 1)
        for depth, share in enumerate(shares):
            self.assertAlmostEqual(counts[depth] / 200, share, delta=4 * math.sqrt(share * (1 - share) / 200))

    def test_recall_asks_for_the_first_symbol_which_does_not_come_again(self):
        for lag in LAGS:
            _, sequences = self.drawn("recall", lag)
            for inputs, (first,) in zip(*sequences):
                read = symbols_of(inputs, 16)
                self.assertEqual((len(read), read[0]), (lag + 1, first))
                self.assertTrue(first < 8 <= min(read[1:]))

    def test_no_sequence_that_is_judged_is_learned_from(self):
        for name, task in tasks.TASKS.items():
            judged = tasks.held_out(task, 10, 5, 300)
            learned = tasks.to_learn_from(task, 10, 5, 3000, judged)
            known = {bytes(inputs) for inputs in judged.inputs}
            self.assertEqual(len(known), 300, name)
            self.assertFalse(known & {bytes(inputs) for inputs in learned.inputs}, name)
            self.assertNotEqual(learned, tasks.to_learn_from(task, 10, 6, 3000, judged), name)

    def test_a_task_is_solved_at_its_bound(self):
        adding, copying, recall = (tasks.TASKS[name] for name in ("adding", "copying", "recall"))
        self.assertTrue(tasks.solved(adding, 10, 0.5 * 0.0399**2 * 24, None))
        self.assertFalse(tasks.solved(adding, 10, 0.5 * 0.0401**2 * 24, None))
        self.assertTrue(tasks.solved(copying, 30, 1, 1 - 0.0099 * 10 / 50))
        self.assertFalse(tasks.solved(copying, 30, 1, 1 - 0.0101 * 10 / 50))
        self.assertTrue(tasks.solved(recall, 10, 1, 0.99))
        self.assertFalse(tasks.solved(recall, 10, 1, 0.9899))

    def test_files_hold_what_was_drawn(self):
        for name, task in tasks.TASKS.items():
            made = files.task_files(self.folder, task, 10, 5, 40, 20)
            judged = tasks.held_out(task, 10, 5, 20)
            shape, numbers = numbers_of_array(made.valid, "f" if name == "adding" else "B")
            self.assertEqual(shape, (20, task.steps(10), task.width))
            self.assertEqual(bytes(numbers), b"".join(map(bytes, judged.inputs)))
            shape, numbers = numbers_of_array(made.valid_targets, "f" if name == "adding" else "B")
            self.assertEqual(shape, (20, 30) if name == "copying" else (20,))
            for number, target in zip(numbers, (answer for answers in judged.targets for answer in answers)):
                self.assertAlmostEqual(number, target, places=6)
            files.remove(made)
            self.assertFalse(made.train.exists())

    def test_images_are_permuted_alike_and_each_is_in_one_part(self):
        dice, images = iter(range(10**6)), {"train": 5, "t10k": 2}
        content = {part: [bytes(next(dice) % 251 for _ in range(784)) for _ in range(count)] for part, count in images.items()}
        for part, rows in content.items():
            size = len(rows).to_bytes(4, "big")
            for kind, head, body in (("images-idx3", b"\0\0\x08\x03" + size + (28).to_bytes(4, "big") * 2, b"".join(rows)),
                                     ("labels-idx1", b"\0\0\x08\x01" + size, bytes(range(len(rows))))):
                (self.folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + body))
        before = files.FASHION, files.FASHION_HELD_OUT
        files.FASHION, files.FASHION_HELD_OUT = self.folder, 2
        self.addCleanup(lambda: (setattr(files, "FASHION", before[0]), setattr(files, "FASHION_HELD_OUT", before[1])))
        made, test = files.fashion_files(self.folder, True)
        order = files.permutation()
        self.assertEqual(sorted(order), list(range(784)))
        for (images, labels), rows, first in (((made.train, made.train_targets), content["train"][:3], 0),
                                              ((made.valid, made.valid_targets), content["train"][3:], 3),
                                              (test, content["t10k"], 0)):
            self.assertEqual(images.read_bytes()[16:], b"".join(bytes(row[i] for i in order) for row in rows))
            self.assertEqual(images.read_bytes()[:16], b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (len(rows), 784, 1)))
            self.assertEqual(labels.read_bytes()[8:], bytes(range(first, first + len(rows))))

    def test_the_table_tells_the_share_that_solved_it_and_the_median_of_their_updates(self):
        results = [trials.Result(solved_at=at, nats=0.5, finished=True) for at in (100, None, 300)]
        self.assertEqual(report.outcome(results), "2/3 200")
        self.assertEqual(report.outcome([results[1]]), "0/1 (0.500)")
        self.assertEqual(report.outcome([trials.Result(nats=math.inf, finished=True)]), "0/1 (diverged)")

    def test_a_run_whose_loss_grows_beyond_all_bounds_is_a_result(self):
        runner = trials.Runner(UNROLL, self.folder, validate_every=10, judged=8)
        trial = trials.Trial(task="adding", lag=60, cell="rnn-relu, identity", seed=1, hidden=4, rate=100.0, batch_size=8,
                             updates=200, sequences=64)
        result = runner.run(trial)
        self.assertEqual((result.finished, result.solved_at, result.nats), (True, None, math.inf))

    def test_the_command_trains_until_solved_and_goes_on_where_it_stopped(self):
        command = [sys.executable, "-B", BENCH / "memory", "--to", self.folder / "kept", "--unroll", UNROLL, "--task",
                   "recall", "--lag", "2", "--cell", "gru", "--seed", "1", "--updates", "200", "--plot", self.folder / "p.svg"]
        for before in ("0 of 1", "1 of 1"):
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
            self.assertIn(f"{before} runs are there", done.stderr)
            self.assertRegex(done.stdout, r"\| gru \| 1/1 (50|100|150) \|")
        record = json.loads((self.folder / "kept" / "records.jsonl").read_text())
        self.assertGreater(record["result"]["accuracy"], 0.99)
        self.assertEqual(list((self.folder / "kept").glob("*.npy")), [])
        self.assertIn(">gru<", (self.folder / "p.svg").read_text())


if __name__ == "__main__":
    main()
