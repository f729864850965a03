#!/usr/bin/env python3
"""N-grams beside a network: eval, score and tune, compared with a reader of ARPA files of its own."""

import gzip
import json
import math
import shlex

import arpa
import command_line
from cli_score_dialects import PARSERS, parse_json, total
from command_line import CommandTest, main, sentence_text, sentences


class WithNgrams(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace", "--min-count", "20")
        cls.vocabulary = json.loads(cls.inspect(cls.model))["tokenizer"]["vocabulary"]
        # What the model does not know is <unk> to the n-grams, too.
        known = [" ".join(word if word in cls.vocabulary else "<unk>" for word in line.split())
                 for line in sentences(150)]
        cls.arpa = cls.shared / "words.arpa"
        cls.arpa.write_text(arpa.make(known, 3, [w for w in cls.vocabulary if w != "<eos>"]), encoding="utf-8")
        cls.ngrams = arpa.Arpa(cls.arpa.read_text(encoding="utf-8"))
        cls.valid = cls.shared / "valid.txt"
        cls.valid.write_text(sentence_text(40, seed=9) + "the Zebra sees\n\n", encoding="utf-8")

    @classmethod
    def inspect(cls, model):
        return command_line.run("inspect", model, "--json").out

    def score(self, *flags):
        return self.succeed("score", self.model, self.valid, "--quiet", *flags).out

    def eval(self, *flags, text=None):
        return json.loads(self.succeed("eval", self.model, text or self.valid, "--quiet", "--json", *flags).out)

    def test_the_mixture_is_the_sum_of_both_word_by_word(self):
        network = parse_json(self.score("--json"))
        for share in (0, 0.3, 0.9):
            mixed = parse_json(self.score("--json", "--ngram", self.arpa, "--lambda", str(share)))
            for line, text in enumerate(self.valid.read_text(encoding="utf-8").splitlines()):
                words = [word if word in self.vocabulary else "<unk>" for word in text.split()]
                for t, ngram in enumerate(self.ngrams.line(words)):
                    p = share * math.exp(network[line][t]) + (1 - share) * math.exp(ngram)
                    self.assertAlmostEqual(mixed[line][t], math.log(p), delta=2e-6)

    def test_every_dialect_adds_up_to_what_eval_tells(self):
        flags = ["--ngram", self.arpa, "--lambda", "0.4"]
        # SRILM has no row for a blank line.
        text = self.write("text.txt", self.valid.read_bytes().replace(b"\n\n", b"\n"))
        for policy in ([], ["--no-end"], ["--unk", "skip"], ["--unk", "share", "--unk-words", "50"]):
            result = self.eval("--state", "reset", *policy, *flags, text=text)
            for name, parse in PARSERS.items():
                ids = ["--ids", "number"] if name == "kaldi" else []
                out = self.succeed("score", self.model, "--quiet", "--format", name, *ids, *policy, *flags,
                                   stdin=text.read_bytes()).out
                nats = result["nats_per_token"] * result["tokens"]
                self.assertAlmostEqual(total(parse(out)), -nats, delta=1e-9 * nats, msg=name)

    def test_a_lambda_of_one_is_no_ngrams_at_all(self):
        flags = ["--ngram", self.arpa, "--lambda", "1"]
        for form in (["--tokens"], ["--json"], ["--format", "srilm"], ["--state", "carry"]):
            self.assertEqual(self.score(*form, *flags), self.score(*form))
        plain, same = self.eval(), self.eval(*flags)
        for result in (plain, same):
            del result["tokens_per_s"]
        self.assertEqual(plain, same)

    def test_eval_tells_of_network_ngrams_and_mixture(self):
        result = self.eval("--ngram", self.arpa, "--lambda", "0.4")
        self.assertEqual(result["network"]["perplexity"], self.eval()["perplexity"])
        self.assertEqual(result["ngram"]["order"], 3)
        self.assertEqual(result["ngram"]["perplexity"], self.eval("--ngram", self.arpa, "--lambda", "0")["perplexity"])
        self.assertNotIn("ngram", self.eval())
        table = self.succeed("eval", self.model, self.valid, "--quiet", "--ngram", self.arpa).out
        self.assertIn("network  ", table)
        self.assertIn("n-grams  ", table)
        self.assertIn("3-grams, lambda 0.5 (the network's share)", table)
        both = json.loads(self.succeed("eval", self.model, self.model, self.valid, "--json", "--quiet", "--ngram",
                                       self.arpa, "--lambda", "0.4").out)
        self.assertAlmostEqual(both["nats_per_token"], result["nats_per_token"], delta=1e-9)

    def test_tune_finds_a_lambda_that_eval_confirms(self):
        found = json.loads(self.succeed("tune", self.model, self.valid, "--quiet", "--json", "--what", "lambda",
                                        "--ngram", self.arpa).out)
        self.assertLess(found["best"]["perplexity"], found["plain"]["perplexity"])
        flags = shlex.split(found["flags"])
        self.assertIn("--lambda", flags)
        self.assertAlmostEqual(self.eval("--exact", *flags)["nats_per_token"], found["best"]["nats_per_token"],
                               delta=1e-9)
        self.score(*flags)
        table = self.succeed("tune", self.model, self.valid, "--quiet", "--what", "temperature,lambda", "--ngram",
                             self.arpa).out
        self.assertIn("--ngram", table.splitlines()[-1])

    def test_the_flags_of_tune_are_words_to_a_shell(self):
        path = self.write("it's n-grams.arpa", self.arpa.read_text(encoding="utf-8"))
        found = json.loads(self.succeed("tune", self.model, self.valid, "--quiet", "--json", "--what", "lambda",
                                        "--ngram", path).out)
        self.assertEqual(shlex.split(found["flags"])[1], str(path))

    def test_a_probability_above_one_is_refused(self):
        good = self.arpa.read_text(encoding="utf-8").splitlines()
        two = good.index("\\2-grams:")
        heavy = [line.rsplit("\t", 1)[0] + "\t9" if i < two and line.count("\t") == 2 else line
                 for i, line in enumerate(good)]
        path = self.write("heavy.arpa", "\n".join(heavy) + "\n")
        self.refuse(1, ["valid.txt', line ", "heavy.arpa", "more than 1"], "eval", self.model, self.valid, "--quiet",
                    "--ngram", path, "--lambda", "0.9")
        of_the = [heavy[i] if "\tthe\t" in line else line for i, line in enumerate(good)]
        path = self.write("the.arpa", "\n".join(of_the) + "\n")
        done = command_line.run("score", self.model, "--ngram", path, "--lambda", "0", stdin=b"\nthe the\n")
        self.assertEqual(done.status, 1)
        self.assertIn("standard input, line 2, symbol 2: the n-grams '", done.err)
        self.assertRegex(done.err, "warning: .*the words after \"the\" sum to ")
        self.assertEqual(len([line for line in done.out.splitlines() if not line.startswith("#")]), 1)

    def test_gzip_and_any_number_of_threads(self):
        packed = self.write("words.arpa.gz", gzip.compress(self.arpa.read_bytes()))
        expected = self.score("--tokens", "--ngram", self.arpa, "--threads", "1")
        self.assertEqual(self.score("--tokens", "--ngram", packed, "--threads", "3"), expected)
        header = self.succeed("score", self.model, self.valid, "--ngram", self.arpa).out
        self.assertIn("# n-grams: 3-grams, lambda 0.5", header)

    def test_damaged_files_are_refused_with_their_place(self):
        good = self.arpa.read_text(encoding="utf-8")
        damaged = {
            "cut": (good[:len(good) // 2], ["line"]),
            "empty": ("", ["\\data\\"]),
            "counts": (good.replace("ngram 2=", "ngram 2=1"), ["2-grams", "lists"]),
            "number": (good.replace("\t<unk>", "x\t<unk>", 1), ["column 1", "expected a number"]),
            "interpolated": ("iARPA\n\n" + good, ["line 1", "iARPA", "compile-lm --text=yes"]),
            "twice": (good.replace("ngram 3", "ngram 2", 1), ["ngram 3="]),
            "binary": (b"mmap lm http://kheafield.com/code\0\xff\xfe" * 50, ["\\data\\"]),
        }
        for name, (content, words) in damaged.items():
            path = self.write(f"{name}.arpa", content)
            self.refuse(1, [f"{name}.arpa", *words], "score", self.model, self.valid, "--quiet", "--ngram", path)
        self.refuse(1, ["nowhere.arpa"], "eval", self.model, self.valid, "--ngram", "nowhere.arpa")

    def test_wrong_usage_is_refused(self):
        characters = self.make_model("characters.safetensors")
        self.refuse(2, ["--lambda", "--ngram"], "eval", self.model, self.valid, "--lambda", "0.5")
        self.refuse(2, ["--lambda"], "eval", self.model, self.valid, "--ngram", self.arpa, "--lambda", "1.1")
        self.refuse(2, ["n-grams are of words"], "score", characters, self.valid, "--quiet", "--ngram", self.arpa)
        self.refuse(2, ["--what lambda", "--ngram"], "tune", self.model, self.valid, "--what", "lambda")
        self.refuse(2, ["--what lambda", "--ngram"], "tune", self.model, self.valid, "--what", "cache", "--ngram",
                    self.arpa)
        self.refuse(2, ["--pairs", "--ngram"], "eval", self.model, "--pairs", self.valid, "--ngram", self.arpa)


if __name__ == "__main__":
    main()
