#!/usr/bin/env python3
"""Odd lines from the command line."""

import re

from command_line import SMALL, CommandTest, main, rows, run, sentence_text, sentences


class Percentile(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.shared / "words.safetensors"
        done = run("train", cls.text, "--save", cls.model, *SMALL, "--tokenizer", "word", "--steps", "300", "--quiet")
        if done.status != 0:
            raise AssertionError(done.err)
        cls.usual = cls.shared / "usual.txt"
        cls.usual.write_text(sentence_text(2000, seed=7), encoding="utf-8")

    def score(self, text, *flags):
        return self.succeed("score", self.model, "--percentile", self.usual, *flags, stdin=text.encode())

    def test_a_column_stands_before_the_others(self):
        line = "the cat sees the dog."
        done = self.score(line + "\n\n")
        self.assertIn("# columns: percentile log_prob tokens text", done.out)
        self.assertIn("reference: 2,000 lines, half of them to compare with: no percentile is below 0.0999", done.err)
        plain = rows(self.succeed("score", self.model, stdin=line.encode() + b"\n\n").out)
        found = [row.split("\t", 1) for row in rows(done.out)]
        self.assertEqual([row[1] for row in found], plain)
        self.assertTrue(all(0 < float(row[0]) <= 100 for row in found))
        self.assertEqual(rows(self.score(line + "\n", "--quiet", "--threads", "1").out), rows(done.out)[:1])

    def test_the_stated_rate_of_false_alarms_holds_on_held_out_lines(self):
        held_out = sentence_text(2000, seed=8)
        for alarm in (0.05, 0.2):
            rings = rows(self.score(held_out, "--alarm", str(alarm)).out)
            # Few different sentences and many ties make it less than stated, never much more: four standard deviations
            # of both halves.
            self.assertLessEqual(len(rings) / 2000, alarm + 4 * (alarm * (1 - alarm) * (1 / 1000 + 1 / 2000)) ** 0.5)

    def test_odd_lines_ring(self):
        odd = "\n".join(" ".join(reversed(re.findall(r"\w+|[.!]", line))) for line in sentences(50, seed=3)) + "\n"
        usual = sentence_text(50, seed=3)
        count = {name: len(rows(self.score(text, "--alarm", "0.1").out)) for name, text in (("odd", odd), ("usual", usual))}
        self.assertGreater(count["odd"], 30)
        self.assertLess(count["usual"], 15)

    def test_wrong_usage_is_refused(self):
        few = self.write("few.txt", sentence_text(19))
        self.refuse(1, ["few.txt", "19 reference lines"], "score", self.model, self.text, "--percentile", few)
        bad = self.write("bad.txt", sentence_text(30).encode() + b"\xff\n")
        self.refuse(1, ["bad.txt", "line 31"], "score", self.model, self.text, "--percentile", bad)
        self.refuse(1, ["missing.txt"], "score", self.model, self.text, "--percentile", self.folder / "missing.txt")
        self.refuse(2, ["--alarm is for --percentile"], "score", self.model, self.text, "--alarm", "0.1")
        for flags in (["--json"], ["--state", "carry"], ["--cache"], ["--format", "srilm"]):
            self.refuse(2, ["--percentile"], "score", self.model, self.text, "--percentile", self.usual, *flags)
        self.refuse(2, ["--alarm"], "score", self.model, self.text, "--percentile", self.usual, "--alarm", "0")


if __name__ == "__main__":
    main()
