#!/usr/bin/env python3
"""unroll report: one page that needs nothing else, in which no text is markup; and the curves of runs."""

import html.parser
import json

from command_line import SMALL, CommandTest, main

VOID = {"meta", "br", "img", "link", "input", "hr"}
HOSTILE = "<img src=x onerror=alert(1)>"


class Page(html.parser.HTMLParser):
    """Tags and attributes that occur, and whether each element ends."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.ids, self.words = [], set(), set(), [], []
        self.boxes, self.outside, self.empty_headings, self.heading = [], "", 0, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value for name, value in attrs if name == "id"]
        if ("class", "wide") in attrs:
            self.boxes.append(dict(attrs))
        self.heading = "" if tag == "th" else self.heading
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag
        self.empty_headings += tag == "th" and not self.heading.strip()

    def handle_data(self, data):
        self.words.append(data)
        self.heading += data
        if "body" in self.open and "main" not in self.open:
            self.outside += data.strip()


class Report(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs = cls.shared / "runs"
        cls.runs.mkdir()
        cls.hostile = cls.shared / "hostile.txt"
        word = HOSTILE.replace(" ", "_")
        lines = [f"the cat {word} sees \"the\" & dog {'</pre>' if i % 2 else ']]>'}" for i in range(60)]
        cls.hostile.write_text("\n".join(lines) + "\n", encoding="utf-8")
        cls.make_model("runs/a.safetensors", "--log", cls.runs / "a.jsonl", "--tokenizer", "whitespace",
                       "--sample-every", "10", "--cell", "gru", "--validate-every", "10", text=cls.hostile)
        cls.make_model("runs/b.safetensors", "--log", cls.runs / "b.jsonl", "--lr", "0.01")
        cls.labelled = cls.shared / "labelled.csv"
        rows = [f"{'good' if i % 2 else 'bad'} <b>{i}</b>,{'<i>yes' if i % 2 else 'no'}" for i in range(40)]
        cls.labelled.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
        cls.classifier = cls.make_model("c.safetensors", "--task", "classify", "--overwrite", text=cls.labelled)

    def report(self, *arguments):
        path = self.folder / "report.html"
        self.succeed("report", *arguments, "--save", path, "--overwrite", "--quiet")
        text = path.read_text(encoding="utf-8")
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertFalse(page.tags & {"script", "img", "iframe", "link", "object", "b", "i"}, page.tags)
        handlers = {name for name in page.attributes if name.startswith("on")}
        self.assertFalse(handlers | page.attributes & {"src", "href", "style"})
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertEqual((page.outside, page.empty_headings), ("", 0))
        self.assertTrue(page.boxes)
        for box in page.boxes:  # what scrolls can be reached by the keys, and has a name
            self.assertTrue(box["tabindex"] == "0" and box["role"] == "group" and box["aria-label"], box)
        return page, text

    def test_runs_of_a_folder_are_compared(self):
        page, text = self.report(self.runs, "--text", self.hostile)
        words = "".join(page.words)
        for part in ["Training loss", "Held-out loss", "Gradient norm", "Settings", "≠ cell", "≠ lr", "Samples",
                     "after step 10", "after step 20", "Held-out lines", "bits per byte", "Gradients",
                     "<img_src=x_onerror=alert(1)>"]:
            self.assertIn(part, words)
        self.assertNotIn("<img", text)
        self.assertGreaterEqual(text.count("<svg"), 7)

    def test_settings_are_the_same_only_where_they_are_known(self):
        copy = self.folder / "copy.safetensors"
        copy.write_bytes((self.runs / "a.safetensors").read_bytes())
        known = [self.runs / "a.safetensors", copy]
        page, _ = self.report(*known)
        self.assertIn("All settings are the same.", "".join(page.words))
        page, _ = self.report(*known, self.runs / "b.jsonl")
        words = "".join(page.words)
        self.assertIn("All settings of a, copy are the same. Not known are the settings of b: logs hold none", words)
        page, _ = self.report(self.runs / "b.jsonl")
        self.assertIn("Not known are the settings of b", "".join(page.words))
        page, _ = self.report(self.runs / "a.safetensors")
        words = "".join(page.words)
        self.assertNotIn("known", words)
        self.assertIn("vocab-sizeall\n", words)
        self.assertIn("warmupa twentieth of the run", words)

    def test_labels_without_a_prefix_are_read_by_the_flags_that_the_error_names(self):
        bare = self.write("bare.txt", "".join(f"{'<i>yes' if i % 2 else 'no'} good {i}\n" for i in range(9)))
        path = self.folder / "bare.html"
        done = self.refuse(1, ["--format", "--bare-labels"], "report", self.classifier, "--text", bare, "--save", path)
        self.assertIn("first word", done.err)
        page, _ = self.report(self.classifier, "--text", bare, "--bare-labels")
        self.assertIn("of 9 right", "".join(page.words))
        self.refuse(2, ["--multi-label"], "report", self.classifier, "--text", bare, "--bare-labels", "--multi-label",
                    "--save", path)

    def test_a_classifier_is_judged_on_labelled_texts(self):
        page, _ = self.report(self.classifier, "--text", self.labelled, "--title", "A <title>")
        words = "".join(page.words)
        for part in ["A <title>", "Answers", "of 40 right", "right ↓ answer →", "<i>yes"]:
            self.assertIn(part, words)

    def test_a_tagger_is_judged_on_tagged_words(self):
        words = self.write("words.txt", "Anna B-PER\nsees O\nBonn B-LOC\n\n" * 30)
        tagger = self.make_model("tagger.safetensors", "--task", "tag", "--valid-split", "0", "--overwrite", text=words)
        page, _ = self.report(tagger, "--text", words)
        for part in ["90 words in 30 sentences", "F1 of spans", "right ↓ answer →", "B-PER"]:
            self.assertIn(part, "".join(page.words))

    def test_what_is_no_run_is_refused_and_writes_nothing(self):
        path = self.folder / "report.html"
        for arguments, words in [([self.text], ["line 1", "training log"]), ([self.folder], ["neither"]),
                                 ([], ["RUN"])]:
            self.refuse(1 if words[0] == "line 1" else 2, words, "report", *arguments, "--save", path)
        self.refuse(2, ["a.safetensors"], "report", self.runs, "--save", self.runs / "a.safetensors", "--overwrite")
        self.assertFalse(path.exists())

    def test_curves_of_logs_are_a_picture_and_numbers(self):
        logs = [self.runs / "a.jsonl", self.runs / "b.jsonl"]
        said = json.loads(self.succeed("draw", "curves", *logs, "--save", self.folder / "c.svg", "--json").out)
        self.assertTrue((self.folder / "c.svg").read_text(encoding="utf-8").startswith("<svg"))
        self.assertEqual({row[0] for row in said["table"]["rows"]}, {"a", "b"})
        self.assertIn("step 20", said["sentence"])


if __name__ == "__main__":
    main()
