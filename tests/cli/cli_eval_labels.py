#!/usr/bin/env python3
"""eval and compare of models that classify texts, from the command line."""

import csv
import json
import math
import random

from command_line import CommandTest, main

WORDS = {"bad": ["dull", "cold", "awful"], "good": ["great", "fine", "warm"], "so, so": ["usual", "plain", "middling"]}
OTHERS = ["the", "film", "was", "a", "story", "it"]


def labelled_rows(count, seed):
    """(label, text): a word of the label among others, or none."""
    dice = random.Random(seed)
    rows = []
    for _ in range(count):
        label = dice.choice(sorted(WORDS))
        words = [dice.choice(OTHERS) for _ in range(dice.randint(1, 6))]
        if dice.random() < 0.8:
            words.insert(dice.randint(0, len(words)), dice.choice(WORDS[label]))
        rows.append((label, " ".join(words)))
    return rows


def write_csv(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("label", "text"), *rows])
    return path


def f1_of(label, pairs):
    """F1 of a label over pairs of right labels and answers; 0 where it has no value."""
    hits = sum(right == answer == label for right, answer in pairs)
    both = sum((right == label) + (answer == label) for right, answer in pairs)
    return 2 * hits / both if both else 0


def macro_f1(pairs):
    labels = {label for pair in pairs for label in pair}
    return sum(f1_of(label, pairs) for label in labels) / len(labels)


class EvalLabels(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.train = write_csv(cls.shared / "train.csv", labelled_rows(200, 1))
        cls.rows = labelled_rows(70, 2)
        cls.test = write_csv(cls.shared / "test.csv", cls.rows)
        small = ["--task", "classify", "--embed", "8"]
        cls.a = cls.make_model("a.safetensors", *small, "--lr", "0.02", text=cls.train)
        cls.b = cls.make_model("b.safetensors", *small, "--seed", "5", text=cls.train)
        cls.said = {}

    def answers(self, model):
        """What `classify` says about the texts of self.rows, by that model."""
        if model not in self.said:
            lines = self.succeed("classify", model, self.test, "--json").out.splitlines()
            self.said[model] = [json.loads(line) for line in lines]
        return self.said[model]

    def evaluate(self, *arguments):
        return json.loads(self.succeed("eval", *arguments, "--json").out)

    def test_the_report_has_the_figures_of_the_answers(self):
        path = self.folder / "confusion.csv"
        result = self.evaluate(self.a, self.test, "--confusion", path)
        said = self.answers(self.a)
        pairs = [(label, answer["label"]) for (label, _), answer in zip(self.rows, said)]
        self.assertEqual(result["texts"], 70)
        self.assertAlmostEqual(result["accuracy"], sum(a == b for a, b in pairs) / 70)
        self.assertAlmostEqual(result["macro_f1"], macro_f1(pairs))
        for entry in result["labels"]:
            self.assertAlmostEqual(entry["f1"] or 0, f1_of(entry["label"], pairs))
            self.assertEqual(entry["support"], sum(right == entry["label"] for right, _ in pairs))
        nats = [-math.log(answer["probabilities"][label]) for (label, _), answer in zip(self.rows, said)]
        self.assertAlmostEqual(result["nats_per_text"], sum(nats) / 70)
        self.assertLess(result["accuracy_interval"][0], result["accuracy"])
        self.assertGreater(result["accuracy_interval"][1], result["accuracy"])
        with open(path, encoding="utf-8", newline="") as file:
            head, *matrix = csv.reader(file)
        self.assertEqual(head, ["", "bad", "good", "so, so"])
        for right, *counts in matrix:
            self.assertEqual([int(n) for n in counts], [pairs.count((right, answer)) for answer in head[1:]])
        table = self.succeed("eval", self.a, self.test).out
        self.assertEqual(table.split("\n")[0].split(), ["precision", "recall", "f1-score", "support", "95%", "interval"])
        for entry in result["labels"]:
            self.assertIn(f"{entry['label']:>12}", table)
            self.assertIn(f"{entry['f1']:.4f}", table)
        accuracy = [line for line in table.split("\n") if line.strip().startswith("accuracy")]
        self.assertEqual(len(accuracy), 1)
        self.assertIn(f"{result['accuracy']:.4f}", accuracy[0])
        self.assertIn("confusion", table)

    def test_labels_without_instance_and_unknown_ones_are_told(self):
        rows = [(label, text) for label, text in self.rows if label != "bad"] + [("odd", "the film"), ("odd", "it was")]
        path = write_csv(self.folder / "other.csv", rows)
        result = self.evaluate(self.a, path)
        entries = {entry["label"]: entry for entry in result["labels"]}
        self.assertIsNone(entries["bad"]["recall"])
        self.assertIsNone(entries["bad"]["f1"])
        self.assertEqual(entries["odd"]["f1"], 0)
        self.assertIsNone(entries["odd"]["precision"])
        self.assertEqual(result["texts_without_nats"], 2)
        self.assertTrue(math.isfinite(result["nats_per_text"]))
        notes = " ".join(result["notes"])
        for words in ['without an instance in the data: "bad"', '"odd" (2 instances)',
                      'no model knows: "odd"; 2 texts']:
            self.assertIn(words, notes)
        table = self.succeed("eval", self.a, path).out
        self.assertNotIn("nan", table.lower())
        self.assertIn("–", table)

    def test_several_models_are_averaged(self):
        result = self.evaluate(self.a, self.b, self.test)
        self.assertEqual([entry["model"] for entry in result["models"]], [str(self.a), str(self.b)])
        for entry, model in zip(result["models"], (self.a, self.b)):
            right = [label == answer["label"] for (label, _), answer in zip(self.rows, self.answers(model))]
            self.assertAlmostEqual(entry["accuracy"], sum(right) / 70)
        nats = [entry["nats_per_text"] for entry in result["models"]]
        self.assertLess(result["nats_per_text"], sum(nats) / 2)  # the logarithm is concave

    def test_what_does_not_fit_is_refused(self):
        language = self.make_model("language.safetensors")
        self.refuse(2, ["--task classify", "language"], "eval", language, self.text, "--task", "classify")
        self.refuse(2, ["which FILE"], "eval", self.a)
        self.refuse(2, ["--state"], "eval", self.a, self.test, "--state", "carry")
        self.refuse(2, ["--multi-label"], "eval", self.a, self.test, "--multi-label")
        self.refuse(2, ["would replace"], "eval", self.a, self.test, "--confusion", self.test, "--overwrite")
        self.refuse(2, ["two models"], "compare", self.a, self.test)
        self.refuse(1, ["empty.csv"], "eval", self.a, self.write("empty.csv", ""))
        self.refuse(2, ["language"], "compare", self.a, language, self.test)

    def test_models_are_compared_on_the_texts_where_they_differ(self):
        result = json.loads(self.succeed("compare", self.a, self.b, self.test, "--json").out)
        said = [[answer["label"] for answer in self.answers(model)] for model in (self.a, self.b)]
        triples = [(label, a, b) for (label, _), a, b in zip(self.rows, *said)]
        only_a = sum(a == label != b for label, a, b in triples)
        only_b = sum(b == label != a for label, a, b in triples)
        self.assertEqual((result["right"]["only_a"], result["right"]["only_b"]), (only_a, only_b))
        self.assertEqual(sum(result["right"].values()), 70)
        n, k = only_a + only_b, min(only_a, only_b)
        p = min(1, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
        self.assertAlmostEqual(result["accuracy"]["p_value"], p)
        self.assertAlmostEqual(result["accuracy"]["difference"], (only_b - only_a) / 70)
        for key, place in (("a", 1), ("b", 2)):
            self.assertAlmostEqual(result["macro_f1"][key], macro_f1([(triple[0], triple[place]) for triple in triples]))
        expected = [(i + 2, [label], [a], [b]) for i, (label, a, b) in enumerate(triples) if a != b]
        self.assertTrue(expected)
        self.assertEqual([(d["line"], d["labels"], d["a"], d["b"]) for d in result["differing"]], expected)
        table = self.succeed("compare", self.a, self.b, self.test).out
        self.assertEqual(len([line for line in table.split("\n") if line.count("\t") == 4]), len(expected))
        self.assertIn(f"{result['macro_f1']['p_value']:.4f}", table)

    def test_several_labels_a_text(self):
        lines = [f"__label__{label.replace(', ', '')} __label__{'long' if len(text) > 18 else 'short'} {text}"
                 for label, text in labelled_rows(150, 3)]
        path = self.write("sets.txt", "\n".join([*lines, "none of them"]) + "\n")
        model = self.make_model("sets.safetensors", "--task", "classify", "--multi-label", "--embed", "8", text=path)
        result = self.evaluate(model, path)
        said = [json.loads(line) for line in self.succeed("classify", model, path, "--json").out.splitlines()]
        right = [{word[9:] for word in line.split() if word.startswith("__label__")} for line in [*lines, "none"]]
        given = [set(answer["labels"]) for answer in said]
        self.assertAlmostEqual(result["accuracy"], sum(a == b for a, b in zip(right, given)) / 151)
        hits = sum(len(a & b) for a, b in zip(right, given))
        self.assertAlmostEqual(result["micro_f1"], 2 * hits / sum(len(a) + len(b) for a, b in zip(right, given)))
        nats = sum(-math.log(p if label in labels else 1 - p)
                   for labels, answer in zip(right, said) for label, p in answer["probabilities"].items())
        self.assertAlmostEqual(result["nats_per_text"], nats / 151)
        self.assertIn("exact match", self.succeed("eval", model, path).out)
        self.refuse(2, ["--confusion"], "eval", model, path, "--confusion", self.folder / "c.csv")
        both = json.loads(self.succeed("compare", model, model, path, "--json").out)
        self.assertAlmostEqual(both["micro_f1"]["a"], result["micro_f1"])
        for measure in ("accuracy", "macro_f1", "micro_f1"):
            self.assertEqual((both[measure]["p_value"], both[measure]["interval"]), (1, [0, 0]), "with itself")
        self.assertEqual(both["differing"], [])


if __name__ == "__main__":
    main()
