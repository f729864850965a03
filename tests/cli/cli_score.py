#!/usr/bin/env python3
"""Scoring from the command line: formats, policies, and the same bits wherever a line stands."""

import gzip
import json
import math
import os
import random
import select
import subprocess
import time

from command_line import PATIENCE, UNROLL, CommandTest, main, rows, run, sentences


class Score(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("char.safetensors")
        cls.words = cls.make_model("words.safetensors", "--tokenizer", "whitespace")
        cls.bytes = cls.make_model("bytes.safetensors", "--tokenizer", "byte")
        cls.lines = sorted(set(sentences(40, seed=7))) + ["", "t", "the cat sees the dog. " * 30]

    def score(self, text, *flags, model=None, **options):
        return self.succeed("score", model or self.model, "--quiet", *flags, stdin=text.encode("utf-8"), **options).out

    def all_lines(self):
        return "".join(line + "\n" for line in self.lines)

    def test_plain_output_is_headers_and_one_row_for_each_line(self):
        out = self.score(self.all_lines())
        header = [line for line in out.splitlines() if line.startswith("#")]
        self.assertTrue(out.startswith("# policy: "))
        self.assertIn("state reset", header[0])
        self.assertIn("end \\n (scored)", header[0])
        self.assertEqual(header[1:], ["# log base: e (nats)", "# columns: log_prob tokens text (tab-separated)"])
        body = out.split("\n")[3:-1]
        self.assertEqual(len(body), len(self.lines))
        for row, line in zip(body, self.lines):
            log_prob, tokens, text = row.split("\t")
            self.assertEqual(text, line)
            self.assertEqual(int(tokens), len(line) + 1)
            self.assertLess(float(log_prob), 0)
            self.assertTrue(math.isfinite(float(log_prob)))

    def test_an_adaptation_without_effect_changes_no_byte(self):
        nothing = ["--temperature", "1", "--cache", "--cache-weight", "0", "--dynamic", "--dynamic-rate", "0"]
        for form in [[], ["--tokens"], ["--json"], ["--state", "carry"]]:
            self.assertEqual(self.score(self.all_lines(), *form), self.score(self.all_lines(), *form, *nothing))

    def test_a_cache_goes_on_from_line_to_line(self):
        line = self.lines[0] + "\n"
        out = self.score(line * 3, "--cache")
        self.assertIn("# adaptation: cache size 500, theta 0.5, weight 0.15; over all lines, in order\n", out)
        values = [float(row.split("\t")[0]) for row in rows(out)]
        self.assertLess(values[0], values[1])
        self.assertEqual(len(set(values)), 3)
        tokens = self.score(line * 3, "--cache", "--tokens")
        sums = [sum(float(row.split("\t")[0]) for row in block.split("\n") if not row.startswith("#"))
                for block in tokens.split("\n\n")[:-1]]
        for value, total in zip(values, sums):
            self.assertAlmostEqual(value, total, delta=1e-9)

    def test_token_rows_add_up_to_the_row_of_the_line(self):
        for model in [self.model, self.words, self.bytes]:
            plain = rows(self.score(self.all_lines(), model=model))
            tokens = self.score(self.all_lines(), "--tokens", model=model)
            body = tokens.split("\n\n")
            blocks = ["\n".join(row for row in block.split("\n") if not row.startswith("#")) for block in body[:-1]]
            self.assertEqual(body[-1], "")
            self.assertEqual(len(blocks), len(self.lines))
            for row, block in zip(plain, blocks):
                log_prob, count, _ = row.split("\t")
                cells = [entry.split("\t") for entry in block.split("\n")]
                self.assertEqual(len(cells), int(count))
                self.assertAlmostEqual(sum(float(cell[0]) for cell in cells), float(log_prob), delta=1e-9 * len(cells))
                for cell in cells:
                    self.assertGreaterEqual(int(cell[1]), 1)
                    self.assertGreaterEqual(float(cell[2]), 0)
                self.assertEqual(cells[-1][3], "<eos>" if model == self.words else "\\n")

    def test_json_says_the_same_as_the_rows(self):
        out = self.score(self.all_lines(), "--json")
        objects = [json.loads(line) for line in out.splitlines()]
        plain = rows(self.score(self.all_lines()))
        self.assertEqual([entry["text"] for entry in objects], self.lines)
        for entry, row in zip(objects, plain):
            self.assertEqual(entry["log_base"], "e")
            self.assertEqual(entry["log_prob"], float(row.split("\t")[0]))
            self.assertEqual(entry["unknown_tokens"], 0)
            self.assertEqual([token["offset"] for token in entry["tokens"]], list(range(len(entry["text"]) + 1)))
            self.assertEqual("".join(token["text"] for token in entry["tokens"]), entry["text"] + "\n")
            self.assertEqual(set(entry["tokens"][0]), {"text", "log_prob", "rank", "entropy", "offset"})

    def test_other_bases_are_the_same_logarithms(self):
        nats = [float(row.split("\t")[0]) for row in rows(self.score(self.all_lines()))]
        for base, scale, words in [("2", math.log(2), "2 (bits)"), ("10", math.log(10), "10"), ("e", 1, "e (nats)")]:
            out = self.score(self.all_lines(), "--log-base", base)
            self.assertIn(f"# log base: {words}\n", out)
            for value, row in zip(nats, rows(out)):
                self.assertAlmostEqual(float(row.split("\t")[0]) * scale, value, delta=1e-12 * abs(value))

    def test_without_the_end_the_boundary_is_left_out(self):
        whole = [json.loads(line) for line in self.score(self.all_lines(), "--json").splitlines()]
        out = self.score(self.all_lines(), "--no-end")
        self.assertIn("end not scored", out)
        body = out.split("\n")[3:-1]
        for entry, row in zip(whole, body):
            log_prob, tokens, _ = row.split("\t")
            self.assertEqual(int(tokens), len(entry["tokens"]) - 1)
            rest = sum(token["log_prob"] for token in entry["tokens"][:-1])
            self.assertAlmostEqual(float(log_prob), rest, delta=1e-9 * max(1, len(entry["tokens"])))
        self.assertEqual(self.score("\n", "--no-end").split("\n")[3], "0\t0\t")

    def test_a_line_gets_the_same_bits_wherever_it_stands(self):
        for model in [self.model, self.words]:
            expected = dict(zip(self.lines, rows(self.score(self.all_lines(), model=model))))
            dice = random.Random(3)
            for threads in ["1", "2", "3"]:
                shuffled = self.lines * 2
                dice.shuffle(shuffled)
                out = self.score("".join(line + "\n" for line in shuffled), "--threads", threads, model=model)
                self.assertEqual(rows(out), [expected[line] for line in shuffled])
            for line in self.lines[::7] + self.lines[-3:]:
                self.assertEqual(rows(self.score(line + "\n", model=model)), [expected[line]])
            path = self.write("lines.txt", self.all_lines())
            from_file = self.succeed("score", model, path, "--quiet").out
            self.assertEqual(rows(from_file), list(expected.values()))

    def test_a_carried_state_changes_the_second_line_and_not_the_first(self):
        text = self.all_lines()
        reset, carry = rows(self.score(text)), rows(self.score(text, "--state", "carry"))
        self.assertEqual(reset[0], carry[0])
        self.assertNotEqual(reset[1], carry[1])
        self.assertIn("state carry", self.score(text, "--state", "carry"))
        # Where the pipe pauses must not matter to what is carried.
        process = subprocess.Popen([UNROLL, "score", self.model, "--state", "carry"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        for line in self.lines[:6]:
            process.stdin.write(line.encode("utf-8") + b"\n")
            process.stdin.flush()
            time.sleep(0.02)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(rows(out.decode("utf-8")), carry[:6])

    def test_a_line_from_a_pipe_is_answered_before_the_next_one_comes(self):
        process = subprocess.Popen([UNROLL, "score", self.model], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            for line in self.lines[:3]:
                process.stdin.write(line.encode("utf-8") + b"\n")
                process.stdin.flush()
                got = b""
                while not got.endswith(f"\t{line}\n".encode("utf-8")):
                    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
                    self.assertTrue(ready, "no answer")
                    block = os.read(process.stdout.fileno(), 1 << 16)
                    self.assertTrue(block, "the program ended")
                    got += block
        finally:
            process.stdin.close()
            process.stdout.close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_the_last_line_needs_no_newline_and_nothing_makes_no_row(self):
        self.assertEqual(rows(self.score("the cat")), rows(self.score("the cat\n")))
        self.assertEqual(rows(self.score("")), [])
        self.assertEqual(len(self.score("\n\n").split("\n")[3:-1]), 2)

    def test_tokens_are_escaped(self):
        text = self.write("odd.txt", "a\tb\\c\r\n\0 the\n" * 60)
        model = self.make_model("odd.safetensors", text=text)
        line = "a\tb\\c\r"
        out = self.score(line + "\n\0\n", "--tokens", model=model)
        tokens = [row.split("\t")[3] for row in rows(out)]
        self.assertEqual(tokens, ["a", "\\t", "b", "\\\\", "c", "\\r", "\\n", "\\0", "\\n"])
        self.assertEqual(rows(self.score(line + "\n", model=model))[0].split("\t", 2)[2], line)
        self.assertEqual(json.loads(self.score(line + "\n", "--json", model=model))["text"], line)

    def test_tokens_act_on_no_terminal_and_are_utf8(self):
        line = "\x1b[31m\u202e\u00e9\x7f\u2028".encode("utf-8") + b"\xff"
        done = self.succeed("score", self.bytes, "--tokens", "--quiet", stdin=line + b"\n")
        tokens = [row.split("\t")[3] for row in rows(done.raw.decode("utf-8"))]
        self.assertEqual(tokens[:5], ["\\x1b", "[", "3", "1", "m"])
        self.assertEqual(tokens[5:], [f"\\x{byte:02x}" for byte in line[5:]] + ["\\n"])
        text = line[:-1].decode("utf-8")
        done = self.succeed("score", self.model, "--tokens", "--quiet", stdin=line[:-1] + b"\n")
        shown = [row.split("\t")[3] for row in rows(done.raw.decode("utf-8"))]
        for token, character in zip(shown, text):
            bare = character.isascii() and character.isprintable() or character == "\u00e9"
            expected = character if bare else "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8"))
            self.assertEqual(token, expected)
        done = self.succeed("score", self.model, "--json", "--quiet", stdin=line[:-1] + b"\n")
        self.assertEqual(json.loads(done.out)["text"], text)
        self.assertNotRegex(done.out, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]")
        self.refuse(1, ["no\\x1b[31m\\xe2\\x80\\xae\\xff"], "score", self.model, b"no\x1b[31m\xe2\x80\xae\xff")

    def test_a_byte_order_mark_is_no_part_of_the_text_and_utf16_is_told(self):
        for model in [self.model, self.words, self.bytes]:
            self.assertEqual(self.score("\ufeffthe cat\nthe dog\n", model=model), self.score("the cat\nthe dog\n", model=model))
        marked = self.write("marked.txt", "\ufeffthe cat\nthe dog\n")
        found = json.loads(self.succeed("eval", self.words, marked, "--json").out)
        self.assertEqual((found["tokens"], found["unknown_tokens"]), (6, 0))
        for coding in ["utf-16", "utf-32"]:
            wide = self.write("wide.txt", "the cat\n".encode(coding))
            done = run("score", self.words, wide)
            self.assertEqual(done.status, 1)
            for words in ["wide.txt' is " + coding.upper(), f"iconv -f {coding.upper()} -t UTF-8"]:
                self.assertIn(words, done.err)
            self.succeed("score", self.bytes, wide)

    def test_line_ends_of_two_bytes_change_nothing_where_the_model_knows_one_of_them(self):
        text = "".join(line + "\n" for line in self.lines[:6])
        returns = text.replace("\n", "\r\n")
        for model in [self.model, self.words]:
            for flags in [["--format", "rnnlm"], ["--tokens"], ["--words", "--budget", "2"]]:
                self.assertEqual(self.score(returns, *flags, model=model), self.score(text, *flags, model=model))
            values = [json.loads(self.succeed("eval", model, "-", "--json", stdin=content.encode()).out)["nats_per_token"]
                      for content in (text, returns)]
            self.assertEqual(*values)
        ends = [row.split(" ")[0] for row in rows(self.score("the cat\r\n", "--words", "--budget", "2", model=self.bytes))]
        self.assertEqual(ends[1:], ["the", "cat", "\\r\\n"])

    def test_unknown_tokens_of_a_context_are_told(self):
        done = self.succeed("score", self.words, "--context", "the zebra", stdin=b"the cat\n")
        self.assertIn("1 of 2 tokens of --context is unknown", done.err)
        self.assertNotIn("--context", self.succeed("score", self.words, "--context", "the", stdin=b"the cat\n").err)

    def test_gzip_with_something_behind_it_is_read_with_a_warning(self):
        packed = self.write("lines.gz", gzip.compress(b"the cat\n") + b"junk")
        done = self.succeed("score", self.model, packed)
        self.assertEqual(rows(done.out), rows(self.score("the cat\n")))
        self.assertIn("unroll: warning: '", done.err)
        self.assertIn("lines.gz': what follows the gzip data is not gzip", done.err)
        self.assertEqual(self.succeed("score", self.model, packed, "--quiet").err, "")

    def test_bytes_that_are_no_text_are_listed(self):
        done = self.succeed("score", self.bytes, "--json", stdin=b"a\xc3\xa9\xff\n")
        entry = json.loads(done.out)
        self.assertEqual(entry["text"], "a\u00e9\ufffd")
        self.assertEqual(entry["bytes"], [97, 195, 169, 255])
        self.assertNotIn("bytes", entry["tokens"][0])
        self.assertEqual([token.get("bytes") for token in entry["tokens"]], [None, [195], [169], [255], None])
        self.assertTrue(all("\ufffd" in token["text"] for token in entry["tokens"][1:4]))

    def test_unknown_symbols_are_counted_and_told(self):
        done = self.succeed("score", self.model, "--json", stdin="the Zebra \u20ac\n".encode("utf-8"))
        told = json.loads(done.out)
        self.assertEqual((told["unknown_tokens"], sum(token.get("unknown", False) for token in told["tokens"])), (2, 2))
        self.assertIn("2 of 12 tokens are unknown", done.err)

    def test_a_line_that_cannot_be_read_ends_it_after_the_rows_before(self):
        good = "".join(line + "\n" for line in self.lines[:3])
        for flags in [[], ["--state", "carry"]]:
            done = run("score", self.model, *flags, stdin=good.encode("utf-8") + b"ab\xffc\nthe end\n")
            self.assertEqual(done.status, 1)
            self.assertEqual(rows(done.out), rows(self.score(good, *flags)))
            self.assertIn("line 4", done.err)
            self.assertIn("byte", done.err)

    def test_output_that_cannot_be_written_is_an_error_and_a_reader_that_leaves_is_none(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([UNROLL, "score", self.model], input=b"the cat\n", stdout=full,
                                     stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"No space", process.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([UNROLL, "score", self.model], input=b"the cat\n", stdout=writer,
                                 stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        os.close(writer)
        self.assertEqual((process.returncode, process.stderr), (0, b""))

    def test_numbers_do_not_depend_on_the_locale(self):
        expected = self.score(self.all_lines(), "--tokens")
        for locale in ["de_DE.UTF-8", "C", "C.UTF-8"]:
            self.assertEqual(self.score(self.all_lines(), "--tokens", environment={"LC_ALL": locale}), expected)

    def test_the_model_may_be_a_flag(self):
        expected = self.score("the cat\n")
        for flag in ["--model", "-m"]:
            out = self.succeed("score", flag, self.model, stdin=b"the cat\n").out
            self.assertEqual(out, expected)


if __name__ == "__main__":
    main()
