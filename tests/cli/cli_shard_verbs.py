#!/usr/bin/env python3
"""Every verb that has shards: three of them, merged, are the bytes and the totals of one process."""

import gzip
import json
import pathlib
import random

import arpa
from command_line import CommandTest, main, run, sentence_text, sentences

SHARDS = 3
COLUMNS = ["--columns", "id,rank,score,text"]


class ShardVerbs(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace", "--min-count", "3")
        cls.lines = cls.shared / "lines.txt"
        cls.lines.write_text(sentence_text(31, seed=4) + "\nwords unseen here\nthe cat")

    @classmethod
    def train(cls, task, data, *flags):
        model = cls.shared / f"{task}{data.stat().st_size}.safetensors"
        if model.exists():
            return model
        done = run("train", "--task", task, data, "--save", model, "--steps", "12", "--batch-size", "4", "--hidden", "6",
                   "--embed", "5", "--tokenizer", "whitespace", "--quiet", *flags)
        if done.status != 0:
            raise AssertionError(done.err)
        return model

    def check(self, *command, head=0, **options):
        """Compares standard output of one process with three shards on it, one file, and three files that are merged."""
        whole = self.succeed(*command, "--quiet", **options).raw
        parts = [self.succeed(*command, "--shard", f"{i}/{SHARDS}", "--quiet", **options).raw for i in range(1, SHARDS + 1)]
        lines = [part.split(b"\n") for part in parts]
        self.assertEqual(b"\n".join([*lines[0][:-1], *lines[1][head:-1], *lines[2][head:]]), whole)
        merged = self.merge_of(*command, **options)
        self.assertEqual(merged[0], whole)
        return whole

    def merge_of(self, *command, **options):
        """(file, totals, totals as JSON) of three shards, which are equal to those of one file; shards may be repeated."""
        one = self.folder / "one"
        self.succeed(*command, "--output", one, "--overwrite", **options)
        paths = []
        for number in range(SHARDS, 0, -1):
            paths.append(self.folder / f"shard{number}")
            self.succeed(*command, "--shard", f"{number}/{SHARDS}", "--output", paths[-1], "--overwrite", **options)
            again = self.succeed(*command, "--shard", f"{number}/{SHARDS}", "--output", paths[-1], "--resume", **options)
            self.assertIn("is there already", again.err)
        whole = self.folder / "whole"
        results = []
        for flags in [[], ["--json"]]:
            done = self.succeed("merge", *paths, "--output", whole, "--overwrite", *flags)
            self.assertEqual(done.out, self.succeed("merge", one, "--output", self.folder / "w", "--overwrite", *flags).out)
            if not flags:
                self.assertEqual(whole.read_bytes(), one.read_bytes())
                results.append(whole.read_bytes())
            results.append(done.out)
        return results

    def test_score_of_words(self):
        self.check("score", self.model, self.lines, "--words", head=3)
        totals = json.loads(self.merge_of("score", self.model, self.lines, "--words")[2])
        self.assertEqual(totals["lines"], 34)
        self.assertGreater(totals["unknown_tokens"], 0)
        self.refuse(2, ["--shard", "--state carry"], "score", self.model, self.lines, "--words", "--state", "carry",
                    "--shard", "1/2")

    def test_score_of_json_lines(self):
        objects = self.folder / "objects.jsonl"
        objects.write_text("".join(json.dumps({"id": i, "text": line}) + "\n" for i, line in enumerate(sentences(9)))
                           + '{"text": 3}\n\n{"text": "the cat\\nthe dog"}\n')
        self.check("score", self.model, objects, "--max-bad", "1")
        self.assertEqual(json.loads(self.merge_of("score", self.model, objects, "--max-bad", "1")[2])["bad_lines"], 1)

    def test_bad_json_lines_before_a_kill_count(self):
        objects = self.folder / "objects.jsonl"
        objects.write_text('{"text": "the cat"}\n{"text": 3}\n{"text": 4}\n')
        path = self.folder / "scores"
        self.assertEqual(run("score", self.model, objects, "--max-bad", "1", "--output", path).status, 1)
        self.assertFalse(path.exists())
        self.assertEqual(run("score", self.model, objects, "--max-bad", "1", "--output", path, "--resume").status, 1)
        self.succeed("score", self.model, objects, "--max-bad", "2", "--output", path, "--resume")
        self.assertEqual(path.read_bytes(), run("score", self.model, objects, "--max-bad", "2").raw)

    def test_score_with_ngrams_and_a_percentile(self):
        ngrams = self.write("words.arpa", arpa.make(sentences(60), 3))
        reference = self.write("reference", sentence_text(30, seed=9))
        self.check("score", self.model, self.lines, "--ngram", ngrams, head=4)
        path = self.folder / "x"
        self.succeed("score", self.model, self.lines, "--percentile", reference, "--alarm", "0.5", "--output", path)
        reference.write_text(sentence_text(31, seed=9))
        self.refuse(2, ["the list of options"], "score", self.model, self.lines, "--percentile", reference, "--alarm", "0.5",
                    "--output", path)

    def test_classify(self):
        labelled = self.write("labelled", "".join(f"__label__{'ab'[i % 2]} {line}\n" for i, line in enumerate(sentences(30))))
        model = self.train("classify", labelled)
        self.check("classify", model, self.lines)
        self.check("classify", model, self.lines, "--explain", "--json")
        table = self.write("table.csv", "text,label\n" + "".join(f'"{line}",a\n' for line in sentences(8)))
        self.check("classify", model, table)
        totals = json.loads(self.merge_of("classify", model, self.lines)[2])
        self.assertEqual([totals["texts"], totals["cut_texts"]], [34, 0])
        self.refuse(2, ["--shard", "--html"], "classify", model, self.lines, "--html", self.folder / "p", "--shard", "1/2")

    def tagged(self, count):
        dice = random.Random(6)
        words = {"Anna": "B-PER", "Oslo": "B-LOC", "sees": "O", "old": "O", "Bonn": "B-LOC", "city": "I-LOC"}
        return "".join("".join(f"{word} _ {words[word]}\n" for word in dice.choices(sorted(words), k=dice.randint(1, 6)))
                       + "\n" for _ in range(count))

    def test_tag(self):
        data = self.write("tagged", self.tagged(40))
        model = self.train("tag", data)
        text = self.write("new", ("-DOCSTART- _ O\n\n" + self.tagged(14) + "\n\n").replace("\n", "\r\n"))
        self.check("tag", model, text)
        self.check("tag", model, self.lines)
        self.check("tag", model, text, "--json")
        self.assertEqual(json.loads(self.merge_of("tag", model, self.lines)[2])["sentences"], 34)
        packed = self.folder / "new.gz"
        packed.write_bytes(gzip.compress(text.read_bytes()))
        self.check("tag", model, packed)

    def test_features(self):
        more = self.write("more.txt", "the cat\n\nthe king sees the dog.\n")
        empty = self.write("empty.txt", "")
        self.check("features", self.model, more, empty, self.lines, head=1)
        self.check("features", self.model, self.lines, more, "--per", "text", "--json")
        totals = json.loads(self.merge_of("features", self.model, self.lines, more)[2])
        self.assertEqual(totals["texts"], 37)
        model = self.train("tag", self.write("tagged", self.tagged(40)))
        self.check("features", model, self.write("t", self.tagged(7)), self.write("u", self.tagged(1)), head=1)
        self.refuse(2, ["--save", "--output"], "features", self.model, more, "--save", self.folder / "a.npy", "--output",
                    self.folder / "x")

    def lists(self, count):
        dice = random.Random(8)
        rows, references = "", ""
        for number in range(count):
            right = sentences(1, seed=number)[0].split()
            references += f"u{number} {' '.join(right)}\n"
            for rank in range(1, 5):
                words = [word if dice.random() < 0.8 else "zebra" for word in right]
                rows += f"u{number}\t{rank}\t{-dice.random():.3f}\t{' '.join(words)}\n"
        return self.write("lists.tsv", rows), self.write("references", references + "u999 the cat\n")

    def test_rescore(self):
        lists, references = self.lists(11)
        for flags in [[], ["--best"], ["--rerank", "--lm-weight", "0.3"]]:
            self.check("rescore", self.model, lists, *COLUMNS, *flags)
        totals = json.loads(self.merge_of("rescore", self.model, lists, *COLUMNS)[2])
        self.assertEqual([totals["lists"], totals["hypotheses"]], [11, 44])
        for flags in [[], ["--json"]]:
            command = ["rescore", self.model, lists, *COLUMNS, "--references", references, "--lm-weight", "0.3", *flags]
            self.assertEqual(self.merge_of(*command)[0], run(*command).raw)
        self.refuse(2, ["--shard", "--tune"], "rescore", self.model, lists, *COLUMNS, "--references", references, "--tune",
                    "--shard", "1/2")

    def as_of_one_process(self, *command):
        """What `eval` prints, without the speed."""
        text = self.succeed(*command).out
        if "--json" in command:
            return {key: value for key, value in json.loads(text).items() if not key.endswith("_per_s")}
        return "".join(line + "\n" for line in text.splitlines() if not line.startswith("speed"))

    def check_evaluation(self, *command):
        merged = self.merge_of(*command)
        self.assertEqual(merged[0].decode(), self.as_of_one_process(*command))
        merged = self.merge_of(*command, "--json")
        found = json.loads(merged[0])
        self.assertEqual(found, self.as_of_one_process(*command, "--json"))
        self.assertEqual(list(found), list(self.as_of_one_process(*command, "--json")))
        return found

    def test_eval(self):
        reset = ["--state", "reset"]
        found = self.check_evaluation("eval", self.model, self.lines, *reset)
        self.assertGreater(found["unknown_tokens"], 0)
        self.check_evaluation("eval", self.model, self.lines, self.text, *reset, "--unk", "skip", "--no-end")
        self.check_evaluation("eval", self.model, self.lines, *reset, "--begin", "none", "--temperature", "1.2")
        other = self.make_model("other.safetensors", "--tokenizer", "whitespace", "--min-count", "3", "--seed", "2")
        ngrams = self.write("words.arpa", arpa.make(sentences(60), 3))
        found = self.check_evaluation("eval", self.model, other, self.lines, *reset, "--ngram", ngrams)
        self.assertEqual(len(found["models"]), 2)
        self.assertIn("ngram", found)

    def test_eval_of_classifiers(self):
        labelled = self.write("labelled", "".join(f"__label__{'abc'[i % 3]} {line}\n" for i, line in enumerate(sentences(40))))
        test = self.write("test", "".join(f"__label__{'abcd'[i % 4]} {line}\n" for i, line in enumerate(sentences(21, 7))))
        model = self.train("classify", labelled)
        found = self.check_evaluation("eval", model, test)
        self.assertEqual(found["texts"], 21)
        self.assertEqual(found["texts_without_nats"], 5)
        other = self.shared / "classify2.safetensors"
        self.succeed("train", "--task", "classify", labelled, "--save", other, "--steps", "3", "--hidden", "4", "--tokenizer",
                     "whitespace", "--quiet", "--seed", "5")
        self.assertEqual(len(self.check_evaluation("eval", model, other, test)["models"]), 2)
        several = self.write("several", "".join(f"__label__{'ab'[i % 2]} __label__{'bc'[i % 2]} {line}\n"
                                                for i, line in enumerate(sentences(30))))
        sets = self.shared / "sets.safetensors"
        self.succeed("train", "--task", "classify", several, "--multi-label", "--save", sets, "--steps", "8", "--hidden", "5",
                     "--tokenizer", "whitespace", "--quiet")
        self.assertTrue(self.check_evaluation("eval", sets, several)["multi_label"])
        self.refuse(2, ["--shard", "--confusion"], "eval", model, test, "--confusion", self.folder / "c.csv", "--shard", "1/2")

    def test_eval_of_taggers(self):
        model = self.train("tag", self.write("tagged", self.tagged(40)))
        test = self.write("test", self.tagged(9) + "Anna _ B-ORG\nZoe _ B-PER\n\n" + self.tagged(6))
        found = self.check_evaluation("eval", model, test)
        self.assertEqual(found["sentences"], 16)
        self.assertEqual([found["unknown_tags"], found["scheme"]], [1, "bio"])
        self.assertGreater(found["unknown_words"], 0)
        self.check_evaluation("eval", model, test, "--strict")
        iobes = self.write("iobes", "Anna _ S-PER\nsees _ O\nBonn _ B-LOC\ncity _ E-LOC\n\n" * 5)
        self.assertEqual(self.check_evaluation("eval", model, iobes)["scheme"], "iobes")
        plain = self.write("plain", "".join(f"w{i % 7} _ {'NV'[i % 2]}\n" + "\n" * (i % 4 == 0) for i in range(60)))
        self.assertIsNone(self.check_evaluation("eval", self.train("tag", plain), plain)["span_f1"])

    def test_eval_of_characters_and_bytes(self):
        text = self.write("odd.txt", b"\xef\xbb\xbfthe c\xc3\xa4t\r\n\r\nthe dog\n\nthe end")
        for tokenizer in ["char", "byte"]:
            model = self.make_model(f"{tokenizer}.safetensors", "--tokenizer", tokenizer, "--state", "reset", text=text)
            self.check_evaluation("eval", model, text)
            if tokenizer == "byte":
                self.check_evaluation("eval", model, self.write("bytes", b"the\n\xff\xfe\nc\xc3\xa4t\n"))

    def test_eval_where_there_is_nothing(self):
        empty = self.write("empty.txt", "")
        for number in (1, 2, 3):
            path = self.folder / f"e{number}"
            self.succeed("eval", self.model, empty, "--state", "reset", "--shard", f"{number}/3", "--output", path)
            self.assertEqual(path.read_bytes(), b"")
        self.refuse(1, ["no token that counts"], "merge", *(self.folder / f"e{i}" for i in (1, 2, 3)))

    def test_eval_refuses_what_is_not_of_lines(self):
        self.refuse(2, ["--shard", "--state reset"], "eval", self.model, self.lines, "--shard", "1/2")
        self.refuse(2, ["--output", "carried"], "eval", self.model, self.lines, "--state", "carry", "--output",
                    self.folder / "x")
        self.refuse(2, ["--shard", "--cache"], "eval", self.model, self.lines, "--cache", "--shard", "1/2")
        self.refuse(2, ["--shard", "--pairs"], "eval", self.model, "--pairs", self.lines, "--shard", "1/2")
        text = self.write("eos.txt", "the cat\nthe <eos> dog\n")
        self.refuse(1, ["line 2", "<eos>"], "eval", self.model, text, "--state", "reset", "--shard", "1/1")


if __name__ == "__main__":
    main()
