#!/usr/bin/env python3
"""Sequences of numbers from the command line: training, answers, evaluation."""

import gzip
import json
import math
import struct

from command_line import CommandTest, main, run

SHORT = ["--hidden", "8", "--batch-size", "8", "--steps", "60", "--lr", "0.02", "--threads", "1", "--quiet"]


def table(sequences):
    """Steps of waves: id, value, kind of the wave, sum over the sequence."""
    lines = ["id,value,kind,sum"]
    for i in range(sequences):
        steps = 4 + i % 3
        values = [math.sin(0.7 * i + (2.2 if i % 2 else 0.4) * t) for t in range(steps)]
        lines += [f"{i},{value:.5f},{'fast' if i % 2 else 'slow'},{10 * sum(values):.4f}" for value in values]
    return "".join(line + "\n" for line in lines)


def npy(kind, shape, *numbers):
    """A file as numpy.save writes it; kind is a format of struct, little-endian."""
    header = f"{{'descr': '{dict(f='<f4', b='|i1')[kind]}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(numbers)}{kind}", *numbers)


class Predict(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.shared / "waves.csv"
        cls.data.write_text(table(60))
        cls.sums = cls.trained("sums", "--task", "regress", "--target-column", "sum", "--columns", "value")
        cls.kinds = cls.trained("kinds", "--task", "classify", "--input", "dense", "--target-column", "kind",
                                "--columns", "value")

    @classmethod
    def trained(cls, name, *flags):
        path = cls.shared / f"{name}.safetensors"
        done = run("train", cls.data, "--sequence-column", "id", "--save", path, *flags, *SHORT)
        if done.status != 0:
            raise AssertionError(f"training {name} ended with {done.status}: {done.err}")
        return path

    def predict(self, model, *flags):
        return self.succeed("predict", model, self.data, "--sequence-column", "id", "--quiet", *flags).out

    def evaluate(self, model, *flags):
        out = self.succeed("eval", model, self.data, "--sequence-column", "id", "--json", *flags).out
        return json.loads(out)

    def test_numbers_are_answered_a_line_for_each_sequence(self):
        lines = self.predict(self.sums).splitlines()
        self.assertEqual(len(lines), 60)
        objects = [json.loads(line) for line in self.predict(self.sums, "--json").splitlines()]
        self.assertEqual([entry["sequence"] for entry in objects], list(range(1, 61)))
        for line, entry in zip(lines, objects):
            self.assertAlmostEqual(float(line), entry["numbers"]["sum"], delta=1e-6 * max(1, abs(float(line))))

    def test_eval_says_how_near_the_numbers_are(self):
        wanted = {int(row.split(",")[0]): float(row.split(",")[3]) for row in table(60).splitlines()[1:]}
        answers = [float(line) for line in self.predict(self.sums).splitlines()]
        figures = self.evaluate(self.sums)
        target = figures["targets"][0]
        self.assertEqual((figures["sequences"], target["name"]), (60, "sum"))
        errors = [answer - wanted[i] for i, answer in enumerate(answers)]
        self.assertAlmostEqual(target["mse"], sum(e * e for e in errors) / 60, delta=1e-4 * target["mse"])
        self.assertAlmostEqual(target["mae"], sum(abs(e) for e in errors) / 60, delta=1e-4 * target["mae"])
        self.assertGreater(target["r_squared"], 0.5)
        self.assertIn("R2", self.succeed("eval", self.sums, self.data, "--sequence-column", "id").out)

    def test_labels_are_answered_with_their_probability(self):
        rows = [line.split("\t") for line in self.predict(self.kinds).splitlines()]
        self.assertEqual({len(row) for row in rows}, {2})
        everything = [line.split("\t") for line in self.predict(self.kinds, "--all").splitlines()]
        for row, all_of_it in zip(rows, everything):
            self.assertEqual(row, all_of_it[:2])
            self.assertAlmostEqual(float(all_of_it[1]) + float(all_of_it[3]), 1, delta=1e-8)
        figures = self.evaluate(self.kinds)
        right = sum(row[0] == ("fast" if i % 2 else "slow") for i, row in enumerate(rows))
        self.assertAlmostEqual(figures["accuracy"], right / 60)
        self.assertGreater(figures["accuracy"], 0.8)
        self.assertEqual([entry["label"] for entry in figures["labels"]], ["fast", "slow"])

    def test_arrays_packed_or_not_have_their_targets_in_a_file_of_their_own(self):
        x, y, model = self.folder / "x.npy.gz", self.folder / "y.npy", self.folder / "m.safetensors"
        x.write_bytes(gzip.compress(npy("f", (8, 2, 1), *[float(i % 5) for i in range(16)])))
        y.write_bytes(npy("b", (8,), *[i % 2 for i in range(8)]))
        self.succeed("train", "--task", "classify", "--input", "dense", x, "--targets", y, "--save", model,
                     "--hidden", "2", "--steps", "1", "--quiet")
        self.assertEqual(len(self.succeed("predict", model, x).out.splitlines()), 8)
        self.assertIn("accuracy", self.succeed("eval", model, x, "--targets", y, "--quiet").out)
        self.refuse(2, ["--targets"], "eval", model, x)
        self.refuse(2, ["--save"], "train", "--task", "classify", "--input", "dense", x, "--targets", y, "--save", y,
                        "--overwrite")

    def test_what_is_wrong_with_the_numbers_is_told_with_its_place(self):
        bad = self.folder / "bad.csv"
        flags = ["--task", "regress", "--sequence-column", "id", "--target-column", "y", "--save",
                 self.folder / "m.safetensors"]
        for text, message in [("id,x,y\n1,2,3\n1,,3\n", "line 3, column 2 (\"x\"): expected a number"),
                              ("id,x,y\n1,2,3\n1,2,4\n", "--per-step learns one of each row"),
                              ("id,x\n1,2\n", "there is no column \"y\" (--target-column)"),
                              ("", "no sequence of numbers")]:
            bad.write_text(text)
            self.refuse(1, [message], "train", bad, *flags)

    def test_flags_of_text_are_not_those_of_numbers(self):
        self.refuse(2, ["--tokenizer"], "train", "--task", "regress", self.data, "--save",
                        self.folder / "m.safetensors", "--tokenizer", "word")
        self.refuse(2, ["a model of sequences of numbers"], "predict", self.make_model("text.safetensors"), self.data)
        self.refuse(2, ["sequences of numbers"], "classify", self.kinds, self.data)
        self.refuse(2, ["numbers"], "score", self.sums, self.data)


if __name__ == "__main__":
    main()
