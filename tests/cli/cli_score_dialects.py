#!/usr/bin/env python3
"""The dialects of score: each is read here by a parser of its own, and the rows of all add up to what eval tells."""

import gzip
import json
import math
import random
import re

from command_line import CommandTest, main, rows, run, sentences

LN10 = math.log(10)
LN2 = math.log(2)

POLICIES = [[], ["--no-end"], ["--unk", "skip"], ["--unk", "share", "--unk-words", "5000"],
            ["--no-end", "--unk", "skip"], ["--state", "carry"], ["--state", "carry", "--unk", "skip"]]


def number(text):
    """A log-probability as printed; None where a token does not count."""
    return None if text == "NA" else float(text)


# Each parser takes the output and returns, for each line of text, the natural logarithms of its tokens (None for one
# that does not count), or of the whole line in a list of one. Whatever else a dialect claims is checked on the way.


def parse_plain(out):
    return [[float(row.split("\t")[0])] for row in out.split("\n")[:-1] if not row.startswith("#")]


def parse_tokens(out):
    body = "".join(row + "\n" for row in out.split("\n")[:-1] if not row.startswith("#"))
    lines, current = [], []
    for row in body.split("\n")[:-1]:
        if row:
            current.append(number(row.split("\t")[0]))
        else:
            lines.append(current)
            current = []
    assert not current
    return lines


def parse_json(out):
    lines = []
    for entry in map(json.loads, out.splitlines()):
        lines.append([token["log_prob"] for token in entry["tokens"]])
        assert math.isclose(sum(x for x in lines[-1] if x is not None), entry["log_prob"], abs_tol=1e-9)
    return lines


def parse_surprisal(out):
    header, *body = out.split("\n")[:-1]
    assert header == "sentence_id\ttoken_id\ttoken\tsurprisal"
    lines = {}
    for row in body:
        sentence, token, _, surprisal = row.split("\t")
        line = lines.setdefault(int(sentence), [])
        assert int(token) == len(line) + 1
        line.append(None if surprisal == "NA" else -float(surprisal) * LN2)
    return [lines.get(i + 1, []) for i in range(max(lines))]


def parse_words(out):
    header, *body = out.split("\n")[:-1]
    assert header == "word sentid sentpos wlen surp entropy entred"
    lines, entropies = {}, {}
    for row in body:
        word, sentence, position, length, surprisal, entropy, reduction = row.split(" ")
        line, before = lines.setdefault(int(sentence), []), entropies.get(sentence)
        assert int(position) == len(line)
        assert int(length) == len(word)
        expected = 0 if before is None else max(0, before - float(entropy))
        assert math.isclose(float(reduction), expected, abs_tol=1e-12)
        entropies[sentence] = float(entropy)
        line.append(None if surprisal == "NA" else -float(surprisal) * LN2)
    return [lines.get(i, []) for i in range(max(lines) + 1)]


SRILM_ROW = re.compile(r"\tp\( (\S+) \| (\S+) (\.\.\.)?\) \t= \[(\d+gram|OOV)\] (\S+) \[ (\S+) \]")
SRILM_COUNTS = re.compile(r"(\d+) sentences, (\d+) words, (\d+) OOVs")
SRILM_SUMS = re.compile(r"0 zeroprobs, logprob= (\S+) ppl= (\S+) ppl1= (\S+)")


def check_srilm(counts, sums, tokens):
    """That the two lines of statistics say what the rows say; words and ends of `tokens` are told apart by name."""
    _, words, left_out = map(int, SRILM_COUNTS.fullmatch(counts).groups())
    total, ppl, ppl1 = SRILM_SUMS.fullmatch(sums).groups()
    ends = sum(1 for word, _ in tokens if word == "</s>")
    assert words == len(tokens) - ends
    assert left_out == sum(1 for _, log10 in tokens if log10 is None)
    total_of_rows = sum(log10 for _, log10 in tokens if log10 is not None)
    assert math.isclose(float(total), total_of_rows, rel_tol=1e-9, abs_tol=1e-9), (total, total_of_rows)
    for got, count in [(ppl, words - left_out + ends), (ppl1, words - left_out)]:
        if count == 0:
            assert got == "undefined"
        else:
            assert math.isclose(float(got), 10 ** (-total_of_rows / count), rel_tol=1e-9)


def parse_srilm(out):
    everything = out.split("\n")
    lines, all_tokens, at = [], [], 0
    while not everything[at].startswith("file -: "):
        sentence, tokens, before = everything[at], [], "<s>"
        at += 1
        while everything[at].startswith("\tp( "):
            word, context, _, order, probability, log10 = SRILM_ROW.fullmatch(everything[at]).groups()
            assert context == before
            assert everything[at].split()[9] == log10  # where compute-best-mix looks
            if order == "OOV":
                assert (word, probability, log10) == ("<unk>", "0", "-inf")
                tokens.append((word, None))
            else:
                assert order == f"{len(tokens) + 2}gram"
                assert math.isclose(float(probability), 10 ** float(log10), rel_tol=1e-6)
                tokens.append((word, float(log10)))
            before = word
            at += 1
        assert len(sentence.split()) == len([word for word, _ in tokens if word != "</s>"])
        check_srilm(everything[at], everything[at + 1], tokens)
        assert everything[at].startswith("1 sentences, ") and everything[at + 2] == ""
        at += 3
        lines.append([None if log10 is None else log10 * LN10 for _, log10 in tokens])
        all_tokens += tokens
    counts, sums, end = everything[at:]
    assert end == ""
    check_srilm(counts.removeprefix("file -: "), sums, all_tokens)
    assert counts.startswith(f"file -: {len(lines)} sentences, ")
    return lines


def parse_kenlm(out):
    *body, including, excluding, oovs, total_tokens = out.split("\n")[:-1]
    lines, counted, known, unknown, tokens = [], [], [], 0, 0
    for row in body:
        *fields, last = row.split("\t")
        line = []
        for order, field in enumerate(fields, 2):
            word, length, log10 = field.split(" ")
            identity = int(word.rpartition("=")[2])
            assert int(length) == order
            line.append(float(log10) * LN10)
            (known if identity != 0 else counted).append(float(log10))
            unknown += identity == 0
        tokens += len(fields)
        total, oov = re.fullmatch(r"Total: (\S+) OOV: (\d+)", last).groups()
        assert math.isclose(float(total) * LN10, sum(line), rel_tol=1e-9, abs_tol=1e-9)
        assert int(oov) == sum(1 for field in fields if field.split(" ")[0].endswith("=0"))
        lines.append(line)
    assert oovs == f"OOVs:\t{unknown}" and total_tokens == f"Tokens:\t{tokens}"
    assert math.isclose(float(excluding.removeprefix("Perplexity excluding OOVs:\t")),
                        10 ** (-sum(known) / len(known)), rel_tol=1e-9)
    skipped = sum(1 for value in counted if value == 0)
    assert math.isclose(float(including.removeprefix("Perplexity including OOVs:\t")),
                        10 ** (-(sum(known) + sum(counted)) / (tokens - skipped)), rel_tol=1e-9)
    return lines


def parse_rnnlm(out):
    return [[float(row) * LN10] for row in out.split("\n")[:-1]]


def parse_kaldi(out):
    lines = []
    for i, row in enumerate(out.split("\n")[:-1], 1):
        utterance, *values = row.split(" ")
        assert utterance in (str(i), f"utt-{i}")
        lines.append([float(value) for value in values])
    return lines


PARSERS = {"plain": parse_plain, "tokens": parse_tokens, "json": parse_json, "surprisal": parse_surprisal,
           "words": parse_words, "srilm": parse_srilm, "kenlm": parse_kenlm, "rnnlm": parse_rnnlm,
           "kaldi": parse_kaldi}


def total(lines):
    return math.fsum(value for line in lines for value in line if value is not None)


class Dialects(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chars = cls.make_model("char.safetensors")
        cls.words = cls.make_model("words.safetensors", "--tokenizer", "whitespace", "--min-count", "20")
        cls.bytes = cls.make_model("bytes.safetensors", "--tokenizer", "byte")
        dice = random.Random(5)
        lines = sentences(60, seed=9) + ["", "", "Zebra", "the Zebra sees a \"quoted\" cat = dog", "t"]
        dice.shuffle(lines)
        cls.lines = lines + ["the end."]
        cls.everything = "".join(line + "\n" for line in cls.lines)

    def score(self, model, *flags, text=None, **options):
        threads = [] if "--threads" in flags else ["--threads", "1"]
        return self.succeed("score", model, "--quiet", *threads, *flags,
                            stdin=(text or self.everything).encode("utf-8"), **options).out

    def rows_of(self, name, model, *flags, **options):
        ids = ["--ids", "number"] if name == "kaldi" else []
        return PARSERS[name](self.score(model, "--format", name, *ids, *flags, **options))

    def corpus(self, model, policy, text=None):
        """The sum of ln p that eval tells."""
        state = [] if "--state" in policy else ["--state", "reset"]
        result = json.loads(self.succeed("eval", model, "-", "--exact", "--json", *state, *policy,
                                         stdin=(text or self.everything).encode("utf-8")).out)
        return -result["nats_per_token"] * result["tokens"], result["tokens"]

    def test_the_rows_of_every_dialect_add_up_to_what_eval_tells_under_the_same_policy(self):
        with_blank = [name for name in PARSERS if name != "srilm"]
        of_characters = [name for name in with_blank if name != "words"]
        for model, names, policies in [(self.words, with_blank, POLICIES), (self.chars, of_characters, POLICIES[::4])]:
            for policy in policies:
                expected, tokens = self.corpus(model, policy)
                for name in names:
                    with self.subTest(model=model.name, policy=policy, dialect=name):
                        lines = self.rows_of(name, model, *policy)
                        self.assertEqual(len(lines), len(self.lines))
                        self.assertLessEqual(abs(total(lines) - expected), 1e-9 * abs(expected))
                        if name in ("tokens", "json", "surprisal", "words"):
                            counted = sum(1 for line in lines for value in line if value is not None)
                            self.assertEqual(counted, tokens)

    def test_srilms_sums_are_those_of_eval_without_blank_lines(self):
        filled = "".join(line + "\n" for line in self.lines if line)
        for model, policies in [(self.words, POLICIES), (self.chars, POLICIES[:1])]:
            for policy in policies:
                expected, tokens = self.corpus(model, policy, filled)
                lines = self.rows_of("srilm", model, *policy, text=filled)
                self.assertEqual(len(lines), len(filled.splitlines()))
                self.assertLessEqual(abs(total(lines) - expected), 1e-9 * abs(expected))
                self.assertEqual(sum(1 for line in lines for value in line if value is not None), tokens)
        blank = self.everything.replace("\n\n", "\n \t\r\n\n")
        self.assertEqual(self.score(self.words, "--format", "srilm", text=blank),
                         self.score(self.words, "--format", "srilm", text=filled))

    def test_rows_of_bytes_are_utf8(self):
        for name in ["surprisal", "tokens", "srilm", "kenlm"]:
            done = self.succeed("score", self.bytes, "--format", name, "--quiet", stdin="\u00e9 \u2603\n".encode("utf-8"))
            self.assertIn("\\xc3", done.raw.decode("utf-8"))
            self.assertIn("\\xa9", done.raw.decode("utf-8"))

    def test_all_dialects_tell_the_same_of_every_token(self):
        for policy in POLICIES[1:4]:
            every = self.rows_of("json", self.words, *policy)
            for name in ["tokens", "surprisal", "words", "srilm", "kenlm", "kaldi"]:
                got = self.rows_of(name, self.words, *policy)
                expected = every if name != "srilm" else [row for row, line in zip(every, self.lines) if line]
                self.assertEqual([len(line) for line in got], [len(line) for line in expected])
                for line, other in zip(got, expected):
                    for value, known in zip(line, other):
                        if known is None:
                            self.assertIn(value, [None, 0])
                        else:
                            self.assertAlmostEqual(value, known, delta=1e-9)
            sums = [sum(value or 0 for value in line) for line in every]
            for name in ["plain", "rnnlm"]:
                for value, known in zip(self.rows_of(name, self.words, *policy), sums):
                    self.assertAlmostEqual(value[0], known, delta=1e-9)

    def test_skipped_tokens_are_the_unknown_ones_and_eval_agrees_with_its_own_figure(self):
        scored = [json.loads(line) for line in self.score(self.words, "--json").splitlines()]
        skipped = [json.loads(line) for line in self.score(self.words, "--json", "--unk", "skip").splitlines()]
        self.assertGreater(sum(entry["unknown_tokens"] for entry in scored), 3)
        for one, other in zip(scored, skipped):
            self.assertEqual(one["unknown_tokens"], sum(token["log_prob"] is None for token in other["tokens"]))
            for token, same in zip(one["tokens"], other["tokens"]):
                if same["log_prob"] is not None:
                    self.assertEqual(token, same)
        text = self.write("text.txt", self.everything)
        whole = json.loads(self.succeed("eval", self.words, text, "--json").out)
        without = json.loads(self.succeed("eval", self.words, text, "--json", "--unk", "skip").out)
        self.assertAlmostEqual(whole["perplexity_without_unknown"], without["perplexity"], delta=1e-9)
        self.assertEqual(whole["unknown_tokens"], without["unknown_tokens"])
        self.assertEqual(whole["tokens"] - whole["unknown_tokens"], without["tokens"])
        self.assertEqual((whole["unknown"], without["unknown"]), ("score", "skip"))

    def test_a_shared_unk_costs_the_logarithm_of_the_number_of_words(self):
        scored, shared = (self.rows_of("json", self.words, *policy)
                          for policy in ([], ["--unk", "share", "--unk-words", "300"]))
        unknown = [entry["unknown_tokens"] for entry in map(json.loads, self.score(self.words, "--json").splitlines())]
        for one, other, count in zip(scored, shared, unknown):
            self.assertAlmostEqual(sum(one) - count * math.log(300), sum(other), delta=1e-9)

    def test_a_context_is_what_the_line_is_conditioned_on(self):
        context = "the cat sees "
        whole = self.rows_of("tokens", self.chars, text="".join(context + line + "\n" for line in self.lines))
        after = self.rows_of("tokens", self.chars, "--context", context)
        self.assertEqual(after, [line[len(context):] for line in whole])
        self.assertIn('begin \\n and "the cat sees " (read, not scored)', self.score(self.chars, "--context", context))

    def test_policy_and_unit_are_told_where_the_format_has_room_for_them(self):
        for name in PARSERS:
            if name == "words":
                continue
            done = self.succeed("score", self.chars, "--format", name, stdin=b"t the cat\n")
            words = ["policy: state reset; begin \\n (read, not scored); end \\n (scored); unknown scored as <unk>"]
            words += ["surprisal: -log2 p (bits)" if name == "surprisal" else
                      "log base: 10" if name in ("srilm", "kenlm", "rnnlm") else "log base: e (nats)"]
            place = done.out if name in ("plain", "tokens") else done.err
            for word in words:
                self.assertIn(word, place)
            if name not in ("plain", "tokens"):
                self.assertNotIn("policy", done.out)
                quiet = self.succeed("score", self.chars, "--format", name, "--quiet", stdin=b"t the cat\n")
                self.assertEqual((quiet.out, quiet.err), (done.out, ""))
                headed = self.succeed("score", self.chars, "--format", name, "--header", stdin=b"t the cat\n")
                self.assertEqual(headed.err, "")
                self.assertTrue(headed.out.startswith("# policy: "))
                self.assertTrue(headed.out.endswith(done.out))

    def test_formats_and_their_short_forms_are_the_same(self):
        self.assertEqual(self.score(self.chars), self.score(self.chars, "--format", "plain"))
        for name in ["tokens", "json"]:
            self.assertEqual(self.score(self.chars, f"--{name}"), self.score(self.chars, "--format", name))

    def test_a_line_gets_the_same_numbers_in_any_company(self):
        for name in ["surprisal", "kenlm", "rnnlm", "kaldi"]:
            expected = dict(zip(self.lines, self.rows_of(name, self.words)))
            shuffled = self.lines * 3
            random.Random(1).shuffle(shuffled)
            text = "".join(line + "\n" for line in shuffled)
            for threads in ["1", "3"]:
                got = self.rows_of(name, self.words, "--threads", threads, text=text)
                self.assertEqual(got, [expected[line] for line in shuffled])

    def test_batches_end_anywhere_and_change_nothing(self):
        # More lines and more bytes than a batch takes, a long line among them.
        lines = ["t"] * 17000 + sentences(10) + ["the cat " * 40000] + [""] * 10 + sentences(10) * 300
        text = "".join(line + "\n" for line in lines)
        expected = {line: self.score(self.chars, "--format", "rnnlm", text=line + "\n") for line in set(lines)}
        self.assertEqual(self.score(self.chars, "--format", "rnnlm", text=text), "".join(expected[x] for x in lines))
        packed = self.folder / "text.gz"
        packed.write_bytes(gzip.compress(text.encode("utf-8")))
        self.assertEqual(self.succeed("score", self.chars, packed, "--format", "rnnlm").out,
                         "".join(expected[x] for x in lines))

    def test_a_word_table_is_for_words(self):
        self.refuse(2, ["words", "char", "--words"], "score", self.chars, "--format", "words", stdin=b"a\n")

    def test_kaldi_lines_begin_with_their_ids(self):
        table = "".join(f"utt-{i} {line}\n" for i, line in enumerate(self.lines, 1))
        for model in [self.words, self.chars]:
            with_ids = self.score(model, "--format", "kaldi", text=table)
            self.assertEqual(parse_kaldi(with_ids), self.rows_of("kaldi", model))
            self.assertTrue(with_ids.startswith("utt-1 "))
        # An id alone is an empty sentence; \r ends an id too.
        for line in ["utt-1\n", "utt-1 \n", "utt-1\r\n"]:
            self.assertEqual(self.score(self.words, "--format", "kaldi", text=line).split(" ")[1:],
                             self.score(self.words, "--format", "kaldi", "--ids", "number", text="\n").split(" ")[1:])

    def test_ids_that_are_missing_or_came_before_are_named(self):
        done = run("score", self.words, "--format", "kaldi", "--quiet", stdin=b"a the cat\nb the dog\n \nc the\n")
        self.assertEqual(done.status, 1)
        self.assertEqual(len(done.out.splitlines()), 2)
        self.assertIn("standard input, line 3: there is no id", done.err)
        path = self.write("plain.txt", "the cat sees\n a dog\n  the king sees\nmore\n")
        done = run("score", self.words, path, "--format", "kaldi", "--quiet")
        self.assertEqual(done.status, 1)
        self.assertEqual(len(done.out.splitlines()), 2)
        for word in [f"'{path}', line 3, column 3", '"the"', "--ids number"]:
            self.assertIn(word, done.err)

    def test_a_line_that_cannot_be_read_is_named_with_its_file_and_byte(self):
        path = self.write("bad.txt", b"the cat\n\nthe \xff dog\nthe end\n")
        for name in ["plain", "srilm", "surprisal", "rnnlm"]:
            done = run("score", self.words, path, "--format", name, "--quiet")
            self.assertEqual(done.status, 1)
            self.assertIn(f"'{path}', line 3", done.err)
            self.assertIn("byte 4", done.err)
            good = self.score(self.words, "--format", name, text="the cat\n\n")
            self.assertTrue(good.startswith(done.out) if name == "srilm" else done.out == good)
        done = run("score", self.words, "--format", "kaldi", "--quiet", stdin=b"utt-1 a \xff\n")
        self.assertIn("standard input, line 1", done.err)
        self.assertIn("counted after the line's id", done.err)

    def test_line_ends_of_both_kinds(self):
        mixed = "the cat\r\nthe dog\n\r\nthe cat\n"
        plain = "the cat\nthe dog\n\nthe cat\n"
        for name in PARSERS:
            self.assertEqual(self.rows_of(name, self.words, text=mixed), self.rows_of(name, self.words, text=plain))
        tokens = [row.split("\t")[2] for row in self.score(self.bytes, "--format", "surprisal", text="t\r\n").splitlines()]
        self.assertEqual(tokens, ["token", "t", "\\r", "\\n"])

    def test_tokens_that_are_blanks_stay_one_field(self):
        text = "a b\tc\n"
        self.assertIn("\tp( \\s | a ...) \t= ", self.score(self.bytes, "--format", "srilm", text=text))
        self.assertTrue(self.score(self.bytes, "--format", "kenlm", text=text).startswith("a=97 2 "))
        self.assertIn("\t\\s=32 3 ", self.score(self.bytes, "--format", "kenlm", text=text))
        self.assertIn("\t\\t=9 5 ", self.score(self.bytes, "--format", "kenlm", text=text))

    def test_nothing_to_score_is_no_error(self):
        empty = self.write("empty.txt", "")
        out = {name: self.succeed("score", self.words, empty, "--format", name).out for name in PARSERS}
        self.assertEqual(rows(out["plain"]), [])
        self.assertEqual(out["json"], "")
        self.assertEqual(out["surprisal"].count("\n"), 1)
        self.assertTrue(out["srilm"].endswith("logprob= 0 ppl= undefined ppl1= undefined\n"))
        self.assertEqual((out["rnnlm"], out["kaldi"]), ("", ""))
        self.assertEqual(out["kenlm"], "Perplexity including OOVs:\tNaN\nPerplexity excluding OOVs:\tNaN\nOOVs:\t0\n"
                                       "Tokens:\t0\n")

    def test_flags_that_do_nothing_are_refused(self):
        for words, flags in [(["--unk-words", "--unk share"], ["--unk-words", "3"]),
                             (["--unk-words"], ["--unk", "share"]),
                             (["--unk"], ["--unk", "drop"]),
                             (["--unk-words"], ["--unk", "share", "--unk-words", "0"]),
                             (["--ids", "kaldi"], ["--ids", "first"]),
                             (["--ids"], ["--format", "kaldi", "--ids", "last"]),
                             (["--context", "carry"], ["--context", "a", "--state", "carry"]),
                             (["--log-base", "srilm"], ["--format", "srilm", "--log-base", "2"]),
                             (["--format", "kenlm"], ["--format", "kenlM"]),
                             (["--format", "--json"], ["--format", "srilm", "--json"])]:
            self.refuse(2, words, "score", self.chars, *flags, stdin=b"a\n")
        self.refuse(2, ["cache"], "score", self.chars, "--context", "a", "--cache", stdin=b"a\n")
        self.refuse(1, ["the context"], "score", self.chars, "--context", b"a\xff", stdin=b"a\n")
        self.refuse(2, ["--unk"], "eval", self.chars, self.text, "--unk", "drop")
        self.refuse(2, ["--pairs", "--unk"], "eval", self.chars, "--pairs", self.text, "--unk", "skip")


if __name__ == "__main__":
    main()
