#!/usr/bin/env python3
"""Odd input that works, and bad input that is refused with the place named and nothing lost."""

import gzip
import json
import os
import random
import resource
import shutil
import struct
import subprocess

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, main, rows, run


class OddText(CommandTest):
    def train(self, content, *flags, name="m"):
        model = self.folder / name
        done = run("train", self.write("text", content), "--save", model, *SMALL, "--steps", "4", "--quiet",
                   "--overwrite", *flags)
        self.assertEqual(done.status, 0, done.err)
        return model

    def symbols(self, model):
        return json.loads(self.succeed("inspect", model, "--json").out)["tokenizer"]["vocabulary"]

    def test_carriage_returns_are_kept_as_characters_and_dropped_beside_words(self):
        text = "the cat\r\nthe dog\r\n" * 40
        self.assertIn("\r", self.symbols(self.train(text)))
        for kind in ["word", "whitespace"]:
            model = self.train(text, "--tokenizer", kind)
            self.assertFalse([symbol for symbol in self.symbols(model) if "\r" in symbol])
            scores = [self.succeed("score", model, stdin=line).out for line in [b"the cat\r\n", b"the cat\n"]]
            self.assertEqual(*[rows(out)[0].split("\t")[:2] for out in scores])

    def test_nul_bytes_are_characters(self):
        model = self.train("a\0b\n" * 100)
        self.assertIn("\0", self.symbols(model))
        self.assertEqual(self.succeed("score", model, stdin=b"a\0b\n").raw.split(b"\t")[-1], b"a\0b\n")

    def test_a_missing_final_newline_is_no_matter(self):
        text = "the cat sees\n" * 50
        for kind in ["char", "word", "whitespace", "byte"]:
            self.train(text[:-1], "--tokenizer", kind)
        without = self.train(text[:-1], "--tokenizer", "whitespace", name="a").read_bytes()
        self.assertEqual(self.train(text, "--tokenizer", "whitespace", name="b").read_bytes(), without)

    def test_packed_text_is_the_same_text(self):
        text = ("the cat sees\n" * 50).encode("utf-8")
        self.assertEqual(self.train(gzip.compress(text), name="a").read_bytes(), self.train(text, name="b").read_bytes())

    def test_any_bytes_train_a_byte_model(self):
        dice = random.Random(2)
        self.train(bytes(dice.randrange(256) for _ in range(2000)), "--tokenizer", "byte")

    def test_one_long_line_works(self):
        self.train("the cat and the dog " * 30000, "--tokenizer", "word")
        model = self.train("the cat and the dog " * 2000)
        line = "the dog and the cat " * 20000
        self.assertEqual(rows(self.succeed("score", model, stdin=line.encode()).out)[0].split("\t")[1:],
                         [str(len(line) + 1), line])

    def test_a_short_text_shrinks_the_batch_and_says_so(self):
        done = self.succeed("train", self.write("text", "the cat sees it"), "--save", self.folder / "m", "--hidden", "8",
                            "--batch-size", "32", "--steps", "2", "--valid-split", "0")
        self.assertRegex(done.err, r"batch.*32")


class BadInput(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors")

    def refuse_training(self, words, content, *flags, status=1):
        path = self.write("text", content) if content is not None else self.text
        self.refuse(status, words, "train", path, "--save", self.folder / "m", *flags)
        self.assertFalse((self.folder / "m").exists())
        self.assertFalse((self.folder / "m.resume").exists())

    def test_empty_text(self):
        for kind in ["char", "byte", "word", "whitespace"]:
            self.refuse_training(["text"], "", "--tokenizer", kind)
            self.refuse_training(["text"], gzip.compress(b""), "--tokenizer", kind)
        self.refuse(1, [], "eval", self.model, self.write("empty", ""))

    def test_a_text_that_is_too_short(self):
        self.refuse_training([], "a")
        self.refuse_training([], "ab", "--valid-split", "0.5")

    def test_one_symbol_is_no_vocabulary(self):
        self.refuse_training([], "aaaaaaaaaaaaaaaaaaaaaaaa" * 20)
        self.refuse_training([], "\n" * 500)
        self.refuse_training([], "the " * 500, "--tokenizer", "whitespace")

    def test_text_that_is_no_utf8_names_the_byte_and_the_way_out(self):
        good = "the cat\n" * 100
        for bad in [b"\xff", b"\xc3\n", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"]:
            for kind in ["char", "word", "whitespace"]:
                content = good.encode() + b"ab" + bad + good.encode()
                self.refuse_training([str(len(good) + 2), "--tokenizer byte"], content, "--tokenizer", kind,
                                     "--valid-split", "0")
        self.refuse(1, ["byte"], "eval", self.model, self.write("bad", b"the \xff"))

    def test_files_that_cannot_be_read(self):
        missing = self.folder / "missing"
        for path in [missing, self.folder]:
            self.refuse(1, [str(path)], "train", path, "--save", self.folder / "m")
            self.refuse(1, [str(path)], "train", self.text, "--save", self.folder / "m", "--valid", path)
            self.refuse(1, [str(path)], "train", self.text, "--save", self.folder / "m", "--vocab", path,
                        "--tokenizer", "whitespace")
            self.refuse(1, [str(path)], "train", self.text, "--save", self.folder / "m", "--from", path)
            for verb in ["eval", "score", "generate", "inspect"]:
                text = [self.text] if verb in ["eval", "score"] else []
                self.refuse(1, [str(path)], verb, path, *text)
            self.refuse(1, [str(path)], "eval", self.model, path)
            done = run("score", self.model, path)
            self.assertEqual(done.status, 1)
            self.assertIn(str(path), done.err)

    def test_places_that_cannot_be_written(self):
        for save in [self.folder / "missing" / "m", self.folder]:
            done = run("train", self.text, "--save", save, *SMALL, "--steps", "2", "--quiet", "--overwrite")
            self.assertEqual(done.status, 1, done.err)
            self.assertIn(str(save), done.err)
        self.assertEqual(os.listdir(self.folder), [])

    def test_no_permission(self):
        """As an ordinary user: root may read everything."""
        program = self.shared / "unroll"
        if not program.exists():
            shutil.copy(UNROLL, program)
        self.shared.chmod(0o755)
        self.folder.chmod(0o777)
        options = {}
        if os.geteuid() == 0:
            options = {"user": 65534, "group": 65534, "extra_groups": []}
        secret = self.write("secret", "the cat\n" * 100)
        secret.chmod(0)
        closed = self.folder / "closed"
        closed.mkdir(mode=0o555)

        def refuse(words, *arguments):
            done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, check=False, **options)
            self.assertEqual(done.returncode, 1, done.stderr)
            for word in [*words, "ermission"]:
                self.assertIn(word, done.stderr.decode())

        refuse([str(secret)], "train", secret, "--save", self.folder / "m")
        refuse([str(secret)], "eval", self.model, secret)
        refuse([str(secret)], "inspect", secret)
        refuse([str(closed)], "train", self.text, "--save", closed / "m", *SMALL, "--steps", "2")
        refuse([str(closed)], "train", self.text, "--save", self.folder / "m", *SMALL, "--steps", "2", "--log",
               closed / "log")

    def test_a_disk_without_space_leaves_the_old_model_whole(self):
        model = self.folder / "m"
        self.succeed("train", self.text, "--save", model, *SMALL, "--steps", "2", "--quiet")
        before = model.read_bytes()

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, len(before) // 2))

        # Python ignores SIGXFSZ, and so does what it starts this way: writing fails like on a full disk.
        process = subprocess.run([UNROLL, "train", self.text, "--save", model, *SMALL, "--steps", "3", "--overwrite",
                                  "--quiet"], stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
                                 preexec_fn=limit, restore_signals=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(str(model).encode(), process.stderr)
        self.assertEqual(model.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder), ["m"])

    def test_sizes_too_large_for_memory_are_refused_before_anything_is_allocated(self):
        for flags in [["--hidden", "16777216"], ["--hidden", "500000"], ["--hidden", "100000"],
                      ["--layers", "1024", "--hidden", "100000"], ["--embed", "16777216", "--hidden", "1000000"],
                      ["--vocab-size", "16777216", "--hidden", "400000"]]:
            done = run("train", self.text, "--save", self.folder / "m", *flags, "--steps", "1", "--quiet")
            self.assertIn(done.status, [1, 2], done.err)
            self.assertRegex(done.err, "unroll: error: .*(memory|parameters)")
        self.assertEqual(os.listdir(self.folder), [])

    def test_flags_that_do_not_fit_each_other(self):
        for words, flags in [(["--lowercase"], ["--lowercase"]),
                             (["--lowercase"], ["--tokenizer", "byte", "--lowercase"]),
                             (["--vocab-size"], ["--tokenizer", "byte", "--vocab-size", "100"])]:
            self.refuse_training(words, None, *flags, status=2)

    def test_a_vocabulary_file_that_cannot_be(self):
        for content in ["", "<unk>\n<eos>\nthe\nthe\n", b"<unk>\n<eos>\n\xff\n", "<unk>\n<eos>\na b\n"]:
            path = self.write("vocab", content)
            self.refuse(1, [str(path)], "train", self.text, "--save", self.folder / "m", "--tokenizer", "whitespace",
                        "--vocab", path)

    def test_numbers_that_explode_name_step_and_tensor_and_keep_the_last_model(self):
        done = run("train", self.text, "--save", self.folder / "m", *SMALL, "--cell", "rnn-relu", "--optimizer", "sgd",
                   "--lr", "1e30", "--clip", "0", "--schedule", "constant", "--steps", "50", "--quiet")
        self.assertEqual(done.status, 1, done.err)
        self.assertRegex(done.err, r"step \d+")
        self.assertRegex(done.err, "(?i)nan|infinit|not finite")


class DamagedModel(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors")
        cls.whole = cls.model.read_bytes()

    def refuse_model(self, content):
        path = self.write("damaged", content)
        self.refuse(1, [str(path)], "inspect", path)

    def test_truncated_files(self):
        dice = random.Random(1)
        size = len(self.whole)
        for length in [0, 1, 7, 8, 9, 100, size - 1, *(dice.randrange(size) for _ in range(40))]:
            self.refuse_model(self.whole[:length])

    def test_flipped_bits(self):
        dice = random.Random(2)
        for _ in range(60):
            damaged = bytearray(self.whole)
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
            self.refuse_model(bytes(damaged))

    def test_something_appended(self):
        self.refuse_model(self.whole + b"\0")

    def test_what_is_no_model_at_all(self):
        self.refuse_model(self.text.read_bytes())
        self.refuse_model(b"\xff" * 1000)
        self.refuse_model(struct.pack("<Q", 2) + b"{}")
        self.refuse_model(struct.pack("<Q", 1 << 60) + b"{}")
        self.refuse_model(gzip.compress(self.whole))

    def test_a_damaged_model_is_refused_by_every_verb(self):
        path = self.write("damaged", self.whole[:-1])
        self.refuse(1, [str(path)], "eval", path, self.text)
        self.refuse(1, [str(path)], "generate", path)
        self.refuse(1, [str(path)], "score", path, self.text)
        self.refuse(1, [str(path)], "train", self.text, "--from", path, "--save", self.folder / "m")


if __name__ == "__main__":
    main()
