#!/usr/bin/env python3
"""docs/python.md and the README show what Python prints: python_docs.py UNROLL

Numbers with a point and single characters may differ from those that are shown, and "..." stands for anything.
"""

import contextlib
import doctest
import io
import os
import pathlib
import re

import unroll
from module_tests import CommandTest, main, sentence_text

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"-?\d+\.\d*(?:e[-+]?\d+)?")


def masked(text):
    text = re.sub(r"(?m)^'.'$", "'#'", NUMBER.sub("#", text))
    return re.sub(r"\s+", " ", text).replace(" ]", "]").replace("[ ", "[")


class Masked(doctest.OutputChecker):
    """Compares without the values of numbers and characters, and the width of blanks."""

    def check_output(self, want, got, optionflags):
        want, got = (masked(text) for text in (want, got))
        return super().check_output(want, got, optionflags)


class Documents(CommandTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        pathlib.Path("book.txt").write_text(sentence_text(200), encoding="utf-8")
        unroll.train("book.txt", save="book.safetensors", hidden=32, steps=150, lr=0.02)
        unroll.train("book.txt", save="words.safetensors", hidden=16, steps=100, lr=0.02, tokenizer="word", state="reset")
        films = ["label\ttext", "good\ta fine film", "bad\tno cat likes it", "good\ta fine day", "bad\tno film"]
        pathlib.Path("films.tsv").write_text("\n".join(films + films[1:] * 30) + "\n", encoding="utf-8")
        unroll.train("films.tsv", save="films.safetensors", task="classify", hidden=8, steps=100, valid_split=0)
        pathlib.Path("tags.txt").write_text("the D\ncat N\nsees V\n\na D\ndog N\n\n" * 20, encoding="utf-8")
        unroll.train("tags.txt", save="tags.safetensors", task="tag", hidden=8, chars=4, steps=100, valid_split=0)

    def test_the_manual_prints_what_it_shows(self):
        page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
        blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", page)
        self.assertGreater(len(blocks), 10)
        test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "python.md", "docs/python.md", 0)
        report = io.StringIO()
        runner = doctest.DocTestRunner(Masked(), verbose=False, optionflags=doctest.ELLIPSIS)
        runner.run(test, out=report.write)
        self.assertEqual(runner.failures, 0, report.getvalue())
        self.assertGreater(runner.tries, 40)

    def test_the_six_lines_of_the_readme_run(self):
        page = (ROOT / "README.md").read_text(encoding="utf-8")
        code = re.search(r"(?ms)^## From Python\n.*?^```python\n(.*?)^```$", page).group(1)
        self.assertEqual(len(code.splitlines()), 6)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "README.md", "exec"), {})
        first, *words = printed.getvalue().splitlines()
        self.assertRegex(first, r"^\[-\d+\.\d+ +-\d+\.\d+\]$")
        self.assertEqual([word.split("\t")[0] for word in words][:3], ["And", "the", "people"])


if __name__ == "__main__":
    main()
