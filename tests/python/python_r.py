#!/usr/bin/env python3
"""docs/r.md reads in R what the command and NumPy write, where R is installed."""

import pathlib
import re
import shutil
import subprocess
import unittest

import numpy

import unroll
from module_tests import CommandTest, main, sentences

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "r.md"


@unittest.skipUnless(shutil.which("Rscript"), "R is not installed (on Debian: apt-get install r-base-core)")
class R(CommandTest):
    def run_page(self, rest):
        """What `rest` prints after the programs of the page."""
        programs = re.findall(r"(?ms)^```r\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
        self.assertEqual(len(programs), 3)
        script = self.write("page.R", "\n".join(programs) + "\ncat('----\\n')\n" + rest)
        done = subprocess.run(["Rscript", "--vanilla", script], cwd=self.folder, capture_output=True, text=True,
                              encoding="utf-8", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("----\n", 1)[1].splitlines()

    def test_tables_of_words_and_arrays_are_read(self):
        lines = [*sentences(6, seed=4), "the \"cat\" # it's NA 12", ""]
        model = self.make_model("char.safetensors")
        raw = "".join(line + "\n" for line in lines).encode()
        self.write("words.txt", self.succeed("score", model, "--words", "--quiet", stdin=raw).raw)
        self.write("lines.txt", raw)
        self.succeed("features", model, self.folder / "lines.txt", "--per", "text", "--save", self.folder / "states.npy",
                     "--quiet")
        states = numpy.load(self.folder / "states.npy")
        arrays = {"one": numpy.arange(5.0), "two": numpy.arange(6, dtype="<i4").reshape(2, 3),
                  "three": numpy.arange(24, dtype="<f4").reshape(2, 3, 4), "bytes": numpy.array([[0, 200], [255, 1]], "u1"),
                  "fortran": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
                  "truth": numpy.array([[True, False, True]])}
        for name, array in arrays.items():
            numpy.save(self.folder / f"{name}.npy", array)
        printed = iter(self.run_page("show <- function(x) cat(dim(x), ':', format(x, digits = 9, trim = TRUE), '\\n')\n"
                                     "cat(words$word[!is.na(words$word)], sep = '\\n'); cat('--\\n')\n"
                                     "cat(format(words$surp, digits = 17, trim = TRUE), sep = '\\n'); cat('--\\n')\n"
                                     "show(states)\n" + "".join(f"show(read_npy('{name}.npy'))\n" for name in arrays)))
        table = unroll.Scorer(unroll.Model.open(model)).word_table(lines)
        words = list(iter(lambda: next(printed), "--"))
        self.assertEqual(words, [word.replace("\n", "\\n") for word in table["word"]])
        surprisals = list(iter(lambda: next(printed), "--"))
        numpy.testing.assert_allclose([float(value) for value in surprisals], table["surp"], rtol=1e-14)
        for array in [states, *arrays.values()]:
            shape, values = next(printed).split(":")
            self.assertEqual([int(size) for size in shape.split()], list(array.shape))
            # R's order is Fortran's.
            numpy.testing.assert_allclose([float(value) for value in values.split()],
                                          array.astype(float).ravel(order="F"), rtol=1e-6)


if __name__ == "__main__":
    main()
