#!/usr/bin/env python3
"""Scoring JSON lines: the same objects come out, with the numbers that `score` prints for their texts."""

import json
import math

from command_line import CommandTest, main, rows, run, sentences

FIELDS = ["log_prob", "tokens", "perplexity"]


class ScoreObjects(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors")

    def objects(self, lines, *flags, **options):
        """The lines that come out, for JSON lines on standard input."""
        return self.succeed("score", self.model, "--quiet", "--input", "jsonl", *flags,
                            stdin="".join(line + "\n" for line in lines).encode("utf-8"), **options).out.splitlines()

    def plain(self, texts, *flags):
        """(log_prob, tokens) of lines of text, as `score` prints them."""
        out = self.succeed("score", self.model, "--quiet", *flags, stdin="".join(t + "\n" for t in texts).encode()).out
        return [(float(row.split("\t")[0]), int(row.split("\t")[1])) for row in out.splitlines()
                if not row.startswith("#")]

    def test_an_object_gets_what_score_prints_for_its_text(self):
        texts = sentences(30, seed=3) + ["", "t", "the cat sees the dog. " * 20]
        out = [json.loads(line) for line in self.objects([json.dumps({"text": text}) for text in texts])]
        self.assertEqual([entry["text"] for entry in out], texts)
        for entry, (log_prob, tokens) in zip(out, self.plain(texts), strict=True):
            self.assertEqual(list(entry), ["text"] + FIELDS)
            self.assertEqual((entry["log_prob"], entry["tokens"]), (log_prob, tokens))
            self.assertAlmostEqual(entry["perplexity"], math.exp(-log_prob / tokens), delta=1e-12 * entry["perplexity"])

    def test_flags_of_score_count_here_as_well(self):
        texts = sentences(8, seed=4)
        lines = [json.dumps({"text": text}) for text in texts]
        for flags in [["--no-end"], ["--state", "carry"], ["--context", "the "], ["--log-base", "2"]]:
            out = [json.loads(line) for line in self.objects(lines, *flags)]
            self.assertEqual([(entry["log_prob"], entry["tokens"]) for entry in out], self.plain(texts, *flags))
        nats, bits = ([json.loads(line) for line in self.objects(lines, "--log-base", base)] for base in "e2")
        self.assertEqual([entry["perplexity"] for entry in nats], [entry["perplexity"] for entry in bits])

    def test_an_object_keeps_every_byte_of_its_own(self):
        lines = ['{"text": "the cat", "id": 007}'.replace("007", "12345678901234567890123"),
                 '  {"b":1.0e+2 ,"a":{"text":3,"log_prob":[]}, "text":"the\\u0020cat", "b":2}  ',
                 '{"é": "\\u00e9\\/", "text": "the dog"}\r', '{"text": "the cat"\t}']
        for line, new in zip(lines, self.objects(lines), strict=True):
            close = line.rindex("}")
            self.assertTrue(new.startswith(line[:close]) and new.endswith(line[close:].rstrip("\r")), new)
            self.assertRegex(new[close:], r'^,"log_prob":-[0-9.]+,"tokens":8,"perplexity":[0-9.]+\}')

    def test_a_text_of_several_lines_has_the_sums_of_its_lines(self):
        for flags in [[], ["--state", "carry"]]:
            out = [json.loads(line) for line in self.objects(
                [json.dumps({"text": text}) for text in ["the cat\nthe dog\n", "\n", "a\n\nthe"]], *flags)]
            parts = self.plain(["the cat", "the dog", "", "a", "", "the"], *flags)
            for entry, lines in zip(out, [parts[:2], parts[2:3], parts[3:]], strict=True):
                self.assertAlmostEqual(entry["log_prob"], sum(line[0] for line in lines), delta=1e-12)
                self.assertEqual(entry["tokens"], sum(line[1] for line in lines))

    def test_the_text_is_where_text_column_says(self):
        entry = json.loads(self.objects(['{"body": "the cat", "text": 1}'], "--text-column", "body")[0])
        self.assertEqual(entry["log_prob"], self.plain(["the cat"])[0][0])

    def test_a_file_is_known_by_its_name(self):
        path = self.write("texts.jsonl", '{"text": "the cat"}\n\n{"text": "the dog"}\n')
        out = self.succeed("score", self.model, path)
        self.assertEqual([line[:8] for line in out.out.splitlines()], ['{"text":', "", '{"text":'])
        for words in ["policy: state reset", "log base: e (nats)", "fields: log_prob tokens perplexity"]:
            self.assertIn(words, out.err)
        lines = rows(self.succeed("score", self.model, path, "--input", "lines", "--unk", "skip").out)
        self.assertTrue(lines[0].endswith('{"text": "the cat"}'))

    def test_a_text_without_tokens_has_no_perplexity(self):
        entry = json.loads(self.objects(['{"text": ""}'], "--no-end")[0])
        self.assertEqual([entry[name] for name in FIELDS], [0, 0, None])

    BAD = [(b'{"text": "the cat"', "not valid JSON at byte 19"),
           (b'["text"]', "not a JSON object on one line"),
           (b'{"text": "a"} {"text": "b"}', "not valid JSON at byte"),
           (b'{"text": "a\x00"}', "not a JSON object on one line"),
           (b'{"text": "\xff"}', "not UTF-8"),
           (b'{"text": "\\ud800"}', "not valid JSON at byte"),
           (b'{"text": "a", "n": 1e999}', "a number out of range"),
           (b'{"body": "a"}', 'the object has no field "text"'),
           (b'{}', 'the object has no field "text"'),
           (b'{"text": ["a"]}', 'the field "text" is a list: expected a string'),
           (b'{"text": null}', 'the field "text" is null: expected a string'),
           (b'{"text": "a", "text": "b"}', 'the object has the field "text" twice'),
           (b'{"text": "a", "tokens": 3}', 'the object has a field "tokens" already: rename it'),
           (b'[' * 100000, "not a JSON object on one line"),
           (b'{"a":' * 100000, "not valid JSON at byte")]

    def test_bad_lines_are_kept_with_an_error_and_counted(self):
        path = self.write("bad.jsonl", b"".join(b'{"text": "the cat"}\n' + line + b"\n" for line, _ in self.BAD))
        done = self.succeed("score", self.model, path, "--max-bad", str(len(self.BAD)))
        out = done.out.splitlines()
        self.assertEqual(len(out), 2 * len(self.BAD))
        self.assertEqual(set(out[::2]), set(self.objects(['{"text": "the cat"}'])))
        for (line, why), new in zip(self.BAD, out[1::2], strict=True):
            entry = json.loads(new)
            self.assertIn(why, entry["error"])
            if why.startswith(("the object", "the field")):
                self.assertEqual(new, line[:-1].decode() + ("," if line != b"{}" else "")
                                 + '"error":' + json.dumps(entry["error"]) + "}")
            else:
                self.assertEqual(entry["line"], line.decode("utf-8", "replace"))
                self.assertEqual("bytes" in entry, b"\xff" in line)
        self.assertIn(f"{len(self.BAD)} bad lines, kept with an error field; the first: '{path}', line 2: not valid "
                      "JSON at byte 19", done.err)

    def test_one_bad_line_too_many_ends_with_the_first_one_and_keeps_the_lines_before(self):
        good = '{"text": "the cat"}'
        path = self.write("bad.jsonl", f'{good}\n{{"text": 1}}\n{good}\n{{"text": 2}}\n{good}\n')
        for most, lines, words in [("0", 1, ["line 2: the field", "--max-bad N"]), ("1", 3, ["more than 1 bad line;"])]:
            done = run("score", self.model, path, "--max-bad", most)
            self.assertEqual(done.status, 1)
            self.assertEqual(len(done.out.splitlines()), lines)
            error = done.err.splitlines()[-1]
            for word in ["unroll: error: ", "bad.jsonl', line 2: the field \"text\" is a number", *words]:
                self.assertIn(word, error)
        self.assertEqual(len(self.succeed("score", self.model, path, "--max-bad", "2").out.splitlines()), 5)

    def test_an_error_that_was_there_is_not_replaced(self):
        line = '{"text": 1, "error": "mine"}'
        self.assertEqual(json.loads(self.objects([line], "--max-bad", "1")[0])["line"], line)
        self.assertEqual(json.loads(self.objects(['{"text": "a", "error": "mine"}'])[0])["error"], "mine")

    def test_texts_that_the_model_cannot_read_are_bad_lines(self):
        model = self.make_model("words.safetensors", "--tokenizer", "whitespace")
        texts = ["the cat", "the <eos>", "cat", "the\n<eos>", "the", "<eos>", "cat the"]
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
        good = [text for text in texts if "<eos>" not in text]
        for state in ["reset", "carry"]:
            flags = ["--quiet", "--state", state]
            out = self.succeed("score", model, "--input", "jsonl", *flags, "--max-bad", "3", stdin=lines).out
            entries = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([entry["text"] for entry in entries], texts)
            self.assertEqual(["error" in entry for entry in entries], ["<eos>" in text for text in texts])
            self.assertIn("<eos>", entries[1]["error"])
            plain = rows(self.succeed("score", model, *flags, stdin="".join(t + "\n" for t in good).encode()).out)
            self.assertEqual([entry["log_prob"] for entry in entries if "error" not in entry],
                             [float(row.split("\t")[0]) for row in plain])
        self.refuse(1, ["standard input, line 1", "<eos>"], "score", model, "--input", "jsonl",
                    stdin=b'{"text": "<eos>"}\n')

    def test_flags_that_do_not_go_with_objects_are_refused(self):
        path = self.write("texts.jsonl", '{"text": "the cat"}\n')
        for flags in [["--json"], ["--tokens"], ["--format", "srilm"], ["--percentile", self.text]]:
            self.refuse(2, [flags[0], "--input lines"], "score", self.model, path, *flags)
        for flags in [["--text-column", "x"], ["--max-bad", "1"]]:
            self.refuse(2, [flags[0], "--input jsonl"], "score", self.model, self.text, *flags)
        self.refuse(2, ["--input"], "score", self.model, path, "--input", "csv")


if __name__ == "__main__":
    main()
