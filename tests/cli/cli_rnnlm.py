#!/usr/bin/env python3
"""The spelling of rnnlm's arguments, for scripts that call it."""

import os
import subprocess

from command_line import UNROLL, CommandTest, main, run


class Rnnlm(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace")

    def log10s(self, text, *flags):
        """One number for each line, as score tells them."""
        out = self.succeed("score", self.model, "--format", "rnnlm", "--quiet", *flags, stdin=text.encode()).out
        return out.splitlines()

    def rnnlm(self, *arguments):
        return self.succeed("rnnlm", "-rnnlm", self.model, *arguments)

    def test_a_script_gets_a_number_for_each_hypothesis_and_nothing_else(self):
        lists = self.write("lists", "u1 the cat sees\nu1 the dog\nu1\nu2 the zebra\n")
        done = self.rnnlm("-test", lists, "-nbest", "-independent", "-debug", "0")
        self.assertEqual(done.out.splitlines(), self.log10s("the cat sees\nthe dog\n\nthe zebra\n"))
        self.assertEqual(done.err, "")
        ids_of_their_own = self.write("kaldi", "u1-1 the cat sees\nu1-2 the dog\nu1-3\nu2-1 the zebra\n")
        self.assertEqual(self.rnnlm("-independent", "-nbest", "-debug", "0", "-test", ids_of_their_own).out, done.out)
        piped = self.succeed("rnnlm", "-rnnlm", self.model, "-test", "-", "-nbest", "-independent", "-debug", "0",
                             stdin=lists.read_bytes())
        self.assertEqual(piped.out, done.out)

    def test_lists_before_a_wrong_line_get_their_numbers(self):
        arguments = ["-rnnlm", self.model, "-nbest", "-debug", "0", "-test", "-"]
        for flags in ["-independent"], []:
            whole = self.succeed("rnnlm", *arguments, *flags, stdin=b"u1 the cat\nu1 the dog\nu2 the\n").out
            for wrong in b"u3 the\xff\n", b"u3 the\nu1 the\n":
                lists = b"u1 the cat\nu1 the dog\nu2 the\n" + wrong
                done = run("rnnlm", *arguments, *flags, stdin=lists)
                self.assertEqual(done.status, 1)
                self.assertTrue(done.out.startswith(whole), done.out)
                self.assertIn("standard input, line 4" if b"\xff" in wrong else "standard input, line 5", done.err)

    def test_a_program_that_is_called_rnnlm_takes_the_same_arguments(self):
        link = self.folder / "rnnlm"
        os.symlink(UNROLL, link)
        lists = self.write("lists", "u1 the cat\n")
        arguments = ["-rnnlm", self.model, "-test", lists, "-nbest", "-independent", "-debug", "0"]
        done = subprocess.run([link, *arguments], capture_output=True, check=True)
        self.assertEqual(done.stdout, self.rnnlm(*arguments[2:]).raw)

    def test_without_independent_lists_go_on_from_the_first_hypothesis_before(self):
        lists = self.write("lists", "u1 the cat sees\nu1 the dog\nu2 the zebra\nu2 the river\nu3 a\n")
        out = self.rnnlm("-test", lists, "-nbest", "-debug", "0").out.splitlines()
        carried = self.log10s("the cat sees\nthe zebra\na\n", "--state", "carry")
        self.assertEqual([out[0], out[2], out[4]], carried)
        self.assertEqual([out[1], out[3]], [self.log10s("the dog\n", "--state", "carry")[0],
                                            self.log10s("the cat sees\nthe river\n", "--state", "carry")[1]])

    def test_a_text_is_summed_up(self):
        text = self.write("text", "the cat sees\nthe dog\n")
        for flags, state in ([], "carry"), (["-independent"], "reset"):
            numbers = [float(line) for line in self.log10s("the cat sees\nthe dog\n", "--state", state)]
            lines = self.rnnlm("-test", text, *flags).out.splitlines()
            self.assertEqual((lines[0], lines[2]), ("", ""))
            self.assertTrue(lines[1].startswith("test log probability: "))
            self.assertAlmostEqual(float(lines[1].split(": ")[1]), sum(numbers))
            self.assertTrue(lines[3].startswith("PPL net: "))
            self.assertAlmostEqual(float(lines[3].split(": ")[1]), 10 ** (-sum(numbers) / 7))
            silent = self.rnnlm("-test", text, *flags, "-debug", "0").out.splitlines()
            self.assertEqual([float(line) for line in silent], numbers)
        both = self.rnnlm("-test", self.write("lists", "u the cat\n"), "-nbest").out.splitlines()
        self.assertEqual(len(both), 5)

    def test_a_text_without_a_line_has_no_perplexity(self):
        empty = self.write("empty", "")
        self.refuse(1, ["'", "empty' holds no line"], "rnnlm", "-rnnlm", self.model, "-test", empty)
        self.assertEqual(self.rnnlm("-test", empty, "-debug", "0").out, "")

    def test_other_arguments_are_refused_by_name(self):
        text = self.write("text", "u the cat\n")
        refuse = lambda words, *arguments: self.refuse(2, words, "rnnlm", *arguments)
        refuse(["-train"], "-train", text)
        refuse(["-rnnlm MODEL"], "-test", text)
        refuse(["-test TEXT"], "-rnnlm", self.model)
        refuse(["-test needs a value"], "-rnnlm", self.model, "-test")
        refuse(["-lm-prob", "--lambda"], "-rnnlm", self.model, "-test", text, "-lm-prob", "x")
        refuse(["-debug 2"], "-rnnlm", self.model, "-test", text, "-debug", "2")
        self.refuse(1, ["text', line 1"], "rnnlm", "-rnnlm", self.model, "-nbest", "-test",
                    self.write("text", b"u a\xff\n"))
        self.assertIn("-nbest", self.succeed("rnnlm", "--help").out)


if __name__ == "__main__":
    main()
