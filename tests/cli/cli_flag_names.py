#!/usr/bin/env python3
"""Errors of a verb name flags that this verb has, and no fields of the library."""

import re

from command_line import CommandTest, main, run

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
NOT_UTF8 = b"the cat\nthe \xff dog\n"


class FlagNames(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chars = cls.make_model("chars")
        cls.words = cls.make_model("words", "--tokenizer", "whitespace")
        cls.by_line = cls.make_model("by_line", "--state", "reset")
        cls.files = {}
        for name, content in {
                "bad": NOT_UTF8, "empty": b"", "eos": b"the <eos> cat\n", "zeros": b"\0" * 100,
                "model": cls.chars.read_bytes()[:-1], "list": b"u 0 1 1 the cat\nu \xff\n", "json": b'{"text": 3}\n',
                "strange": "日本語\n".encode()}.items():
            path = cls.shared / name
            path.write_bytes(content)
            cls.files[name] = path

    known_flags = {}  # by verb: each help is asked for once

    def flags_of(self, *verb):
        if verb not in self.known_flags:
            self.known_flags[verb] = {"--help", *FLAG.findall(self.succeed(*verb, "--help").out)}
        return self.known_flags[verb]

    def wrong(self, *arguments, verb=None, done=None, **options):
        """The error of a command, `done` where it has run already, after checking how it speaks."""
        done = done or run(*arguments, **options)
        self.assertNotIn(done.status, (0, -6, -11), arguments)
        error = done.err.splitlines()[-1]
        self.assertTrue(error.startswith("unroll: error: "), (arguments, done.err))
        given = {str(argument).split("=")[0] for argument in arguments}
        unknown = set(FLAG.findall(error)) - self.flags_of(*(verb or arguments[:1])) - given
        self.assertEqual(unknown, set(), (arguments, error))
        self.assertNotIn("`", error, arguments)
        return error

    def test_every_verb_that_reads_a_text(self):
        texts = [self.files[name] for name in ("bad", "empty", "eos", "zeros", "strange")] + [self.folder / "missing"]
        for model in [self.chars, self.words, self.files["model"], self.files["empty"], self.files["zeros"]]:
            for text in texts:
                for verb, *flags in [["eval"], ["eval", "--state", "reset", "--no-end"], ["score"], ["tune"],
                                     ["rescore", "--format", "kaldi"], ["rescore", "--format", "moses"]]:
                    arguments = [verb, model, *flags, text]
                    done = run(*arguments)
                    if done.status != 0:
                        self.wrong(*arguments, done=done)
            self.wrong("generate", model, "--prompt", b"a\xff")

    def test_flags_that_contradict_each_other(self):
        for arguments in [["eval", self.chars, self.by_line, self.text], ["eval", self.chars, self.words, self.text],
                          ["eval", self.chars, self.text, "--unk", "share"],
                          ["eval", self.chars, self.text, "--ngram", self.text],
                          ["score", self.chars, self.text, "--unk-words", "3"],
                          ["score", self.chars, self.text, "--state", "carry", "--context", "a"],
                          ["score", self.chars, self.text, "--words", "--ranks"],
                          ["tune", self.chars, self.text, "--tune", "x"],
                          ["generate", self.chars, "--temperature", "0", "--top-k", "0"]]:
            if run(*arguments).status != 0:
                self.wrong(*arguments)

    def test_training(self):
        save = ["--save", self.folder / "m"]
        for flags in [["--tokenizer", "byte", "--min-count", "2"], ["--lowercase"], ["--momentum", "0.5"],
                      ["--schedule", "step"], ["--decay", "3"], ["--samples", "2"], ["--average", "triggered", "--valid-split", "0"],
                      ["--hidden", "16777216"], ["--softmax", "sampled", "--samples", "10000"], ["--init", "identity"],
                      ["--from", self.chars, "--softmax", "adaptive"], ["--bptt-jitter", "50"], ["--min-count", "100000"],
                      ["--valid", self.files["empty"]], ["--optimizer", "sgd", "--lr", "1e38", "--clip", "0"], ["--resume", "--overwrite"]]:
            self.wrong("train", self.text, *save, "--steps", "3", "--quiet", *flags)
        self.wrong("train", self.text, "--save", self.chars)
        self.wrong("train", self.text, "--save", self.chars, "--resume", "--hidden", "9")
        self.wrong("train", "t", *save, "--lr", "0")
        self.wrong("tokenize", "train", self.files["bad"], "--save", self.folder / "p.model", verb=["tokenize", "train"])
        self.wrong("tokenize", "train", self.text, "--save", self.folder / "p.model", "--vocab-size", "3",
                   verb=["tokenize", "train"])

    def test_advice_suits_the_verb(self):
        bad = self.files["bad"]
        words = f"'{bad}': byte 12 (line 2): 0xff is not UTF-8 there; convert the text to UTF-8"
        save = ["--save", self.folder / "m"]
        self.assertIn(words + " or give --tokenizer byte", self.wrong("train", bad, *save))
        for arguments in [["train", bad, *save, "--from", self.chars], ["eval", self.chars, bad]]:
            error = self.wrong(*arguments)
            self.assertTrue(error.endswith(words), error)
        for arguments in [["score", self.chars, bad], ["tune", self.chars, bad],
                          ["generate", self.chars, "--prompt", b"a\xff"]]:
            error = self.wrong(*arguments)
            self.assertTrue(error.endswith("convert the text to UTF-8"), error)
        self.assertIn("or give --tokenizer byte", self.wrong("tokenize", bad, "--tokenizer", "char"))

    def test_fields_become_flags(self):
        save = ["--save", self.folder / "m"]
        for flags, words in [(["--momentum", "0.5"], "--momentum is for --optimizer sgd: here it is adam"),
                             (["--tokenizer", "whitespace", "--vocab-size", "3"], "--vocab-size is 3: expected at least 4"),
                             (["--schedule", "step"], "--schedule is step: give --decay-after"),
                             (["--hidden", "100000"], "use a smaller --hidden")]:
            self.assertIn(words, self.wrong("train", self.text, *save, *flags))
        self.assertIn("exists: give --resume to continue it, --overwrite to replace it, or another --save",
                      self.wrong("train", self.text, "--save", self.chars))


if __name__ == "__main__":
    main()
