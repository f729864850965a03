#!/usr/bin/env python3
"""Help, version, and everything that is wrong with a command line."""

import re
import subprocess

from command_line import PATIENCE, UNROLL, CommandTest, main, run

VERBS = ["train", "eval", "tune", "score", "generate", "convert", "tokenize", "inspect", "recipes", "gradcheck"]

# Flag, values that it must refuse, words that the refusal must hold beside the flag and the value.
BAD_NUMBERS = [
    ("train", "--hidden", ["0", "-1", "1.5", "x", "", "010", "0x10", "1e2", "+3", " 3", "3 ", "99999999999999999999"], "whole number from 1"),
    ("train", "--layers", ["0", "-1", "2000"], "whole number from 1 to 1024"),
    ("train", "--embed", ["0", "-3"], "whole number"),
    ("train", "--batch-size", ["0", "2.0", "65537"], "whole number from 1 to 65536"),
    ("train", "--bptt", ["0", "-2", "65537"], "whole number from 1 to 65536"),
    ("train", "--steps", ["0", "-1", "1e3", "2147483649"], "whole number from 1 to 2147483648"),
    ("train", "--epochs", ["0", "0.5"], "whole number"),
    ("train", "--minutes", ["0", "-1", "nan", "inf", "soon", "1e400"], "a number above 0"),
    ("train", "--lr", ["0", "-0.1", "nan", "1,5"], "a number above 0"),
    ("train", "--clip", ["-1", "nan"], "a number from 0 up"),
    ("train", "--dropout", ["1", "-0.1", "2"], "a number from 0 to below 1"),
    ("train", "--valid-split", ["1", "-0.1"], "a number from 0 to below 1"),
    ("train", "--warmup", ["-1", "0.5"], "whole number from 0"),
    ("train", "--seed", ["-1", "010", "18446744073709551616"], "18446744073709551615"),
    ("train", "--threads", ["0", "-1", "1025"], "whole number from 1 to 1024"),
    ("train", "--save-every", ["0"], "whole number"),
    ("train", "--vocab-size", ["0", "1"], "whole number"),
    ("train", "--min-count", ["0"], "whole number"),
    ("eval", "--threads", ["0", "two"], "whole number"),
    ("eval", "--cache-weight", ["1", "-0.1", "nan", "x"], "a number from 0 to below 1"),
    ("eval", "--cache-theta", ["-1", "nan", "inf", "1e7"], "a number from 0 to"),
    ("eval", "--cache-size", ["0", "1.5", "-3", "1048577"], "whole number from 1 to 1048576"),
    ("score", "--dynamic-rate", ["-1", "nan", "inf", "1e7"], "a number from 0 to"),
    ("score", "--dynamic-decay", ["-1", "nan", "1.5"], "a number from 0 to 1"),
    ("score", "--dynamic-bptt", ["0", "-1", "1.5", "4097"], "whole number from 1 to 4096"),
    ("score", "--temperature", ["0", "-1", "nan", "1e9"], "a number from 0.001 to 1000"),
    ("score", "--threads", ["0", "two"], "whole number"),
    ("score", "--unk-words", ["0", "-1", "1.5", "1099511627777"], "whole number from 1 to 1099511627776"),
    ("generate", "--length", ["0", "-5", "3.5"], "whole number"),
    ("generate", "--temperature", ["-1", "nan", "inf", "hot"], "a number from 0"),
    ("generate", "--top-k", ["-1", "1.5"], "whole number from 0"),
    ("generate", "--top-p", ["0", "1.1", "-1"], "a number above 0, at most 1"),
    ("generate", "--min-p", ["-0.1", "1.1"], "a number from 0 to 1"),
    ("generate", "--count", ["0"], "whole number"),
    ("gradcheck", "--hidden", ["0", "65"], "whole number from 1 to 64"),
]


class Usage(CommandTest):
    def test_without_arguments_a_short_help_comes_with_status_2(self):
        done = run()
        self.assertEqual((done.status, done.out), (2, ""))
        for verb in VERBS:
            self.assertIn(verb, done.err)

    def test_help_names_every_verb(self):
        done = self.succeed("--help")
        self.assertEqual(done.err, "")
        for verb in VERBS:
            self.assertIn(f"\n  {verb} ", done.out)

    def test_each_verb_explains_itself(self):
        for verb in VERBS:
            for flag in ["--help", "-h"]:
                done = self.succeed(verb, flag)
                self.assertEqual(done.err, "")
                self.assertTrue(done.out.startswith(f"usage: unroll {verb} "), done.out)
                self.assertIn("\nExamples\n", done.out)
                longest = max(done.out.splitlines(), key=len)
                self.assertLessEqual(len(longest), 80, longest)

    def test_help_comes_first_even_when_other_flags_are_wrong(self):
        self.succeed("train", "--hidden", "0", "--help")

    def test_help_shows_flags_and_defaults_and_hides_aliases(self):
        text = self.succeed("train", "--help").out
        for flag in ["--recipe", "--tokenizer", "--lowercase", "--vocab-size", "--min-count", "--vocab", "--valid",
                     "--valid-split", "--state", "--cell", "--layers", "--hidden", "--embed", "--tied", "--residual",
                     "--dropout", "--dropout-input", "--locked", "--dropout-words", "--weight-drop", "--ar", "--tar",
                     "--init", "--init-range",
                     "--batch-size", "--bptt", "--optimizer", "--momentum", "--beta2", "--weight-decay",
                     "--lr", "--average", "--ema-decay", "--nonmono", "--patience", "--validate-every", "--bptt-jitter",
                     "--schedule", "--decay-after", "--decay", "--warmup", "--clip", "--epochs",
                     "--steps", "--minutes", "--seed", "--threads", "--log", "--save", "--save-every", "--resume",
                     "--overwrite", "--from", "--quiet"]:
            self.assertRegex(text, rf"(?m)^  {flag}\b")
        for heading in ["Recipe", "Text", "Network", "Run", "Files", "Examples"]:
            self.assertRegex(text, rf"(?m)^{heading}$")
        self.assertIn("[lstm]", text)
        self.assertIn("[char]", text)
        everything = text + self.succeed("generate", "--help").out
        for alias in ["--nhid", "--emsize", "--nlayers", "--seq-length", "--temp ", "-t ", "-m ", "-p ", "-n "]:
            self.assertNotIn(" " + alias, everything)

    def test_version_names_instruction_set_and_libraries(self):
        text = self.succeed("--version").out
        self.assertRegex(text, r"\Aunroll \d+\.\d+\.\d+\ninstruction set: \S")
        for library in ["Highway", "ICU"]:
            self.assertRegex(text, rf"(?m)^{library} \d")

    def test_an_unknown_verb_or_flag_brings_the_nearest(self):
        self.refuse(2, ["trian", "did you mean train?"], "trian")
        self.refuse(2, ["xyzzy", "--help"], "xyzzy")
        self.refuse(2, ["--hiden", "did you mean --hidden?"], "train", self.text, "--hiden", "3", "--save", "m")
        self.refuse(2, ["--tempreture", "--temperature"], "generate", "m", "--tempreture=3")
        self.refuse(2, ["-z"], "generate", "m", "-z")

    def test_numbers_are_read_strictly(self):
        for verb, flag, values, expected in BAD_NUMBERS:
            for value in values:
                model = [] if verb == "gradcheck" else [self.text]
                self.refuse(2, [flag, f'"{value}"', expected], verb, *model, flag, value)
                self.refuse(2, [flag, f'"{value}"', expected], verb, *model, f"{flag}={value}")

    def test_words_are_read_strictly(self):
        for verb, flag, known in [("train", "--cell", "gru-reset-before"), ("train", "--tokenizer", "whitespace"),
                                  ("train", "--state", "carry"), ("train", "--optimizer", "adam"),
                                  ("train", "--schedule", "step"), ("train", "--init", "identity"),
                                  ("train", "--precision", "bf16"), ("convert", "--precision", "int8"),
                                  ("score", "--log-base", "10"), ("score", "--state", "reset"),
                                  ("score", "--format", "kenlm"), ("score", "--unk", "share"), ("score", "--ids", "number"),
                                  ("eval", "--unk", "skip"),
                                  ("eval", "--state", "reset"), ("gradcheck", "--cell", "lstm")]:
            model = [] if verb == "gradcheck" else [self.text]
            for value in ["LSTM", "", "x"]:
                self.refuse(2, [flag, known], verb, *model, flag, value)

    def test_flags_that_contradict_each_other_are_refused(self):
        for pair in [["--steps", "5", "--epochs", "1"], ["--steps", "5", "--minutes", "1"],
                     ["--epochs", "5", "--minutes", "1"], ["--resume", "--overwrite"],
                     ["--valid", "v", "--valid-split", "0.2"]]:
            names = [word for word in pair if word.startswith("--")]
            self.refuse(2, [*names, "exclude each other"], "train", self.text, "--save", "m", *pair)
        self.refuse(2, ["--optimizer asgd", "--average"], "train", self.text, "--save", "m", "--average", "ema",
                    "--optimizer", "asgd")
        self.refuse(2, ["--json", "--log-base"], "score", "m", "--json", "--log-base", "2")

    def test_a_flag_is_given_once_under_whatever_name(self):
        self.refuse(2, ["--hidden", "more than once"], "train", self.text, "--save", "m", "--hidden", "8", "--nhid", "9")

    def test_a_forgotten_value_is_noticed(self):
        self.refuse(2, ["--save", "needs a value"], "train", self.text, "--save")
        self.refuse(2, ["--save", "--resume"], "train", self.text, "--save", "--resume")
        self.refuse(2, ["--save"], "train", self.text, "--save=")
        self.refuse(2, ["--hidden", '""'], "train", self.text, "--save", "m", "--hidden=", "8")

    def test_a_toggle_takes_no_value(self):
        self.refuse(2, ["--overwrite", "no value"], "train", self.text, "--save", "m", "--overwrite=no")

    def test_missing_arguments_are_named(self):
        self.refuse(2, ["TEXT"], "train", "--save", "m")
        self.refuse(2, ["--save"], "train", self.text)
        for verb in ["eval", "score", "generate", "inspect"]:
            self.refuse(2, ["MODEL"], verb)
        self.refuse(2, ["TEXT"], "eval", "m")

    def test_arguments_too_many_are_named(self):
        self.refuse(2, ["extra"], "inspect", "m", "extra")
        self.refuse(2, ["extra", "--prompt"], "generate", "m", "extra")
        self.refuse(2, ["extra"], "score", "m", "t", "extra")
        self.refuse(2, ["extra"], "gradcheck", "extra")
        self.refuse(2, ["extra"], "recipes", "shakespeare", "extra")

    def test_the_output_never_replaces_what_is_read(self):
        before = self.text.read_bytes()
        self.refuse(2, ["--save", str(self.text)], "train", self.text, "--save", self.text, "--overwrite")
        self.refuse(2, ["--log", str(self.text)], "train", self.text, "--save", self.folder / "m", "--log", self.text)
        for log in ["m", "./m", "m.resume"]:
            self.refuse(2, ["--log"], "train", self.text, "--save", "m", "--log", log, cwd=self.folder)
        self.refuse(2, ["--save"], "train", self.text, "--save", "-")
        recipe = self.write("a.toml", "hidden = 8\n")
        (self.folder / "link").symlink_to(recipe)
        for save in [recipe, "link"]:
            self.refuse(2, ["--save", str(recipe)], "train", self.text, "--save", save, "--recipe", recipe,
                        "--overwrite", cwd=self.folder)
        for flags in [["--recipe", recipe], ["--vocab", recipe, "--tokenizer", "word"], ["--from", recipe],
                      ["--valid", recipe]]:
            self.refuse(2, ["--log", str(recipe)], "train", self.text, "--save", "m", "--log", "link", *flags,
                        cwd=self.folder)
        learn = ["tokenize", "train", "t.model", "--save", "./t.model", "--overwrite"]
        self.write("t.model", before)
        self.refuse(2, ["--save", "t.model"], *learn, cwd=self.folder)
        with self.text.open("rb") as text:
            self.assertEqual(subprocess.run([UNROLL, "train", "-", "--save", self.text, "--overwrite"], stdin=text,
                                            stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode, 2)
        self.assertEqual(self.text.read_bytes(), before)
        self.assertEqual(recipe.read_bytes(), b"hidden = 8\n")

    def test_a_path_that_cannot_be_written_is_refused_before_the_work(self):
        long = self.folder / ("n" * 243)
        for arguments in [["train", self.text, "--save", long],
                          ["tokenize", "train", self.text, "--save", str(long) + ".model"],
                          ["tokenize", "train", self.text, "--save", self.folder / "missing" / "p.model"]]:
            done = self.refuse(1, ["cannot write"], *arguments)
            self.assertEqual(done.err.count("\n"), 1)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_after_two_dashes_everything_is_an_argument(self):
        self.refuse(1, ["--missing"], "inspect", "--", "--missing")
        self.refuse(1, ["--quiet="], "inspect", "--", "--quiet=")

    def test_unusual_paths_are_taken_as_they_are(self):
        for name in ["++", "[a,b]", "a b", "{}"]:
            done = self.refuse(1, [name], "train", name, "--save", "m", cwd=self.folder)
            self.assertTrue(re.search("No such file|not exist|missing", done.err), done.err)
        self.refuse(1, [], "inspect", b"\xff\xfe")


if __name__ == "__main__":
    main()
