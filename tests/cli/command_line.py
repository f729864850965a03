"""What the tests of the command share: running it, a text to learn from, a small model.

Each cli_*.py is run as `python3 tests/cli_x.py PATH_OF_UNROLL`.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

UNROLL = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "unroll"

# Generous: a sanitizer on a busy machine is slow, and only a program that hangs should meet it.
PATIENCE = 300

SMALL = ["--hidden", "8", "--batch-size", "4", "--bptt", "8"]


def sentences(count, seed=1):
    """Lines of made-up English, the same ones each time."""
    dice = random.Random(seed)
    nouns = ["cat", "dog", "bird", "king", "river", "stone", "garden", "night"]
    verbs = ["sees", "finds", "loves", "crosses", "holds", "leaves"]
    lines = []
    for _ in range(count):
        noun, verb, other = dice.choice(nouns), dice.choice(verbs), dice.choice(nouns)
        lines.append(f"the {noun} {verb} the {other}{dice.choice(['.', '!', ' again.'])}")
    return lines


def sentence_text(count, seed=1):
    return "".join(line + "\n" for line in sentences(count, seed))


class Done:
    """A finished run: status, and both outputs as bytes and as text."""

    def __init__(self, process):
        self.status = process.returncode
        self.raw = process.stdout
        self.out = process.stdout.decode("utf-8", "surrogateescape")
        self.err = process.stderr.decode("utf-8", "surrogateescape")


def run(*arguments, stdin=b"", environment=None, **options):
    """Runs the command. Arguments may be text, bytes or paths; stdin is bytes."""
    process = subprocess.run([UNROLL, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=PATIENCE, env={**os.environ, **(environment or {})}, check=False, **options)
    return Done(process)


class CommandTest(unittest.TestCase):
    """A test with a folder of its own, self.folder, and a class-wide one, self.shared."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="unroll-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, True)
        cls.text = cls.shared / "text.txt"
        cls.text.write_text(sentence_text(150), encoding="utf-8")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="unroll-test-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    @classmethod
    def make_model(cls, name, *flags, text=None):
        """Trains a small model into the shared folder."""
        model = cls.shared / name
        done = run("train", text or cls.text, "--save", model, *SMALL, "--steps", "20", "--quiet", *flags)
        if done.status != 0:
            raise AssertionError(f"training {name} ended with {done.status}: {done.err}")
        return model

    def succeed(self, *arguments, **options):
        done = run(*arguments, **options)
        self.assertEqual(done.status, 0, f"{arguments}: {done.err}")
        return done

    def refuse(self, status, words, *arguments, **options):
        """The command must end with `status`, one error line that holds all of `words`, and empty standard output."""
        done = run(*arguments, **options)
        self.assertEqual(done.status, status, f"{arguments}: {done.out}{done.err}")
        errors = [line for line in done.err.splitlines() if line.startswith("unroll: error: ")]
        self.assertEqual(len(errors), 1, f"{arguments}: {done.err}")
        for word in words:
            self.assertIn(word, errors[0])
        self.assertEqual(done.out, "")
        return done

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path


def log_lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def rows(output):
    """Score rows: what is no header."""
    return [line for line in output.split("\n") if line and not line.startswith("#")]


def main():
    unittest.main(verbosity=1)
