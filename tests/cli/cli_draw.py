#!/usr/bin/env python3
"""`unroll draw`: cli/cli_draw.py UNROLL"""

import csv
import json
import math
import xml.etree.ElementTree

from command_line import CommandTest, main

SVG = "{http://www.w3.org/2000/svg}"


class Draw(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("gru.safetensors", "--cell", "gru")
        hostile = cls.shared / "hostile.txt"
        hostile.write_text("<img/onerror=alert(1)> the \u05e9\u05dc\u05d5\u05dd cat \u0301 sees\n" * 60, encoding="utf-8")
        cls.words = cls.make_model("a<b&c.safetensors", "--tokenizer", "whitespace", "--cell", "rnn-tanh", text=hostile)

    def drawn(self, picture, model, *arguments, text="the cat"):
        file = self.folder / f"{picture}.svg"
        done = self.succeed("draw", picture, model, "-", "--save", file, "--overwrite", *arguments, stdin=text.encode())
        return xml.etree.ElementTree.parse(file).getroot(), done.out

    def test_a_picture_is_a_file_of_its_own_that_a_screen_reader_reads(self):
        root, said = self.drawn("unrolled", self.words, text="the <img/onerror=alert(1)> \u05e9\u05dc\u05d5\u05dd \u0301\n")
        self.assertEqual(root.get("role"), "img")
        self.assertEqual([child.tag for child in root][:3], [SVG + "title", SVG + "desc", SVG + "style"])
        self.assertEqual(root.find(SVG + "desc").text + "\n", said)
        self.assertEqual([shape for shape in root.iter() if not shape.tag.startswith(SVG)], [])
        self.assertEqual(list(root.iter(SVG + "img")) + list(root.iter(SVG + "script")), [])
        columns = [group for group in root.iter(SVG + "g") if group.get("class", "").startswith("column ") or
                   group.get("class") == "column"]
        self.assertEqual([group.get("data-t") for group in columns], list("01234"))

    def test_numbers_are_those_of_score_and_come_as_csv_and_json(self):
        table = self.folder / "t.csv"
        asked = ["draw", "surprisal", self.model, "-", "--second", "cat the"]
        told = json.loads(self.succeed(*asked, "--json", "--save", table, stdin=b"the cat").out)
        score = json.loads(self.succeed("score", self.model, "--json", stdin=b"the cat\n").out.splitlines()[0])
        self.assertTrue(math.isclose(told["facts"]["1 nats"], -score["log_prob"], rel_tol=1e-12))
        with open(table, newline="", encoding="utf-8") as file:
            read = list(csv.reader(file))
        self.assertEqual(read[0], told["table"]["columns"])
        self.assertEqual([row[2] for row in read[1:]], [row[2] for row in told["table"]["rows"]])
        self.assertEqual([row[2] for row in read[1:9]], [*"the cat", "\n"])
        self.assertEqual(told["picture"], "surprisal")

    def test_a_tree_grows_from_what_generate_writes(self):
        told = json.loads(self.succeed("draw", "tree", self.model, "--prompt", "the ", "--length", "12", "--count", "3",
                                       "--seed", "4", "--json").out)
        written = self.succeed("generate", self.model, "--prompt", "the ", "--length", "12", "--seed", "4").out
        self.assertEqual(written.rstrip("\n"), "the " + told["table"]["rows"][0][1].rstrip("\n"))

    def test_answers_of_any_number_of_labels_are_those_of_classify(self):
        lines = "".join(f"__label__{a} __label__{b} {a} {b} both\n__label__{a} {a} alone\n"
                        for a in "xyz" for b in "xyz" if a < b)
        text = self.write("labels.txt", lines * 4)
        model = self.make_model("labels.safetensors", "--task", "classify", "--multi-label", "--lr", "0.1",
                                "--valid-split", "0", text=text)
        for words in "x y both", "z alone", "nothing known":
            given = json.loads(self.succeed("classify", model, "--json", stdin=words.encode()).out)["labels"]
            asked = ["draw", "answers", model, self.write("words.txt", words), "--json"]
            said = json.loads(self.succeed(*asked).out)["sentence"]
            expected = ", ".join(given) + f" at {len(given)} of 3 thresholds" if given else "no label ("
            self.assertIn(f"the answer is {expected}", said)

    def test_of_a_long_text_the_first_answers_are_drawn_and_that_is_said(self):
        reviews = self.write("reviews.txt", "__label__good lovely film\n__label__bad dull film\n" * 20)
        model = self.make_model("reviews.safetensors", "--task", "classify", "--valid-split", "0", text=reviews)
        text = self.write("long.txt", "lovely " * 250)
        said = json.loads(self.succeed("draw", "answers", model, text, "--json").out)["sentence"]
        self.assertTrue(said.startswith("After the first 200 of 250 tokens the answer is "), said)
        self.assertNotIn("unroll classify", said)

    def test_several_lines_are_one_text_and_that_is_said(self):
        reviews = self.write("two.txt", "__label__good lovely film\n__label__bad dull film\n" * 20)
        model = self.make_model("two.safetensors", "--task", "classify", "--valid-split", "0", text=reviews)
        said = json.loads(self.succeed("draw", "answers", model, self.write("lines.txt", "lovely film\ndull\n"),
                                       "--json").out)["sentence"]
        self.assertIn("its lines being one text", said)
        self.assertNotIn("unroll classify", said)

    def test_filters_are_those_of_generate(self):
        asked = ["--prompt", "the ", "--seed", "4", "--top-k", "5", "--top-p", "0.9", "--min-p", "0.02"]
        written = self.succeed("generate", self.model, "--length", "9", *asked).out
        tree = json.loads(self.succeed("draw", "tree", self.model, "--length", "9", *asked, "--json").out)
        self.assertEqual(written.rstrip("\n"), "the " + tree["table"]["rows"][0][1].rstrip("\n"))
        dice = json.loads(self.succeed("draw", "dice", self.model, "--at", "3", *asked, "--json").out)
        self.assertLessEqual(len(dice["table"]["rows"]), 5)
        self.assertEqual(dice["facts"]["symbol"], written[len("the ") + 3])

    def test_what_cannot_be_drawn_is_refused_with_the_reason(self):
        save = ["--save", self.folder / "x.svg"]
        text = self.write("t.txt", "the cat\n")
        self.refuse(2, ["unrolled, onehot"], "draw", "cat", self.model, text, *save)
        self.refuse(2, ["--save"], "draw", "softmax", self.model, text)
        self.refuse(2, [".svg", ".csv"], "draw", "softmax", self.model, text, "--save", self.folder / "x.png")
        self.refuse(2, ["--temperature is an option of softmax"], "draw", "gates", self.model, text, "--temperature", "2",
                    *save)
        self.refuse(2, ["--at is 99", "0 to 7"], "draw", "softmax", self.model, text, "--at", "99", *save)
        self.refuse(2, ["no gates"], "draw", "gates", self.words, text, *save)
        self.refuse(2, ["train one with --task conditional"], "draw", "softmax", self.model, text, "--label", "x", *save)
        self.refuse(2, ["--second is empty"], "draw", "surprisal", self.model, text, "--second", "", *save)
        self.refuse(2, ["--prompt"], "draw", "tree", self.model, text, *save)
        self.succeed("draw", "softmax", self.model, text, *save)
        self.refuse(2, ["--overwrite"], "draw", "softmax", self.model, text, *save)


if __name__ == "__main__":
    main()
