#!/usr/bin/env python3
"""N-grams that imitate a model, written by the command and read by a reader of ARPA files of their own."""

import itertools
import json
import math

import arpa
from command_line import CommandTest, main, run, sentence_text


class Imitation(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace", "--min-count", "20")
        cls.arpa = cls.shared / "words.arpa"
        done = run("convert", cls.model, "--ngram", cls.arpa, "--tokens", "20000", "--prune", "0")
        assert done.status == 0, done.err
        cls.told = done.err
        cls.ngrams = arpa.Arpa(cls.arpa.read_text(encoding="utf-8"))

    def sum_after(self, ngrams, context):
        return math.fsum(math.exp(ngrams.log_prob(context, word)) for word in ngrams.words if word != "<s>")

    def check_sums(self, ngrams):
        for length in range(ngrams.order):
            for context in itertools.product(ngrams.words, repeat=length):
                if length == 0 or context in ngrams.p:
                    self.assertAlmostEqual(self.sum_after(ngrams, context), 1, delta=1e-6, msg=context)

    def test_every_context_sums_to_one(self):
        self.assertEqual(self.ngrams.order, 3)
        self.assertEqual(self.ngrams.p[("<s>",)], -99)
        self.assertIn(("<unk>",), self.ngrams.p)
        self.check_sums(self.ngrams)

    def test_pruning_leaves_less_that_still_sums_to_one(self):
        for threshold in ("1e-4", "1e-2"):
            path = self.folder / f"{threshold}.arpa"
            self.succeed("convert", self.model, "--ngram", path, "--tokens", "20000", "--prune", threshold, "--quiet")
            pruned = arpa.Arpa(path.read_text(encoding="utf-8"))
            self.check_sums(pruned)
            self.assertLess(len(pruned.p), len(self.ngrams.p))

    def test_the_ngrams_predict_about_as_the_network_does(self):
        valid = self.write("valid.txt", sentence_text(100, seed=4))
        result = json.loads(self.succeed("eval", self.model, valid, "--json", "--quiet", "--ngram", self.arpa).out)
        self.assertLess(result["ngram"]["perplexity"], 1.2 * result["network"]["perplexity"])
        self.assertIn("every context sums to 1 within", self.told)
        self.assertIn("perplexity on", self.told)

    def test_the_same_file_with_any_number_of_threads(self):
        for threads in ("1", "3"):
            path = self.folder / f"{threads}.arpa"
            self.succeed("convert", self.model, "--ngram", path, "--tokens", "20000", "--prune", "0", "--threads",
                         threads, "--quiet")
            self.assertEqual(path.read_bytes(), self.arpa.read_bytes())
        path = self.folder / "other.arpa"
        self.succeed("convert", self.model, "--ngram", path, "--tokens", "20000", "--seed", "2", "--quiet")
        self.assertNotEqual(path.read_bytes(), self.arpa.read_bytes())

    def test_orders_and_a_given_text(self):
        for order in (1, 2, 4):
            path = self.folder / f"{order}.arpa"
            self.succeed("convert", self.model, "--ngram", path, "--text", self.text, "--order", str(order),
                         "--prune", "0", "--quiet")
            ngrams = arpa.Arpa(path.read_text(encoding="utf-8"))
            self.assertEqual(ngrams.order, order)
            for context in itertools.islice((n for n in ngrams.p if len(n) < order), 300):
                self.assertAlmostEqual(self.sum_after(ngrams, context), 1, delta=1e-6)

    def test_what_is_read_is_not_overwritten(self):
        model = self.write("model.safetensors", self.model.read_bytes())
        text = self.write("text.txt", sentence_text(20, seed=4))
        link = self.folder / "link"
        link.symlink_to(model)
        for path, taken in ((model, model), (link, model), (text, text)):
            before = taken.read_bytes()
            self.refuse(2, ["would replace", taken.name], "convert", model, "--ngram", path, "--text", text,
                        "--overwrite")
            self.assertEqual(taken.read_bytes(), before)
        self.assertTrue(link.is_symlink())

    def test_its_help_fits_a_terminal(self):
        help_text = self.succeed("convert", "--ngram", "x", "--help").out
        self.assertIn("--prune", help_text)
        self.assertLessEqual(max(map(len, help_text.splitlines())), 80)

    def test_wrong_usage_is_refused(self):
        characters = self.make_model("characters.safetensors")
        path = self.folder / "x.arpa"
        self.refuse(2, ["exists", "--overwrite"], "convert", self.model, "--ngram", self.arpa)
        self.refuse(2, ["n-grams are of words"], "convert", characters, "--ngram", path, "--tokens", "100")
        self.refuse(2, ["--order"], "convert", self.model, "--ngram", path, "--order", "10")
        self.refuse(2, ["--tokens", "--text"], "convert", self.model, "--ngram", path, "--tokens", "5", "--text", "x")
        self.refuse(2, ["--seed", "--text"], "convert", self.model, "--ngram", path, "--seed", "5", "--text", "x")
        self.refuse(1, ["is empty"], "convert", self.model, "--ngram", path, "--text", self.write("empty", ""))
        self.refuse(1, ["less than two lines"], "convert", self.model, "--ngram", path, "--text",
                    self.write("one", "the cat\n"))
        self.refuse(1, ["no line ends"], "convert", self.model, "--ngram", path, "--tokens", "1")
        self.refuse(1, ["nowhere"], "convert", self.model, "--ngram", self.folder / "nowhere" / "x", "--tokens", "5000")
        self.assertFalse(path.exists())


if __name__ == "__main__":
    main()
