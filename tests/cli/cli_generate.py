#!/usr/bin/env python3
"""Writing text from the command line."""

import os
import subprocess

from command_line import PATIENCE, UNROLL, CommandTest, main


class Generate(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors")
        cls.words = cls.make_model("words.safetensors", "--tokenizer", "whitespace")
        accents = cls.shared / "accents.txt"
        accents.write_text("\u00e9\u20ac\U0001f600 ab\n" * 100, encoding="utf-8")
        cls.bytes = cls.make_model("bytes.safetensors", "--tokenizer", "byte", text=accents)

    def write_text(self, *flags, model=None):
        return self.succeed("generate", model or self.model, *flags).out

    def test_the_prompt_comes_first_and_a_newline_last(self):
        text = self.write_text("--prompt", "the cat", "--length", "40")
        self.assertTrue(text.startswith("the cat"))
        self.assertTrue(text.endswith("\n"))
        self.assertIn(len(text), [47, 48])

    def test_the_same_seed_writes_the_same_text(self):
        one, again, other = [self.write_text("--length", "60", "--seed", seed) for seed in ["5", "5", "6"]]
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)

    def test_a_longer_text_begins_like_the_shorter_one(self):
        shorter, longer = self.write_text("--length", "30"), self.write_text("--length", "60")
        self.assertTrue(longer.startswith(shorter.rstrip("\n")))

    def test_greedy_writing_does_not_depend_on_the_seed(self):
        texts = {self.write_text("--temperature", "0", "--length", "50", "--seed", seed) for seed in ["1", "2", "3"]}
        self.assertEqual(len(texts), 1)
        self.assertEqual(texts, {self.write_text("--top-k", "1", "--length", "50", "--seed", "9")})

    def test_several_texts_are_set_apart_by_dashes(self):
        parts = self.write_text("--count", "3", "--length", "40", "--prompt", "the ").split("\n----\n")
        self.assertEqual(len(parts), 3)
        self.assertEqual(len(set(parts)), 3)
        self.assertTrue(all(part.startswith("the ") for part in parts))
        first = self.write_text("--count", "1", "--length", "40", "--prompt", "the ")
        self.assertEqual(parts[0].rstrip("\n"), first.rstrip("\n"))

    def test_many_texts_are_those_of_few_in_the_same_order(self):
        flags = ["--length", "30", "--stop", "a", "--prompt", "the "]  # they end at different times
        few, many = [self.write_text("--count", count, *flags).split("----\n") for count in ["5", "200"]]
        self.assertEqual(len(many), 200)
        self.assertEqual(few, many[:5])
        self.assertGreater(len({len(text) for text in many}), 3)
        self.assertEqual(self.write_text("--count", "200", *flags, "-t", "3").split("----\n"), many)

    def test_it_stops_before_the_stop_text(self):
        text = self.write_text("--length", "400", "--seed", "3")
        stop = text[20:23]
        stopped = self.write_text("--length", "400", "--seed", "3", "--stop", stop)
        self.assertEqual(stopped.rstrip("\n"), text[:text.index(stop)].rstrip("\n"))

    def test_sampling_flags_and_aliases_are_taken(self):
        expected = self.write_text("--temperature", "0.7", "--top-p", "0.9", "--min-p", "0.01", "--top-k", "20",
                                   "--prompt", "a", "--length", "30")
        short = self.write_text("--temp", "0.7", "--top-p=0.9", "--min-p=1e-2", "--top-k=20", "-p", "a", "-n", "30",
                                "-t", "2")
        self.assertEqual(short, expected)
        named = self.succeed("generate", "-m", self.model, "--temp", "0.7", "--top-p", "0.9", "--min-p", "0.01",
                             "--top-k", "20", "-p", "a", "-n30").out
        self.assertEqual(named, expected)

    def test_words_are_set_with_spaces_and_the_unknown_word_is_never_written(self):
        text = self.write_text("--length", "200", "--temperature", "3", model=self.words)
        self.assertNotIn("<unk>", text)
        self.assertNotIn("<eos>", text)
        self.assertNotIn("  ", text)

    def test_characters_are_never_split(self):
        for seed in range(1, 6):
            process = subprocess.run([UNROLL, "generate", self.bytes, "--length", "37", "--seed", str(seed),
                                      "--temperature", "0.5"], stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
            tail = process.stdout.rstrip(b"\n")[-3:]
            # Whatever the model writes in the middle, the end is no unfinished character.
            self.assertFalse(tail.endswith((b"\xc3", b"\xe2", b"\xe2\x82", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\x98")))

    def test_it_streams(self):
        process = subprocess.Popen([UNROLL, "generate", self.model, "--length", "1000000000"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.assertTrue(os.read(process.stdout.fileno(), 10))
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()

    def test_a_prompt_that_the_model_cannot_read_is_refused_before_anything_is_written(self):
        self.refuse(1, ["Z"], "generate", self.model, "--prompt", "the Zoo")
        self.refuse(1, ["unicorn"], "generate", self.words, "--prompt", "the unicorn sees")
        self.refuse(1, ["byte"], "generate", self.model, "--prompt", b"the \xff")

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([UNROLL, "generate", self.model], stdout=full, stderr=subprocess.PIPE,
                                     timeout=PATIENCE, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"No space", process.stderr)


if __name__ == "__main__":
    main()
