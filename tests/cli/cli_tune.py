#!/usr/bin/env python3
"""Finding settings from the command line, and giving them to eval and score."""

import json
import math
import shlex

from command_line import CommandTest, main, run, sentence_text


class Tune(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace")
        cls.valid = cls.shared / "valid.txt"
        cls.valid.write_text(sentence_text(60, seed=9), encoding="utf-8")

    def tune(self, *flags):
        return self.succeed("tune", self.model, self.valid, "--tokens", "100", "--quiet", *flags).out

    def test_the_flags_that_it_finds_give_what_it_promises(self):
        found = json.loads(self.tune("--what", "temperature,cache", "--json"))
        self.assertLess(found["best"]["perplexity"], found["plain"]["perplexity"])
        flags = shlex.split(found["flags"])
        self.assertIn("--cache-theta", flags)
        result = json.loads(self.succeed("eval", self.model, self.valid, *flags, "--json").out)
        self.assertAlmostEqual(result["nats_per_token"], found["best"]["nats_per_token"], delta=1e-9)
        self.assertEqual(result["cache"], found["best"]["cache"])
        self.succeed("score", self.model, self.valid, *flags)

    def test_the_table_ends_with_the_flags(self):
        found = json.loads(self.tune("--json"))
        table = self.tune().splitlines()
        self.assertEqual(len(table), len(found["trials"]) + 5)
        self.assertEqual(table[-1], "flags: " + found["flags"])
        self.assertIn(f"{found['best']['perplexity']:.4f}", table[-2])
        self.assertIn("--dynamic-rate", table[-1])
        for trial in found["trials"]:
            self.assertAlmostEqual(trial["perplexity"], math.exp(trial["nats_per_token"]), delta=1e-6)

    def test_wrong_usage_is_refused(self):
        self.refuse(2, ["TEXT"], "tune", self.model)
        self.refuse(2, ["--what", "speed"], "tune", self.model, self.valid, "--what", "cache,speed")
        self.refuse(2, ["--what"], "tune", self.model, self.valid, "--what", "")
        self.refuse(2, ["--tokens", "whole number"], "tune", self.model, self.valid, "--tokens", "0")
        self.refuse(1, ["nothing to predict"], "tune", self.model, self.write("empty", ""))

    def test_thresholds_of_a_classifier_are_chosen_shown_and_saved(self):
        rows = [("spam", "win"), ("ham", "send"), ("ham", "read"), ("ham", "call"), ("spam", "cash"), ("ham", "meet")]
        data = self.write("mail.txt", "".join(f"__label__{label} {word} it {n}\n" for n in range(6)
                                              for label, word in rows))
        model = self.folder / "mail.safetensors"
        self.succeed("train", data, "--task", "classify", "--save", model, "--hidden", "4", "--embed", "4", "--steps", "4",
                     "--quiet")
        tuned = self.folder / "tuned.safetensors"
        tune = ["tune", model, data, "--quiet"]
        found = json.loads(self.succeed(*tune, "--for", "p@r:0.9:spam", "--save", tuned, "--json").out)
        self.assertTrue(found["reached"])
        self.assertGreaterEqual(found["after"]["recall"], 0.9)
        (chosen,) = [row for row in found["rows"] if row["chosen"]]
        self.assertEqual(chosen["factor"], found["factors"]["spam"])
        self.assertEqual(found["after"]["precision"], chosen["precision"])
        answers = self.succeed("classify", tuned, data, "--quiet").out
        self.assertEqual(self.succeed("classify", model, data, "--quiet", *shlex.split(found["flags"])).out, answers)
        labels = [line.split("\t")[0] for line in answers.splitlines()]
        hits = sum(label == "spam" == row[0] for label, row in zip(labels, rows * 6))
        self.assertEqual(hits / labels.count("spam"), found["after"]["precision"])
        self.assertEqual(hits / 12, found["after"]["recall"])
        table = self.succeed(*tune, "--for", "p@r:0.9:spam").out.splitlines()
        self.assertEqual(table[-1], "flags: " + found["flags"])
        self.assertIn("macro F1", self.succeed(*tune, "--for", "macro_f1").out)
        unreached = run(*tune, "--for", "p@r:1", "--save", self.folder / "none")
        self.assertEqual(unreached.status, 1)
        self.assertIn("threshold", unreached.out)
        self.assertIn("a recall of 1 cannot be reached: the most is 0.", unreached.err)
        self.assertIn("nothing was saved", unreached.err)
        self.assertFalse((self.folder / "none").exists())
        self.refuse(2, ["--for"], *tune)
        self.refuse(2, ["--for", "p@r:0.9:LABEL"], *tune, "--for", "speed")
        self.refuse(2, ['"eggs"'], *tune, "--for", "f1:eggs")
        self.refuse(2, ["--save", "--overwrite"], *tune, "--for", "f1", "--save", tuned)


if __name__ == "__main__":
    main()
