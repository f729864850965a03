#!/usr/bin/env python3
"""An installed copy is complete: it is installed, the example is built against it, and both run on a model trained here.

install.py CMAKE BUILD_DIR SOURCE_DIR [CMAKE_OPTION...]
"""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

CMAKE, BUILD, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
CMAKE_OPTIONS = sys.argv[4:]

SENTENCE = "the cat sat on the mat."
LINES = [SENTENCE, "the dog lay on the rug.", "a bird flew over the hill."]


def run(*command):
    """The standard output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode("utf-8")


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        cls.prefix = root / "prefix"
        cls.unroll = cls.prefix / "bin" / "unroll"
        cls.example = root / "score_and_write" / "score_and_write"
        cls.beam_search = root / "beam_search" / "beam_search"
        cls.model = root / "model.safetensors"

        run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)
        for example in [cls.example, cls.beam_search]:
            run(CMAKE, "-S", SOURCE / "examples" / example.name, "-B", example.parent, "-G", "Ninja",
                f"-DCMAKE_PREFIX_PATH={cls.prefix}", *CMAKE_OPTIONS)
            run(CMAKE, "--build", example.parent)
        text = root / "text.txt"
        text.write_text("\n".join(LINES * 100) + "\n", encoding="utf-8")
        run(cls.unroll, "train", text, "--save", cls.model, "--hidden", "32", "--steps", "100", "--batch-size", "8",
            "--bptt", "32", "--valid-split", "0", "--lr", "0.01", "--quiet")
        cls.output = run(cls.example, cls.model, SENTENCE)

    def test_the_example_scores_a_sentence_as_the_program_does(self):
        first_line = self.output.split("\n")[0]
        match = re.fullmatch(r"log_prob (\S+) nats, (\d+) tokens", first_line)
        self.assertTrue(match, first_line)
        log_prob = float(match.group(1))
        self.assertTrue(math.isfinite(log_prob) and log_prob < 0, first_line)
        self.assertEqual(int(match.group(2)), len(SENTENCE) + 1)

        line = self.model.with_name("line.txt")
        line.write_text(SENTENCE + "\n", encoding="utf-8")
        scored = json.loads(run(self.unroll, "score", self.model, line, "--json"))
        self.assertEqual(scored["log_prob"], log_prob)

    def test_the_beam_search_finds_the_text_behind_the_digits(self):
        keys = {letter: str(key) for key, letters in enumerate([" ", ".,!?'", "abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv",
                                                                "wxyz"]) for letter in letters}
        digits = "".join(keys[letter] for letter in SENTENCE)
        found = [row.split("\t") for row in run(self.beam_search, self.model, digits).splitlines()]
        self.assertEqual(len(found), 10)
        self.assertEqual(found[0][1], SENTENCE)
        log_probs = [float(log_prob) for log_prob, _ in found]
        self.assertEqual(log_probs, sorted(log_probs, reverse=True))
        for log_prob, text in found:
            self.assertEqual("".join(keys[letter] for letter in text), digits)
            line = self.model.with_name("found.txt")
            line.write_text(text + "\n", encoding="utf-8")
            scored = json.loads(run(self.unroll, "score", self.model, line, "--json", "--no-end"))
            self.assertEqual(scored["log_prob"], float(log_prob))

    def test_the_model_learned_the_lines(self):
        log_prob = float(self.output.split()[1])
        uniform = -math.log(len(set("".join(LINES)))) * (len(SENTENCE) + 1)
        self.assertGreater(log_prob, uniform / 2)

    def test_the_example_writes_a_hundred_symbols_of_the_alphabet(self):
        written = self.output.split("\n", 1)[1]
        self.assertTrue(written.endswith("\n"))
        self.assertEqual(len(written), 100 + 1)
        self.assertLessEqual(set(written), set("".join(LINES)) | {"\n"})

    def test_the_public_headers_are_installed_and_no_others(self):
        headers = {path.relative_to(SOURCE / "include") for path in (SOURCE / "include").rglob("*.h")}
        installed = self.prefix / "include"
        self.assertEqual({path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}, headers)

    def test_the_installed_program_learns_sub_words_and_scores_with_them(self):
        text, pieces = self.model.with_name("text.txt"), self.model.with_name("sub.model")
        model = self.model.with_name("sub.safetensors")
        run(self.unroll, "tokenize", "train", text, "--vocab-size", "40", "--model-type", "bpe", "--save", pieces)
        run(self.unroll, "train", text, "--tokenizer", pieces, "--save", model, "--hidden", "8", "--steps", "5",
            "--batch-size", "4", "--bptt", "8", "--quiet")
        self.assertTrue(run(self.example, model, SENTENCE).startswith("log_prob -"))

    def test_the_example_says_what_is_wrong_with_a_file_that_is_no_model(self):
        done = subprocess.run([self.example, SOURCE / "LICENSE", SENTENCE], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"LICENSE", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
