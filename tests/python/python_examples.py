#!/usr/bin/env python3
"""The programs of examples/python do what they say, with the packages that they can use and without."""

import csv
import importlib.util
import io
import math
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import unroll
from module_tests import CommandTest, main, sentences

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"

# Runs a program as if a package were not installed.
WITHOUT = "import runpy, sys; sys.modules[sys.argv[1]] = None; sys.argv[:2] = []; runpy.run_path(sys.argv[0], None, '__main__')"


class Examples(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors", "--log", cls.shared / "log.jsonl", "--validate-every", "5")

    def run_example(self, name, *arguments, without=None):
        how = ["-c", WITHOUT, without] if without else []
        command = [sys.executable, "-B", *how, EXAMPLES / name, *arguments]
        return subprocess.run([os.fspath(part) for part in command], capture_output=True, cwd=self.folder, text=True,
                              check=False)

    def ways(self, package):
        return [package, None] if importlib.util.find_spec(package) else [package]

    def test_a_table_of_sentences_gets_the_surprisal_of_its_words(self):
        lines = [*sentences(5, seed=2), 'the "cat", again', "NA", "12"]
        file = io.StringIO()
        csv.writer(file).writerows([["item", "sentence"], *([str(i), line] for i, line in enumerate(lines))])
        table = self.write("table.csv", "\ufeff" + file.getvalue())
        expected = unroll.Scorer(unroll.Model.open(self.model)).word_table(lines)
        for without in self.ways("pandas"):
            done = self.run_example("surprisal.py", self.model, table, without=without)
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = list(csv.DictReader(io.StringIO(done.stdout)))
            self.assertEqual([row["word"] for row in rows], expected["word"])
            self.assertEqual([row["sentence"] for row in rows], [lines[i] for i in expected["sentid"]])
            self.assertEqual([int(row["item"]) for row in rows], expected["sentid"].tolist())
            self.assertEqual([float(row["surp"]) for row in rows], expected["surp"].tolist())

    def test_pairs_are_compared(self):
        pairs = self.write("pairs.tsv", "the cat sees the dog.\tthe cat xzq the dog.\nthe dog\tdog\n")
        done = self.run_example("pairs.py", self.model, pairs)
        self.assertEqual(done.returncode, 0, done.stderr)
        first, second, last = done.stdout.splitlines()
        self.assertEqual(first.split("\t")[1:], ["the cat", "the cat sees the dog.", "the cat xzq the dog."])
        self.assertEqual(second.split("\t")[1], "-")
        scores = unroll.Scorer(unroll.Model.open(self.model)).score(["the dog", "dog"])
        self.assertEqual(second.split("\t")[0], f"{(scores[0] - scores[1]) / math.log(2):+.2f}")
        right = sum(row.startswith("+") for row in (first, second))
        self.assertEqual(last, f"{right} of 2 right")

    def test_curves_become_a_picture(self):
        for without in self.ways("matplotlib"):
            picture = self.folder / "curves.svg"
            done = self.run_example("curves.py", self.model, self.shared / "log.jsonl", "--save", picture, without=without)
            self.assertEqual(done.returncode, 0, done.stderr)
            root = xml.etree.ElementTree.parse(picture).getroot()
            self.assertTrue(root.tag.endswith("svg"))
            if without:
                lines = [each.get("points").split() for each in root.findall(".//{*}polyline")]
                self.assertEqual([len(line) for line in lines][2:], [20, 4])
            picture.unlink()
        done = self.run_example("curves.py", self.model, "--save", "curves.png", without="matplotlib")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("takes matplotlib", done.stderr)


if __name__ == "__main__":
    main()
