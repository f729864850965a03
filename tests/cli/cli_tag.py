#!/usr/bin/env python3
"""`unroll tag`, and `eval` and `data` of tagged words: cli/cli_tag.py UNROLL"""

import json
import random

from command_line import CommandTest, main, run

TYPES = {"Anna": "PER", "Otto": "PER", "Bonn": "LOC", "Oslo": "LOC"}


def sentences(count, seed):
    """Sentences of (word, tag): names of one or two words among other words."""
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        sentence = []
        for _ in range(dice.randint(2, 6)):
            if dice.random() < 0.4:
                name = dice.choice(sorted(TYPES))
                sentence.append((name, "B-" + TYPES[name]))
                if dice.random() < 0.4:
                    sentence.append(("the " + dice.choice(["Old", "Great"]), "I-" + TYPES[name]))
            else:
                sentence.append((dice.choice(["sees", "in", "and", "loves", "goes", "to"]), "O"))
        found.append(sentence)
    return found


def with_mistakes(found):
    """The same with another tag at every ninth word, so that nothing is tagged without mistakes."""
    count = 0
    for sentence in found:
        for i, (word, tag) in enumerate(sentence):
            count += 1
            if count % 9 == 0:
                sentence[i] = (word, "B-LOC" if tag == "O" else "O")
    return found


def columns(found):
    return "".join("".join(f"{word.replace(' ', '-')} _ {tag}\n" for word, tag in sentence) + "\n"
                   for sentence in found)


def spans(tags):
    """{(first, end, type)} of BIO tags, a span beginning at any I that does not continue one."""
    found, first = set(), None
    for i, tag in enumerate([*tags, "O"]):
        if first is not None and not (tag.startswith("I-") and tag[2:] == tags[first][2:]):
            found.add((first, i, tags[first][2:]))
            first = None
        if tag != "O" and first is None:
            first = i
    return found


class Tag(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        train = cls.shared / "train.txt"
        train.write_text(columns(sentences(150, 1)), encoding="utf-8")
        cls.model = cls.shared / "names.safetensors"
        done = run("train", "--task", "tag", train, "--save", cls.model, "--hidden", "12", "--embed", "12", "--chars",
                   "4", "--steps", "60", "--lr", "0.03", "--threads", "1", "--quiet")
        if done.status != 0:
            raise AssertionError(f"training ended with {done.status}: {done.err}")
        cls.test = with_mistakes(sentences(40, 2))
        cls.file = cls.shared / "test.txt"
        cls.file.write_text(columns(cls.test), encoding="utf-8")

    def test_tags_go_into_their_column_and_other_bytes_come_back(self):
        file = "\ufeff-DOCSTART- -X- O\r\n\r\n# a longer comment\n Anna   _ X \r\nsees   _ X\nin _ X\n\n\nBonn _ X"
        done = self.succeed("tag", self.model, "-", "--format", "columns", stdin=file.encode())
        self.assertIn("standard input is read as columns; tags go to column 3; spans in bio", done.err)
        self.assertEqual([line.split()[-1] for line in done.out.splitlines() if "_" in line],
                         ["B-PER", "O", "O", "B-LOC"])
        for tag in ["B-PER", "B-LOC"]:
            self.assertIn(tag, done.out)
        expected = file.replace("_ X", "_ O").replace("Anna   _ O", "Anna   _ B-PER").replace("Bonn _ O", "Bonn _ B-LOC")
        self.assertEqual(done.out.encode(), expected.encode())

    def test_text_becomes_lines_with_words_and_tags(self):
        done = self.succeed("tag", self.model, stdin="Otto sees  Oslo\n\nBonn".encode())
        self.assertIn("read as text", done.err)
        self.assertEqual(done.out, "Otto\tB-PER\nsees\tO\nOslo\tB-LOC\n\n\nBonn\tB-LOC\n\n")
        done = self.succeed("tag", self.model, "--scheme", "iobes", "--quiet", stdin=b"Otto sees")
        self.assertEqual((done.out, done.err), ("Otto\tS-PER\nsees\tO\n\n", ""))

    def test_json_has_sequences_and_probabilities(self):
        done = self.succeed("tag", self.model, "--json", "--n-best", "3", "--confidence", stdin=b"Otto in Oslo\n\n")
        first, blank = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual((first["words"], first["tags"]), (["Otto", "in", "Oslo"], ["B-PER", "O", "B-LOC"]))
        self.assertEqual(first["n_best"][0]["tags"], first["tags"])
        best = [sequence["log_prob"] for sequence in first["n_best"]]
        self.assertEqual((best, len(best)), (sorted(best, reverse=True), 3))
        self.assertTrue(all(0 < p <= 1 for p in first["confidence"]))
        self.assertEqual((blank["words"], blank["tags"], blank["log_prob"]), ([], [], 0))

    def test_eval_counts_what_a_program_of_its_own_counts(self):
        tagged = self.succeed("tag", self.model, self.file, "--quiet").out
        answers = [[line.split()[2] for line in block.splitlines()] for block in tagged.split("\n\n") if block]
        right = [[tag for _, tag in sentence] for sentence in self.test]
        hits = sum(len(spans(a) & spans(b)) for a, b in zip(answers, right))
        total = sum(len(spans(a)) + len(spans(b)) for a, b in zip(answers, right))
        words = [a == b for x, y in zip(answers, right) for a, b in zip(x, y)]
        out = json.loads(self.succeed("eval", self.model, self.file, "--json").out)
        self.assertAlmostEqual(out["span_f1"], 2 * hits / total, places=12)
        self.assertAlmostEqual(out["accuracy"], sum(words) / len(words), places=12)
        self.assertGreater(out["accuracy"], 0.8)
        self.assertEqual((out["rule"], out["scheme"], out["words"]), ("conlleval", "bio", len(words)))
        self.assertEqual([entry["type"] for entry in out["types"]], ["LOC", "PER"])
        table = self.succeed("eval", self.model, self.file, "--strict").out
        self.assertRegex(table, r"(?m)^F1 of spans +0\.\d{4}  95%: ")
        self.assertRegex(table, r"(?m)^  scheme, rule +bio, strict$")
        self.assertRegex(table, r"(?m)^LOC +\d\.\d{4} ")

    def test_compare_lists_the_words_that_two_models_tag_differently(self):
        other = self.shared / "other.safetensors"
        self.succeed("train", "--task", "tag", self.shared / "train.txt", "--save", other, "--hidden", "6", "--embed", "6",
                     "--chars", "0", "--steps", "12", "--lr", "0.03", "--quiet")
        both = json.loads(self.succeed("compare", self.model, other, self.file, "--json").out)
        for name, model in (("a", self.model), ("b", other)):
            alone = json.loads(self.succeed("eval", model, self.file, "--json").out)
            self.assertAlmostEqual(both["accuracy"][name], alone["accuracy"], places=12)
            self.assertAlmostEqual(both["span_f1"][name], alone["span_f1"], places=12)
        tags = [[line.split()[2] for line in self.succeed("tag", model, self.file, "--quiet").out.splitlines() if line]
                for model in (self.model, other)]
        right = [tag for sentence in self.test for _, tag in sentence]
        expected = [(tag, a, b) for tag, a, b in zip(right, *tags) if a != b]
        self.assertTrue(expected)
        self.assertEqual([(d["tag"], d["a"], d["b"]) for d in both["differing"]], expected)
        table = self.succeed("compare", self.model, other, self.file, "--strict").out
        self.assertEqual(len([line for line in table.split("\n") if line.count("\t") == 5]), len(expected))
        self.assertLess(both["accuracy"]["interval"][0], both["accuracy"]["difference"])

    def test_data_describes_tags_and_scheme(self):
        out = json.loads(self.succeed("data", self.file, "--task", "tag", "--json").out)
        self.assertEqual((out["train"]["sentences"], out["train"]["scheme"]), (40, "bio"))
        self.assertEqual(sum(entry["words"] for entry in out["tags"]), out["train"]["words"])
        other = self.write("other.txt", columns(self.test[:3]) + "Rom _ B-NEW\n")
        table = self.succeed("data", self.file, "--test", other, "--format", "columns").out
        self.assertRegex(table, r"(?m)^scheme of spans +bio +bio$")
        self.assertIn('note: the sentences to test on have 1 tag that training lacks: "B-NEW"', table)
        self.assertIn("note: 3 sentences to test on stand in training too (0 with other tags)", table)

    def test_errors_name_place_and_flag(self):
        done = run("tag", self.model, "-", "--format", "columns", "--column", "2", stdin=b"Anna x\n\n\xff x\n")
        self.assertEqual((done.status, done.out), (1, "Anna B-PER\n\n"))
        self.assertIn("error: standard input, line 3, column 1: the word is not UTF-8", done.err)
        self.refuse(1, ["line 2, column 7", "tags are in column 3"], "eval", self.model, "-", stdin=b"\nAnna O\n")
        self.refuse(2, ["--scheme", "bmes", "iobes"], "tag", self.model, "--scheme", "bmes")
        self.refuse(2, ["--n-best is for --json"], "tag", self.model, "--n-best", "2")
        self.refuse(1, ["(--column)", "every word has the same tag"], "train", "--task", "tag",
                    self.write("same.txt", "a O\nb O\n"), "--save", self.folder / "none")
        self.refuse(2, ["--column is \"uposs\"", "upos or xpos"], "eval", self.model, self.file, "--column", "uposs")


if __name__ == "__main__":
    main()
