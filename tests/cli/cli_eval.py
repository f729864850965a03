#!/usr/bin/env python3
"""eval, inspect and gradcheck from the command line."""

import gzip
import json
import math
import subprocess

from command_line import PATIENCE, UNROLL, CommandTest, main, sentence_text


class Eval(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors", "--log", cls.shared / "char.jsonl")
        cls.words = cls.make_model("words.safetensors", "--tokenizer", "whitespace")
        cls.other = cls.shared / "other.txt"
        cls.other.write_text(sentence_text(60, seed=9), encoding="utf-8")

    def evaluate(self, *arguments, **options):
        out = self.succeed("eval", *arguments, "--json", **options).out
        self.assertEqual(out.count("\n"), 1)
        return json.loads(out)

    def test_json_holds_consistent_numbers(self):
        result = self.evaluate(self.model, self.other)
        size = self.other.stat().st_size
        self.assertEqual((result["tokens"], result["characters"], result["bytes"]), (size, size, size))
        self.assertEqual(result["unknown_tokens"], 0)
        self.assertAlmostEqual(result["perplexity"], math.exp(result["nats_per_token"]), delta=1e-9)
        self.assertEqual(result["perplexity_without_unknown"], result["perplexity"])
        self.assertAlmostEqual(result["bits_per_char"], result["nats_per_token"] / math.log(2), delta=1e-12)
        self.assertEqual(result["bits_per_byte"], result["bits_per_char"])
        self.assertIs(result["comparable"], True)
        self.assertIs(result["exact"], False)
        self.assertEqual(result["state"], "carry")
        self.assertGreater(result["tokens_per_s"], 0)

    def test_the_table_shows_the_same(self):
        result = self.evaluate(self.model, self.other)
        table = self.succeed("eval", self.model, self.other).out
        for words in [f"{result['nats_per_token']:.5f}", f"{result['perplexity']:.4f}", f"{result['bits_per_char']:.5f}",
                      f"{result['tokens']:,}", "carry"]:
            self.assertIn(words, table)
        self.assertNotIn("not comparable", table)

    def test_the_policy_can_be_chosen(self):
        carry, reset = self.evaluate(self.model, self.other), self.evaluate(self.model, self.other, "--state", "reset")
        self.assertEqual(reset["state"], "reset")
        self.assertNotEqual(carry["nats_per_token"], reset["nats_per_token"])
        self.assertIs(self.evaluate(self.model, self.other, "--exact")["exact"], True)

    def test_reset_evaluation_is_the_mean_of_the_scored_lines(self):
        result = self.evaluate(self.model, self.other, "--state", "reset")
        scored = self.succeed("score", self.model, self.other, "--json").out
        total = sum(json.loads(line)["log_prob"] for line in scored.splitlines())
        self.assertAlmostEqual(result["nats_per_token"], -total / result["tokens"], delta=1e-9)

    def test_unknown_words_are_counted_and_make_bits_incomparable(self):
        text = self.write("unknown.txt", "the cat sees the unicorn\nthe dog\n")
        result = self.evaluate(self.words, text)
        self.assertEqual((result["tokens"], result["unknown_tokens"]), (9, 1))
        self.assertNotEqual(result["perplexity"], result["perplexity_without_unknown"])
        self.assertIs(result["comparable"], False)
        self.assertIn("not comparable", self.succeed("eval", self.words, text).out)

    def test_a_text_in_which_nothing_counts_is_refused(self):
        self.refuse(1, ["ends", "nothing to predict"], "eval", self.model, self.write("ends", "\n\n"), "--no-end")

    def test_standard_input_is_read_once(self):
        for arguments in [["eval", self.model, "-", "-"], ["score", self.model, "--percentile", "-"],
                          ["score", self.model, "-", "--ngram", "-"], ["tune", self.model, "-", "--ngram", "-"],
                          ["train", "-", "--valid", "-", "--save", self.folder / "m"],
                          ["rescore", self.model, "-", "--format", "rnnlm", "--references", "-"],
                          ["tokenize", "train", "-", "-", "--save", self.folder / "m.model"]]:
            self.refuse(2, ["standard input"], *arguments, stdin=b"the cat\n")

    def test_threads_change_nothing(self):
        results = [self.evaluate(self.model, self.other, "--threads", n) for n in ["1", "2", "3"]]
        for result in results:
            del result["tokens_per_s"]
        self.assertEqual(results[1:], results[:1] * 2)

    def test_an_adaptation_without_effect_changes_no_byte(self):
        def without_speed(text):
            return [line for line in text.splitlines() if not line.startswith("speed")]

        plain = self.evaluate(self.model, self.other, "--exact")
        nothing = ["--exact", "--temperature", "1", "--cache", "--cache-weight", "0", "--dynamic",
                   "--dynamic-rate", "0"]
        adapted = self.evaluate(self.model, self.other, *nothing)
        for result in [plain, adapted]:
            del result["tokens_per_s"]
        self.assertEqual(list(plain.items()), list(adapted.items()))
        self.assertEqual(without_speed(self.succeed("eval", self.model, self.other).out),
                         without_speed(self.succeed("eval", self.model, self.other, *nothing[1:]).out))
        self.assertEqual(without_speed(self.succeed("eval", self.model, self.other, "--exact").out),
                         without_speed(self.succeed("eval", self.model, self.other, *nothing).out))

    def test_a_cache_is_named_and_changes_the_result_for_any_number_of_threads(self):
        plain = self.evaluate(self.model, self.other, "--exact")
        flags = ["--cache", "--cache-size", "300", "--cache-theta", "0.5", "--cache-weight", "0.2", "--temperature", "1.25"]
        results = [self.evaluate(self.model, self.other, *flags, "--threads", n) for n in "12"]
        self.assertEqual(results[0]["cache"], {"size": 300, "theta": 0.5, "weight": 0.2})
        self.assertEqual(results[0]["temperature"], 1.25)
        self.assertIs(results[0]["exact"], True)
        self.assertEqual(results[0]["nats_per_token"], results[1]["nats_per_token"])
        self.assertNotEqual(results[0]["nats_per_token"], plain["nats_per_token"])
        self.assertIn("cache size 300, theta 0.5, weight 0.2", self.succeed("eval", self.model, self.other, *flags).out)
        self.refuse(2, ["--cache-size", "--cache"], "eval", self.model, self.other, "--cache-size", "5")

    def test_several_models_are_averaged(self):
        other = self.make_model("other.safetensors", "--seed", "2")
        renamed = self.folder / "third.model"
        renamed.write_bytes(other.read_bytes())
        single = [self.evaluate(model, self.other) for model in [self.model, other]]
        both = self.evaluate(self.model, other, self.other)
        self.assertEqual([entry["perplexity"] for entry in both["models"]], [one["perplexity"] for one in single])
        self.assertLess(both["perplexity"], max(one["perplexity"] for one in single))
        self.assertEqual(self.evaluate(self.model, self.other, renamed)["perplexity"], both["perplexity"])
        self.assertAlmostEqual(self.evaluate(other, other, self.other)["perplexity"], single[1]["perplexity"], delta=1e-9)
        table = self.succeed("eval", self.model, other, self.other).out
        for words in ["model 1 ", "model 2 ", "average of 2 models", f"{both['perplexity']:.4f}", str(other)]:
            self.assertIn(words, table)
        self.refuse(2, ["vocabularies differ", "tokenizers"], "eval", self.model, self.words, self.other)
        self.refuse(2, ["TEXT"], "eval", self.model, other)

    def test_the_text_may_come_in_pieces_packed_or_through_a_pipe(self):
        expected = self.evaluate(self.model, self.other)["nats_per_token"]
        content = self.other.read_bytes()
        cut = content.index(b"\n", len(content) // 2) + 1
        first, second = self.write("1", content[:cut]), self.write("2", content[cut:])
        packed = self.write("text.gz", gzip.compress(content))
        self.assertEqual(self.evaluate(self.model, first, second)["nats_per_token"], expected)
        self.assertEqual(self.evaluate(self.model, packed)["nats_per_token"], expected)
        self.assertEqual(self.evaluate(self.model, "-", stdin=content)["nats_per_token"], expected)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([UNROLL, "eval", self.model, self.other], stdout=full, stderr=subprocess.PIPE,
                                     timeout=PATIENCE, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"No space", process.stderr)

    def test_a_closed_standard_output_is_an_error_and_harms_no_file(self):
        before = self.model.read_bytes()
        process = subprocess.run(["sh", "-c", 'exec "$0" eval "$1" "$2" >&-', UNROLL, self.model, self.other],
                                 stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(self.model.read_bytes(), before)


class Inspect(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors", "--layers", "2")
        cls.bytes = cls.make_model("bytes.safetensors", "--tokenizer", "byte", "--cell", "gru", "--tied")

    def test_json_describes_the_whole_model(self):
        out = self.succeed("inspect", self.model, "--json").out
        self.assertEqual(out.count("\n"), 1)
        found = json.loads(out)
        self.assertEqual(found["config"]["cell"], "lstm")
        self.assertEqual((found["config"]["hidden"], found["config"]["layers"]), (8, 2))
        names = [tensor["name"] for tensor in found["tensors"]]
        self.assertEqual(names[:2] + names[-2:],
                         ["encoder.weight", "rnn.weight_ih_l0", "decoder.weight", "decoder.bias"])
        self.assertEqual(found["parameters"], sum(math.prod(tensor["shape"]) for tensor in found["tensors"]))
        self.assertEqual(found["file_bytes"], self.model.stat().st_size)
        self.assertEqual(len(found["tokenizer"]["vocabulary"]), found["tokenizer"]["size"])
        self.assertEqual(found["tokenizer"]["vocabulary"][found["tokenizer"]["boundary"]], "\n")
        self.assertEqual(found["training"]["options"]["steps"], "20")
        self.assertIs(found["training"]["complete"], True)
        self.assertEqual(found["training"]["history"][-1]["step"], 20)

    def test_a_byte_model_is_valid_json_too(self):
        found = json.loads(self.succeed("inspect", self.bytes, "--json").out)
        self.assertEqual(found["tokenizer"]["kind"], "byte")
        self.assertEqual(found["tokenizer"]["size"], 256)
        self.assertIs(found["config"]["tied"], True)

    def test_people_get_sections_and_a_picture(self):
        text = self.succeed("inspect", self.model).out
        for words in ["Network\n", "Tensors\n", "Tokenizer\n", "Training (complete)\n", "History\n", "  cell          lstm\n",
                      "decoder.bias", "nats per token (. training, o validation)"]:
            self.assertIn(words, text)
        self.assertEqual(text.encode("utf-8").decode("ascii"), text)
        self.assertIn("256", self.succeed("inspect", self.bytes).out)


class Gradcheck(CommandTest):
    def test_every_cell_passes(self):
        done = self.succeed("gradcheck")
        for cell in ["rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "min-gru", "min-lstm"]:
            self.assertRegex(done.out, rf"(?m)^{cell} +elements")
        self.assertTrue(done.out.splitlines()[-1].startswith("passed"), done.out)

    def test_json_lists_every_tensor_within_its_bounds(self):
        found = json.loads(self.succeed("gradcheck", "--json", "--cell", "gru", "--seed", "5", "--layers", "3").out)
        self.assertIs(found["passed"], True)
        self.assertEqual([cell["cell"] for cell in found["cells"]], ["gru"])
        tensors = found["cells"][0]["tensors"]
        self.assertIn("rnn.weight_hh_l2", [tensor["name"] for tensor in tensors])
        for tensor in tensors:
            self.assertLessEqual(tensor["reference"], found["reference_bound"])
            self.assertLessEqual(tensor["production"], found["production_bound"])
            self.assertGreater(tensor["elements"], 0)

    def test_layer_normalisation_of_every_cell(self):
        done = self.succeed("gradcheck", "--layer-norm")
        self.assertIn("rnn.norm_c_l1", done.out)
        self.assertTrue(done.out.splitlines()[-1].startswith("passed"), done.out)

    def test_another_seed_is_another_point(self):
        one, two = [self.succeed("gradcheck", "--cell", "lstm", "--json", "--seed", seed).out for seed in "12"]
        self.assertNotEqual(one, two)

    def test_sizes_that_contradict_each_other_are_refused(self):
        self.succeed("gradcheck", "--tied", "--embed", "3", "--hidden", "4", "--weight-drop", "0.5", "--residual")
        self.succeed("gradcheck", "--tied", "--embed", "4", "--hidden", "4", "--cell", "rnn-tanh")


if __name__ == "__main__":
    main()
