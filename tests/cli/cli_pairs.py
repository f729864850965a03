#!/usr/bin/env python3
"""Minimal pairs and suites from the command line."""

import json

from command_line import CommandTest, main, sentences

SUITE = {"meta": {"name": "articles", "metric": "sum"}, "region_meta": {"1": "article", "2": "noun"},
         "predictions": [{"type": "formula", "formula": "(2;%with%) < (2;%without%)"}],
         "items": [{"item_number": number,
                    "conditions": [{"condition_name": name,
                                    "regions": [{"region_number": 1, "content": first},
                                                {"region_number": 2, "content": noun}]}
                                   for name, first in (("with", "the"), ("without", "sees"))]}
                   for number, noun in ((1, "cat"), (2, "dog"))]}


class Pairs(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "word")

    def make_pairs(self):
        """Ten pairs as the text has them, and the same ones the other way round; one more is a tie."""
        lines = []
        for good in sentences(10, seed=5):
            bad = " ".join(reversed(good.split()))
            for number, pair in enumerate([(good, bad), (bad, good)]):
                lines.append(json.dumps({"sentence_good": pair[0], "sentence_bad": pair[1], "UID": f"order_{number}",
                                         "linguistics_term": "order"}))
        self.write("order.jsonl", "\n".join(lines) + "\n")
        self.write("mine.tsv", "the zebra\tthe yak\nthe cat\tcat the\tcats\n")
        self.write("suite.json", json.dumps(SUITE))
        self.write("notes.md", "no pairs")

    def pairs(self, path, *flags):
        return self.succeed("eval", self.model, "--pairs", path, "--quiet", *flags).out

    def test_a_folder_is_counted_file_by_file_and_as_a_whole(self):
        self.make_pairs()
        found = json.loads(self.pairs(self.folder, "--json", "--items"))
        groups = {group["name"]: group for group in found["paradigms"]}
        self.assertEqual([group["name"] for group in found["paradigms"]], ["mine", "cats", "order_0", "order_1"])
        self.assertEqual((groups["order_0"]["items"], groups["order_0"]["ties"]), (10, 0))
        self.assertEqual(groups["order_0"]["correct"], 10 - groups["order_1"]["correct"])
        self.assertEqual((groups["mine"]["ties"], groups["mine"]["correct"], groups["mine"]["with_unknown"]), (1, 0, 1))
        self.assertIsNone(groups["mine"]["accuracy_without_unknown"])
        self.assertEqual([(group["name"], group["items"]) for group in found["phenomena"]], [("order", 20)])
        self.assertEqual((found["suites"][0]["name"], found["suites"][0]["items"]), ("articles", 2))
        self.assertEqual(found["overall"]["items"], 24)
        for group in [*found["paradigms"], *found["suites"], found["overall"]]:
            self.assertLessEqual(group["low"], group["accuracy"])
            self.assertGreaterEqual(group["high"], group["accuracy"])
        self.check_items(found["items"])

    def test_names_from_files_stay_one_field(self):
        pair = {"sentence_good": "the cat", "sentence_bad": "cat the", "UID": "a\tb\nc\x1b\u202e"}
        path = self.write("uid.jsonl", json.dumps(pair) + "\n")
        done = self.succeed("eval", self.model, "--pairs", path, "--quiet", "--items").out
        name = "a\\tb\\nc\\x1b\\xe2\\x80\\xae"
        found = [line for line in done.splitlines() if line.startswith(name)]
        self.assertEqual(len(found), 2)
        self.assertEqual(len(found[0].split("\t")), 8)
        self.assertEqual(found[1].split()[:2], [name, "1"])

    def check_items(self, items):
        self.assertEqual(len(items), 24)
        for item in items:
            if "suite" in item:
                bits = item["surprisals_bits"]
                self.assertEqual(item["metric"], "sum")
                self.assertEqual(item["predictions"], [bits["with"]["2"] < bits["without"]["2"]])
                continue
            for which in ("good", "bad"):
                scored = json.loads(self.succeed("score", self.model, "--json", stdin=item[which].encode() + b"\n").out)
                self.assertEqual(scored["log_prob"], item[f"log_prob_{which}"])
                self.assertEqual(scored["unknown_tokens"], item[f"unknown_{which}"])
            self.assertEqual(item["correct"], item["log_prob_good"] > item["log_prob_bad"])

    def test_the_table_says_the_policy_and_what_unknown_words_did(self):
        self.make_pairs()
        table = self.pairs(self.folder / "order.jsonl")
        self.assertIn("# policy: each sentence by itself", table)
        rows = {line.split()[0]: line.split()[1:] for line in table.splitlines() if line and not line.startswith("#")}
        self.assertEqual(rows["order_0"][0], "10")
        self.assertEqual(rows["order"][0], "20")
        self.assertEqual(rows["overall"], rows["order"])
        items = self.pairs(self.folder / "mine.tsv", "--items").splitlines()
        self.assertTrue(items[0].startswith("# columns: paradigm correct"))
        self.assertEqual(items[1].split("\t")[:2], ["mine", "tie"])
        self.assertEqual(items[2].split("\t")[6:], ["the cat", "cat the"])

    def test_names_are_one_column_and_ends_may_be_left_out(self):
        pair = {"sentence_good": "the cat", "sentence_bad": "cat the", "UID": "x\ty\nz"}
        path = self.write("uid.jsonl", json.dumps(pair) + "\n")
        out = self.pairs(path, "--items", "--no-end")
        row = out.splitlines()[1].split("\t")
        self.assertEqual((len(row), row[0]), (8, "x\\ty\\nz"))
        scored = json.loads(self.succeed("score", self.model, "--json", "--no-end", stdin=b"the cat\n").out)
        self.assertEqual(float(row[2]), scored["log_prob"])
        self.assertIn("its end not scored", out)
        self.assertTrue(any(line.startswith("x\\ty\\nz  ") for line in out.splitlines()))

    def test_wrong_usage_and_wrong_files_are_refused(self):
        good = self.write("a.tsv", "a\tb\n")
        self.refuse(2, ["--items is for --pairs"], "eval", self.model, self.text, "--items")
        self.refuse(2, ["--pairs takes one MODEL and no TEXT"], "eval", self.model, self.text, "--pairs", good)
        self.refuse(2, ["--pairs scores each sentence by itself"], "eval", self.model, "--pairs", good, "--exact")
        self.refuse(2, ["--pairs scores each sentence by itself"], "eval", self.model, "--pairs", good, "--cache")
        self.refuse(2, ["--pairs always scores unknown words"], "eval", self.model, "--pairs", good, "--unk", "skip")
        self.refuse(1, ["missing.tsv"], "eval", self.model, "--pairs", self.folder / "missing.tsv")
        self.refuse(1, ["x.tsv", "line 2"], "eval", self.model, "--pairs", self.write("x.tsv", "a\tb\nc\n"))
        self.refuse(1, ["x.tsv', line 2: the sentence", "byte 4"], "eval", self.model, "--pairs",
                    self.write("x.tsv", b"a\tb\nthe cat\tthe \xff\n"))
        wrong = json.loads(json.dumps(SUITE).replace("dog", "<eos>"))
        self.refuse(1, ["wrong.json': items 2: conditions 1: the sentence \"the <eos>\": byte 4"], "eval",
                    self.make_model("tokens.safetensors", "--tokenizer", "whitespace"), "--pairs",
                    self.write("wrong.json", json.dumps(wrong)))
        self.refuse(1, ["x.json", "meta"], "eval", self.model, "--pairs", self.write("x.json", "{}"))
        (self.folder / "empty").mkdir()
        self.refuse(1, ["empty", ".jsonl"], "eval", self.model, "--pairs", self.folder / "empty")


if __name__ == "__main__":
    main()
