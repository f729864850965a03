#!/usr/bin/env python3
"""`unroll tokenize`, and sub-words in every verb: cli/cli_tokenize.py UNROLL"""

import gzip
import json
import math

from command_line import CommandTest, SMALL, main, rows, run, sentence_text

SPACE = "\u2581"


class Tokenize(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pieces = cls.shared / "sub.model"
        done = run("tokenize", "train", cls.text, "--vocab-size", "60", "--model-type", "bpe", "--save", cls.pieces)
        if done.status != 0:
            raise AssertionError(done.err)
        cls.model = cls.make_model("sub.safetensors", "--tokenizer", cls.pieces)

    def test_the_same_text_gives_the_same_file(self):
        for kind in ("bpe", "unigram"):
            first, second = self.folder / f"{kind}-1.model", self.folder / f"{kind}-2.model"
            for path in (first, second):
                self.succeed("tokenize", "train", self.text, "--vocab-size", "36", "--model-type", kind, "--save", path)
            self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_packed_text_is_read_as_it_is(self):
        packed = self.folder / "text.gz"
        packed.write_bytes(gzip.compress(self.text.read_bytes()))
        path = self.folder / "a.model"
        self.succeed("tokenize", "train", packed, "--vocab-size", "60", "--model-type", "bpe", "--save", path)
        self.assertEqual(path.read_bytes(), self.pieces.read_bytes())
        plain = self.succeed("tokenize", self.text, "--tokenizer", self.pieces)
        self.assertEqual(self.succeed("tokenize", packed, "--tokenizer", self.pieces).out, plain.out)

    def test_pieces_spell_the_line(self):
        out = self.succeed("tokenize", self.text, "--tokenizer", self.pieces).out
        self.assertTrue(out.startswith("# tokens of tokenizer sentencepiece, 60 symbols; boundary </s> (id 2)"))
        lines = self.text.read_text(encoding="utf-8").splitlines()
        self.assertEqual([row.replace(" ", "").replace(SPACE, " ").strip() for row in rows(out)], lines)

    def test_a_model_file_holds_its_pieces(self):
        by_file = self.succeed("tokenize", self.text, "--tokenizer", self.pieces, "--ids").out
        self.assertEqual(self.succeed("tokenize", self.text, "--tokenizer", self.model, "--ids").out, by_file)
        self.assertEqual(self.succeed("tokenize", self.text, "--tokenizer", "/dev/stdin", "--ids",
                                      stdin=self.model.read_bytes()).out, by_file)
        for number in rows(by_file)[0].split():
            self.assertLess(int(number), 60)

    def test_score_prints_the_strings_of_tokenize(self):
        models = [self.model, *(self.make_model(f"{kind}.safetensors", "--tokenizer", kind)
                                for kind in ("char", "byte", "whitespace", "word"))]
        text = "the \u2603 cat \\ sees\tthe zebra\u2581\x1b.\n\nthe  dog\n"
        for model in models:
            tokens = rows(self.succeed("tokenize", "--tokenizer", model, "--quiet", stdin=text.encode()).out)
            scored = self.succeed("score", model, "--format", "surprisal", "--no-end", "--quiet", stdin=text.encode()).out
            lines = {}
            for row in scored.split("\n")[1:-1]:
                sentence, _, token, _ = row.split("\t")
                lines.setdefault(sentence, []).append(token)
            self.assertEqual(list(lines.values()), [row.split(" ") for row in tokens], model)
        self.assertIn("<unk>", lines["1"])

    def test_json_tells_the_bytes_of_each_token(self):
        done = self.succeed("tokenize", "--tokenizer", self.pieces, "--json", stdin="the \u2603 cat\n".encode())
        line = json.loads(done.out)
        self.assertEqual(line["text"], "the \u2603 cat")
        unknown = [token for token in line["tokens"] if token["text"] == "<unk>"]
        self.assertEqual([(token["offset"], token["length"]) for token in unknown], [(4, 3)])
        self.assertIn("unknown", done.err)
        quiet = self.succeed("tokenize", "--tokenizer", self.pieces, "--json", "--quiet", stdin="\u2603\n".encode())
        self.assertEqual(quiet.err, "")

    def test_names_make_a_vocabulary_of_the_text(self):
        text = b"a b\nb a\n"
        self.assertEqual(rows(self.succeed("tokenize", "--tokenizer", "char", stdin=text).out), [f"a {SPACE} b", f"b {SPACE} a"])
        self.assertEqual(rows(self.succeed("tokenize", "--tokenizer", "word", stdin=text).out), ["a b", "b a"])
        self.assertEqual(rows(self.succeed("tokenize", "--tokenizer", "byte", "--ids", stdin=text).out), ["97 32 98", "98 32 97"])

    def test_eval_agrees_with_score(self):
        nats = json.loads(self.succeed("eval", self.model, self.text, "--state", "reset", "--json").out)
        scores = rows(self.succeed("score", self.model, self.text).out)
        total = sum(float(row.split("\t")[0]) for row in scores)
        tokens = sum(int(row.split("\t")[1]) for row in scores)
        self.assertEqual(tokens, nats["tokens"])
        self.assertTrue(math.isclose(-total, nats["nats_per_token"] * tokens, rel_tol=1e-9))

    def test_bits_per_byte_compare_only_where_nothing_is_lost(self):
        self.assertNotIn("not comparable", self.succeed("eval", self.model, self.text).out)
        double = self.write("double.txt", "the  cat sees the dog.\n")
        self.assertIn("not comparable", self.succeed("eval", self.model, double).out)

    def test_without_loss_everything_compares(self):
        path = self.folder / "all.model"
        model = self.folder / "all.safetensors"
        self.succeed("tokenize", "train", self.text, "--vocab-size", "300", "--lossless", "--model-type", "bpe", "--save", path)
        self.succeed("train", self.text, "--tokenizer", path, "--save", model, *SMALL, "--steps", "5", "--quiet")
        odd = self.write("odd.txt", "the  cat \u2603 \ufb01 \n\n")
        self.assertNotIn("not comparable", self.succeed("eval", model, odd).out)

    def test_every_verb_reads_such_a_model(self):
        self.assertTrue(self.succeed("generate", self.model, "--length", "10", "--prompt", "the cat").out)
        self.assertIn("sentencepiece", self.succeed("inspect", self.model).out)
        self.assertEqual(json.loads(self.succeed("inspect", self.model, "--json").out)["tokenizer"]["size"], 60)
        rounded = self.folder / "bf16.safetensors"
        self.succeed("convert", self.model, "--precision", "bf16", "--save", rounded)
        self.succeed("score", rounded, self.text)
        self.succeed("eval", self.model, self.text, "--cache", "--cache-size", "50")
        self.succeed("train", self.text, "--from", self.model, "--save", self.folder / "on.safetensors", "--batch-size", "4",
                     "--bptt", "8", "--steps", "3", "--quiet")

    def test_a_prompt_with_an_unknown_character_is_refused(self):
        self.refuse(1, ["\u2603", "vocabulary"], "generate", self.model, "--prompt", "the \u2603")

    def test_wrong_usage(self):
        self.refuse(2, ["--tokenizer"], "tokenize", self.text)
        self.refuse(2, ["unknown tokenizer"], "tokenize", self.text, "--tokenizer", "words")
        self.refuse(2, ["--ids", "--json"], "tokenize", self.text, "--tokenizer", "char", "--ids", "--json")
        self.refuse(2, [".model"], "tokenize", "train", self.text, "--save", "x")
        self.refuse(2, ["which TEXT"], "tokenize", "train", "--save", "x.model")
        self.refuse(2, ["--vocab-size"], "train", self.text, "--tokenizer", self.pieces, "--vocab-size", "9", "--save",
                    self.folder / "m")
        self.refuse(2, ["--vocab"], "train", self.text, "--tokenizer", self.pieces, "--vocab", self.text, "--save",
                    self.folder / "m")
        self.refuse(2, ["too high"], "tokenize", "train", self.text, "--vocab-size", "9000", "--quiet", "--save",
                    self.folder / "m.model")
        self.assertFalse((self.folder / "m.model").exists())
        taken = self.write("taken.model", "mine")
        train = ["tokenize", "train", self.text, "--vocab-size", "60", "--model-type", "bpe", "--save", taken, "--quiet"]
        self.refuse(2, ["taken.model", "--overwrite"], *train)
        self.assertEqual(taken.read_bytes(), b"mine")
        self.succeed(*train, "--overwrite")
        self.assertEqual(taken.read_bytes(), self.pieces.read_bytes())

    def test_files_that_are_no_model_are_refused(self):
        whole = self.pieces.read_bytes()
        for name, content in (("cut", whole[:200]), ("empty", b""), ("garbage", bytes(range(256)) * 40), ("text", self.text.read_bytes())):
            path = self.write(name + ".model", content)
            self.refuse(1, [name + ".model", "SentencePiece"], "tokenize", self.text, "--tokenizer", path)
            self.refuse(1, [name + ".model", "SentencePiece"], "train", self.text, "--tokenizer", path, "--save", self.folder / "m",
                        "--quiet")
        self.refuse(1, ["missing.model"], "tokenize", self.text, "--tokenizer", self.folder / "missing.model")


if __name__ == "__main__":
    main()
