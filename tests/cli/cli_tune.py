#!/usr/bin/env python3
"""Finding settings from the command line, and giving them to eval and score."""

import json
import math
import shlex

from command_line import CommandTest, main, sentence_text


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


if __name__ == "__main__":
    main()
