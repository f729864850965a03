#!/usr/bin/env python3
"""unroll convert: smaller models that every verb reads."""

import json
import os
import random
import subprocess

from command_line import PATIENCE, UNROLL, CommandTest, main, run

CELLS = ["rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "min-gru", "min-lstm"]
PRECISIONS = ["bf16", "int8"]


class Convert(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.shared / "book.safetensors"
        done = run("train", cls.text, "--save", cls.model, "--hidden", "40", "--layers", "2", "--batch-size", "4",
                   "--bptt", "16", "--steps", "150", "--quiet")
        if done.status != 0:
            raise AssertionError(done.err)

    def convert(self, precision, *flags, model=None, name=None):
        path = self.folder / (name or f"{precision}.safetensors")
        self.succeed("convert", model or self.model, "--precision", precision, "--save", path, *flags)
        return path

    def perplexity(self, model):
        return json.loads(self.succeed("eval", model, self.text, "--json", "--quiet").out)["perplexity"]

    def test_the_copy_stands_beside_the_model_under_a_name_that_says_what_it_is(self):
        model = self.write("novel.safetensors", self.model.read_bytes())
        done = self.succeed("convert", model, "--precision", "int8")
        self.assertEqual(done.out, "")
        copy = self.folder / "novel.int8.safetensors"
        self.assertTrue(copy.exists())
        for words in [str(model), str(copy), "f32", "int8", "KiB", "rounding error", "%"]:
            self.assertIn(words, done.err)
        bare = self.write("novel", self.model.read_bytes())
        self.succeed("convert", "--model", bare, "--precision", "bf16")
        self.assertTrue((self.folder / "novel.bf16.safetensors").exists())

    def test_quiet_says_nothing(self):
        done = self.succeed("convert", self.model, "--precision", "bf16", "--save", self.folder / "m", "--quiet")
        self.assertEqual((done.out, done.err), ("", ""))

    def test_files_are_about_half_and_a_quarter(self):
        size = self.model.stat().st_size
        self.assertLess(self.convert("bf16").stat().st_size, 0.65 * size)
        self.assertLess(self.convert("int8").stat().st_size, 0.45 * size)

    def test_the_same_bytes_each_time(self):
        for precision in PRECISIONS:
            copies = {self.convert(precision, name=precision + end).read_bytes() for end in "abc"}
            self.assertEqual(len(copies), 1)

    def test_every_verb_reads_every_precision(self):
        for precision in PRECISIONS:
            model = self.convert(precision)
            found = json.loads(self.succeed("inspect", model, "--json").out)
            self.assertEqual(found["precision"], precision)
            self.assertEqual(found["file_bytes"], model.stat().st_size)
            self.assertEqual({tensor["precision"] for tensor in found["tensors"]}, {"f32", precision})
            self.assertIn(f"precision     {precision}", self.succeed("inspect", model).out)
            self.assertEqual(json.loads(self.succeed("eval", model, self.text, "--json").out)["precision"], precision)
            self.assertRegex(self.succeed("eval", model, self.text).out, f"precision +{precision}\n")
            self.assertIn(f"; precision {precision}\n", self.succeed("score", model, stdin=b"the cat\n").out)
            self.assertEqual(len(self.succeed("generate", model, "--length", "20", "--prompt", "the ").out.rstrip("\n")), 24)
            done = self.succeed("train", self.text, "--from", model, "--save", self.folder / "next", "--steps", "2",
                                "--batch-size", "4", "--bptt", "8", "--overwrite")
            self.assertIn(f"is {precision}: training starts from its rounded weights", done.err)
            self.assertEqual(json.loads(self.succeed("inspect", self.folder / "next", "--json").out)["precision"], "f32")

    def test_the_training_record_goes_along(self):
        before = json.loads(self.succeed("inspect", self.model, "--json").out)
        for precision in PRECISIONS:
            after = json.loads(self.succeed("inspect", self.convert(precision), "--json").out)
            for key in ["training", "tokenizer", "config", "parameters"]:
                self.assertEqual(after[key], before[key])

    def test_perplexity_hardly_changes(self):
        before = self.perplexity(self.model)
        for precision, share in [("bf16", 0.005), ("int8", 0.02)]:
            self.assertLess(abs(self.perplexity(self.convert(precision)) / before - 1), share)

    def test_scores_do_not_depend_on_threads_or_neighbours(self):
        lines = self.text.read_text(encoding="utf-8").splitlines()[:40]
        for precision in PRECISIONS:
            model = self.convert(precision)
            outputs = {self.succeed("score", model, "--threads", threads, stdin="\n".join(lines).encode()).out
                       for threads in "123"}
            self.assertEqual(len(outputs), 1)
            alone = self.succeed("score", model, stdin=lines[7].encode()).out.splitlines()[-1]
            self.assertIn(alone, outputs.pop().splitlines())

    def test_every_cell_tied_or_not(self):
        for cell in CELLS:
            for tied in [[], ["--tied"]]:
                model = self.make_model("cell.safetensors", "--cell", cell, "--overwrite", *tied)
                before = self.perplexity(model)
                for precision in PRECISIONS:
                    copy = self.convert(precision, "--overwrite", model=model)
                    self.assertLess(abs(self.perplexity(copy) / before - 1), 0.02, (cell, tied, precision))

    def test_bf16_becomes_int8_and_nothing_goes_back(self):
        bf16, other = self.convert("bf16"), self.folder / "other"
        int8 = self.convert("int8", model=bf16)
        for model, precision, words in [(self.model, "f32", "f32 already"), (bf16, "bf16", "bf16 already"),
                                        (int8, "int8", "int8 already"), (bf16, "f32", "cannot be undone"),
                                        (int8, "bf16", "cannot be undone"), (int8, "f32", "cannot be undone")]:
            self.refuse(2, [words], "convert", model, "--precision", precision, "--save", other)
        self.assertFalse(other.exists())

    def test_an_existing_file_is_replaced_only_when_told_to(self):
        path = self.write("there", "something")
        self.refuse(2, [str(path), "--overwrite"], "convert", self.model, "--precision", "int8", "--save", path)
        self.assertEqual(path.read_bytes(), b"something")
        self.convert("int8", "--overwrite", name="there")
        self.succeed("inspect", path)

    def test_two_at_once_write_a_whole_file(self):
        expected = self.convert("int8", name="expected").read_bytes()
        both = self.folder / "both"
        for _ in range(4):
            processes = [subprocess.Popen([UNROLL, "convert", self.model, "--precision", "int8", "--save", both,
                                           "--overwrite", "--quiet"], stderr=subprocess.PIPE) for _ in range(2)]
            for process in processes:
                _, said = process.communicate(timeout=PATIENCE)
                self.assertIn(process.returncode, [0, 1], said)
                self.assertEqual(process.returncode == 1, b"another process is writing" in said, said)
            self.assertIn(0, [process.returncode for process in processes])
            self.assertEqual(both.read_bytes(), expected)
        self.assertEqual(sorted(os.listdir(self.folder)), ["both", "expected"])

    def test_the_model_itself_is_replaced_by_a_model_alone_and_on_request_alone(self):
        own = self.write("own", self.model.read_bytes())
        (self.folder / "link").symlink_to(own)
        for save in [own, "link"]:
            self.refuse(2, [str(own), "is read"], "convert", own, "--ngram", save, "--overwrite", cwd=self.folder)
            self.refuse(2, ["--overwrite"], "convert", own, "--precision", "int8", "--save", save, cwd=self.folder)
        self.assertEqual(own.read_bytes(), self.model.read_bytes())
        self.succeed("convert", own, "--precision", "int8", "--save", own, "--overwrite")
        self.assertEqual(own.read_bytes(), self.convert("int8", name="int8").read_bytes())

    def test_wrong_usage(self):
        self.refuse(2, ["--precision"], "convert", self.model)
        self.refuse(2, ["MODEL"], "convert", "--precision", "int8")
        self.refuse(2, ["int4", "bf16", "int8"], "convert", self.model, "--precision", "int4")
        self.refuse(2, ["unexpected"], "convert", self.model, self.model, "--precision", "int8")
        self.refuse(2, ["--save"], "convert", self.model, "--precision", "int8", "--save", "-")
        self.refuse(1, ["No such file"], "convert", self.folder / "absent", "--precision", "int8")
        self.refuse(1, ["cannot write"], "convert", self.model, "--precision", "int8", "--save", self.folder / "no" / "m")
        self.assertEqual(os.listdir(self.folder), [])

    def test_damaged_models_are_refused(self):
        dice = random.Random(3)
        for precision in PRECISIONS:
            whole = self.convert(precision).read_bytes()
            damaged = [whole[:-1], whole + b"\0", whole[: len(whole) // 2]]
            for _ in range(20):
                changed = bytearray(whole)
                changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
                damaged.append(bytes(changed))
            for content in damaged:
                path = self.write("damaged", content)
                self.refuse(1, [str(path)], "inspect", path)
            self.refuse(1, [str(path)], "convert", path, "--precision", "int8")

    def test_a_model_in_use_may_be_replaced(self):
        """What reads a model holds on to the file that it opened."""
        path = self.convert("int8")
        expected = self.succeed("score", path, stdin=b"the cat\nthe dog\n").out
        process = subprocess.Popen([UNROLL, "score", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.stdin.write(b"the cat\n")
            process.stdin.flush()
            first = b"".join(process.stdout.readline() for _ in range(4))
            self.succeed("convert", self.model, "--precision", "bf16", "--save", path, "--overwrite")
            rest, _ = process.communicate(b"the dog\n", PATIENCE)
        finally:
            process.kill()
            process.wait()
        self.assertEqual((first + rest).decode(), expected)


if __name__ == "__main__":
    main()
