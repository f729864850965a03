#!/usr/bin/env python3
"""N-best lists from the command line: every format in and out, weights, errors, hostile lists."""

import gzip
import json
import math
import random

from command_line import CommandTest, main, run, sentences

COLUMNS = ["--columns", "id,rank,score,text"]


def lists(count, hypotheses, seed=3):
    """Lists of (id, [(score, text)]); the first text of a list is right, and not always that of the best score."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        right = sentences(1, seed=seed * 1000 + number)[0]
        texts = [right]
        while len(texts) < hypotheses:
            words = right.split()
            words[dice.randrange(len(words))] = dice.choice(["the", "cat", "sees", "again.", "zebra"])
            texts.append(" ".join(words))
        scored = [(round(-dice.random(), 3), text) for text in texts]
        made.append((f"u{number}", sorted(scored, reverse=True), right))
    return made


class Rescore(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace")

    def score(self, text, *flags):
        done = self.succeed("score", self.model, "--json", *flags, stdin=text.encode() + b"\n")
        return json.loads(done.out)["log_prob"]

    def rescore(self, *arguments, **options):
        return self.succeed("rescore", self.model, *arguments, "--quiet", **options)

    def tsv(self, made, name="lists.tsv"):
        return self.write(name, "".join(f"{id}\t{rank}\t{score}\t{text}\n" for id, scored, _ in made
                                        for rank, (score, text) in enumerate(scored, 1)))

    def references(self, made, name="references"):
        return self.write(name, "".join(f"{id} {right}\n" for id, _, right in made))

    def test_numbers_are_those_of_score_and_the_equation(self):
        made = lists(7, 4)
        out = self.rescore(self.tsv(made), *COLUMNS, "--lm-weight", "0.3", "--word-weight", "-2").out
        rows = [line.split("\t") for line in out.splitlines()]
        self.assertEqual(len(rows), 28)
        for row in rows:
            lm = self.score(row[3])
            self.assertEqual(float(row[4]), lm)
            self.assertEqual(float(row[5]), float(row[2]) + 0.3 * lm + -2.0 * len(row[3].split()))
        flags = ["--no-end", "--unk", "share", "--unk-words", "50", "--context", "the cat"]
        for line in self.rescore(self.tsv(made), *COLUMNS, *flags).out.splitlines()[:3]:
            self.assertEqual(float(line.split("\t")[4]), self.score(line.split("\t")[3], *flags))

    def test_every_format_comes_back_byte_for_byte_but_for_the_numbers(self):
        lm = self.score("the cat")
        cases = [
            ("moses", b"0 |||  the cat  ||| F= 1  ||| -2 ||| \xff\r\n",
             f"0 |||  the cat  ||| F= 1 unroll= {lm!r}  ||| {-2 + lm!r} ||| ".encode() + b"\xff\r\n"),
            ("srilm", b" -2  -3 2  the cat \r\n", f" -2  {lm / math.log(10)!r} 2  the cat \r\n".encode()),
            ("json", b'{"x":"\xc3\xa9 ", "id" : 3,"text":"the cat" , "total":9}\r\n',
             f'{{"x":"\u00e9 ", "id" : 3,"text":"the cat" , "total":{lm!r},"lscore":{lm!r}}}\r\n'.encode()),
        ]
        for name, given, expected in cases:
            with self.subTest(name):
                self.assertEqual(self.rescore(self.write("l", given), "--format", name).raw, expected)
        given = b"u\xfe\t1\t-2\tthe cat\r\nu\xfe\t2\t-2.0\tthe  cat\n"
        back = self.rescore(self.write("l", given), *COLUMNS).raw
        self.assertEqual(back, f"X\t1\t-2\tthe cat\t{lm!r}\t{-2 + lm!r}\r\nX\t2\t-2.0\tthe  cat\t{lm!r}\t{-2 + lm!r}\n"
                         .encode().replace(b"X", b"u\xfe"))

    def test_lists_come_from_pipes_and_gzip_and_several_files(self):
        made = lists(9, 3)
        path = self.tsv(made)
        whole = self.rescore(path, *COLUMNS).raw
        self.assertEqual(self.rescore("-", *COLUMNS, stdin=path.read_bytes()).raw, whole)
        packed = self.write("lists.gz", gzip.compress(path.read_bytes()))
        self.assertEqual(self.rescore(packed, *COLUMNS).raw, whole)
        other = self.tsv(lists(2, 3, seed=8), "other.tsv")
        self.assertEqual(self.rescore(path, other, *COLUMNS).raw, whole + self.rescore(other, *COLUMNS).raw)

    def test_threads_and_company_change_no_byte(self):
        path = self.tsv(lists(40, 5))
        one = self.rescore(path, *COLUMNS, "--threads", "1").raw
        self.assertEqual(self.rescore(path, *COLUMNS, "--threads", "3").raw, one)
        lines = path.read_bytes().splitlines(keepends=True)
        alone = self.rescore("-", *COLUMNS, stdin=b"".join(lines[5:10])).raw
        self.assertEqual(alone.splitlines(), one.splitlines()[5:10])

    def test_the_best_and_the_order_are_those_of_the_totals(self):
        made = lists(12, 5)
        path = self.tsv(made)
        flags = [*COLUMNS, "--lm-weight", "0.7"]
        rows = [line.split("\t") for line in self.rescore(path, *flags).out.splitlines()]
        expected = []
        for first in range(0, len(rows), 5):
            expected += sorted(rows[first:first + 5], key=lambda row: -float(row[5]))
        reranked = [line.split("\t") for line in self.rescore(path, *flags, "--rerank").out.splitlines()]
        self.assertEqual([row[2:] for row in reranked], [row[2:] for row in expected])
        self.assertEqual([row[1] for row in reranked], ["1", "2", "3", "4", "5"] * 12)
        best = self.rescore(path, *flags, "--best").out.splitlines()
        self.assertEqual(best, [f"{row[0]}\t{row[3]}" for row in expected[::5]])
        rnnlm = self.write("r", "a the\na the cat\nb\n")
        self.assertEqual(self.rescore(rnnlm, "--format", "rnnlm", "--best", "--word-weight", "1000").out, "a the cat\nb\n")
        kaldi = self.write("k", "a-1 the\na-2 the cat\nb-1\n")
        self.assertEqual(self.rescore(kaldi, "--format", "kaldi", "--rerank", "--word-weight", "1000").out,
                         "a-2 the cat\na-1 the\nb-1\n")

    def test_the_model_may_see_lower_case(self):
        upper = self.write("u", "u\tTHE CAT\n")
        out = self.rescore(upper, "--columns", "id,text", "--lowercase").out
        self.assertEqual(out.split("\t")[:2], ["u", "THE CAT"])
        self.assertEqual(float(out.split("\t")[2]), self.score("the cat"))
        self.assertNotEqual(self.rescore(upper, "--columns", "id,text").out, out)

    def test_srilms_pauses_and_noise_are_left_out(self):
        path = self.write("s.nbest", "-2 -3 2 <s> -pau- the [laugh] cat -pau- </s>\n")
        noise = self.write("noise", "## noises\n[laugh]\n")
        out = self.rescore(path, "--format", "srilm", "--noise-vocab", noise).out
        self.assertEqual(out, f"-2 {self.score('the cat') / math.log(10)!r} 2 <s> -pau- the [laugh] cat -pau- </s>\n")
        report = json.loads(self.rescore(path, "--format", "srilm", "--noise-vocab", noise, "--json", "--references",
                                         self.write("r", "s.nbest the cat\n")).out)
        self.assertEqual(report["words"]["first"]["errors"], 0)
        self.refuse(2, ["--noise-vocab"], "rescore", self.model, path, "--format", "moses", "--noise-vocab", noise)

    def test_an_old_score_is_mixed_in(self):
        path = self.write("l", "u\t-1\t-8.5\tthe cat\n")
        out = self.rescore(path, "--columns", "id,score,lscore,text", "--lambda", "0.25").out.split("\t")
        self.assertEqual(float(out[2]), 0.25 * self.score("the cat") + 0.75 * -8.5)
        self.refuse(1, ["line 1, column 1", "no lscore", "--lambda 0.5"], "rescore", self.model,
                    self.write("x", "u\tthe\n"), "--columns", "id,text", "--lambda", "0.5")

    def test_errors_are_counted_and_weights_are_found(self):
        made = lists(60, 5)
        path, right = self.tsv(made), self.references(made)
        report = lambda *flags: json.loads(self.rescore(path, *COLUMNS, "--references", right, "--json", *flags).out)
        plain = report("--lm-weight", "0")
        first = sum(text != reference for _, scored, reference in made for text in [scored[0][1]])
        self.assertEqual(plain["words"]["first"], plain["words"]["rescored"])
        self.assertGreaterEqual(plain["words"]["first"]["errors"], first)
        self.assertEqual(plain["words"]["first"]["of"], sum(len(reference.split()) for _, _, reference in made))
        self.assertEqual(plain["words"]["oracle"]["errors"], 0)
        self.assertEqual(plain["words"]["difference"], {"rate": 0, "low": 0, "high": 0})
        tuned = report("--tune")
        self.assertLess(tuned["words"]["rescored"]["errors"], plain["words"]["first"]["errors"])
        difference = tuned["words"]["difference"]
        self.assertLess(difference["low"], difference["rate"])
        self.assertLess(difference["rate"], difference["high"])
        applied = report(*tuned["flags"].split())
        self.assertEqual(applied["words"], tuned["words"])
        self.assertEqual(applied["characters"], tuned["characters"])
        self.assertEqual(report("--tune"), tuned)
        split = report("--split")
        self.assertEqual(len(split["weights"]), 2)
        self.assertGreaterEqual(split["words"]["rescored"]["errors"], tuned["words"]["rescored"]["errors"])
        self.check_halves(made, split)
        for metric in ("cer", "oracle"):
            self.assertLess(report("--tune", "--metric", metric)["characters"]["difference"]["rate"], 0)

    def check_halves(self, made, split):
        """Each half is reported with what was tuned on the other one."""
        errors = 0
        for half, other in ((made[:30], made[30:]), (made[30:], made[:30])):
            flags = json.loads(self.rescore(self.tsv(other, "o"), *COLUMNS, "--references", self.references(other, "p"),
                                            "--tune", "--json").out)["flags"].split()
            errors += json.loads(self.rescore(self.tsv(half, "h"), *COLUMNS, "--references", self.references(half, "q"),
                                              *flags, "--json").out)["words"]["rescored"]["errors"]
        self.assertEqual(errors, split["words"]["rescored"]["errors"])

    def test_the_table_ends_with_the_flags(self):
        made = lists(20, 4)
        arguments = [self.tsv(made), *COLUMNS, "--references", self.references(made)]
        table = self.rescore(*arguments, "--tune").out.splitlines()
        self.assertEqual([line.split()[0] for line in table], ["#", "words", "first", "rescored", "difference", "oracle",
                                                               "flags:", "#"])
        self.assertIn("--lm-weight", table[6])
        self.assertIn("# second half with what was tuned on the first: --lm-weight", self.rescore(*arguments, "--split").out)

    def test_wrong_lists_are_told_by_file_line_and_column(self):
        def refuse(words, content, *flags):
            self.refuse(1, words, "rescore", self.model, self.write("bad", content), "--quiet", *flags)

        refuse(["bad', line 2, column 6", "3 columns"], "u\t1\t-1\tthe\nu\t1\t2\n", *COLUMNS)
        refuse(["bad', line 1, column 5", "score is \"x\""], "u\t1\tx\tthe\n", *COLUMNS)
        refuse(["bad', line 2, column 7", "byte"], b"u\t1\t1\ta\nu\t1\t1\tthe \xff\n", *COLUMNS)
        refuse(["bad', line 1, column 7", "nwords is 9"], "-1 -2 9 a b\n", "--format", "srilm")
        refuse(["bad', line 1, column 1", "no id"], "\r\n", "--format", "rnnlm", "--best")
        refuse(["bad' holds no hypothesis"], "", "--format", "moses")
        refuse(["bad', line 1"], "{\"id\":1,\"text\":\"a\"", "--format", "json")
        refuse(["bad', line 1, column 1", "has no reference of \"u\""], "u\t1\t1\tthe\n", *COLUMNS, "--references",
               self.write("r", "v the\n"))
        refuse(["r', line 2, column 1", "\"u\" came before"], "u\t1\t1\tthe\n", *COLUMNS, "--references",
               self.write("r", "u the\nu the\n"))
        refuse(["bad', line 1, column 3", "score is -1e+200"], "u\t-1e200\tthe\n", "--columns", "id,score,text")
        refuse(["bad', line 1, column 1: the line", "byte"], "{\"id\":1,\"text\":\"a\"", "--format", "json")
        refuse(["bad', line 1, column 7", "the id holds a line end"], "{\"id\":\"a\\nb\",\"text\":\"a\"}", "--format", "json")
        refuse(["bad', line 2, column 1", "\"u-1\" came before"], "u-1 the\nu-1 cat\n", "--format", "kaldi", "--best")
        refuse(["hold no word"], "u\t1\t1\tthe\n", *COLUMNS, "--references", self.write("r", "u\n"))

    def test_a_list_is_judged_once(self):
        first = self.write("first", "the\tu\n")
        again = self.write("again", "the cat\tv\na dog\tu\n")
        right = self.write("r", "u the\nv the cat\n")
        self.refuse(1, ["again', line 2, column 7", "'u' came before"], "rescore", self.model, first, again,
                    "--columns", "text,id", "--references", right, "--quiet")

    def test_references_without_a_list_are_told(self):
        made = lists(12, 3)
        path, right = self.tsv(made[:10]), self.references(made)
        arguments = [path, *COLUMNS, "--references", right]
        self.assertIn("# 2 references have no list\n", self.rescore(*arguments).out)
        self.assertEqual(json.loads(self.rescore(*arguments, "--json").out)["references_without_list"], 2)
        whole = [path, *COLUMNS, "--references", self.references(made[:10])]
        self.assertNotIn("have no list", self.rescore(*whole).out)
        self.assertEqual(json.loads(self.rescore(*whole, "--json").out)["references_without_list"], 0)

    def test_a_rescored_list_of_moses_is_not_rescored_again(self):
        once = self.write("once", self.rescore(self.write("m", "0 ||| the cat ||| F= 1 ||| -2\n"), "--format", "moses").raw)
        self.refuse(1, ["once', line 1, column 24", "unroll= already"], "rescore", self.model, once, "--format", "moses")

    def test_ids_with_spaces_have_references(self):
        path = self.write("l", "u 1\tthe cat\nu 1\ta cat\n")
        report = self.rescore(path, "--columns", "id,text", "--references", self.write("r", "u 1\tthe cat\n"), "--json").out
        self.assertEqual(json.loads(report)["words"]["first"]["errors"], 0)

    def test_lists_before_a_wrong_one_are_answered(self):
        good = "u\t1\t-1\tthe cat\nv\t1\t-1\tthe king\n"
        expected = self.rescore(self.write("good", good), *COLUMNS).out.splitlines()
        for wrong, words in [("w\t1\tx\tthe\n", "line 3, column 5"), ("w\t1\t1\tthe \xff\n", "line 3, column 7"),
                             ("w\t1\t1\tthe \xff\nx\t1\tx\ta\n", "line 3, column 7"), ("x\t1\t1\ta\nu\t2\t1\ta\n", "\"u\" came before")]:
            done = run("rescore", self.model, self.write("bad", (good + wrong).encode("latin-1")), *COLUMNS)
            self.assertEqual(done.status, 1)
            self.assertIn(words, done.err)
            self.assertEqual(done.out.splitlines()[:len(expected)], expected)

    def test_wrong_usage_is_refused(self):
        path = self.tsv(lists(2, 2))
        refuse = lambda words, *flags: self.refuse(2, words, "rescore", self.model, path, *flags)
        refuse(["which format"])
        refuse(["--format", "htk", "rnnlm"], "--format", "htk")
        refuse(["no place for scores", "--rerank"], "--format", "rnnlm")
        refuse(["\"txt\""], "--columns", "id,txt")
        refuse(["alone, not in moses"], "--columns", "id,text", "--format", "moses")
        refuse(["--tune is for --references"], *COLUMNS, "--tune")
        refuse(["--json is for --references"], *COLUMNS, "--json")
        refuse(["--metric"], *COLUMNS, "--references", path, "--metric", "wer")
        refuse(["--tune", "--lm-weight"], *COLUMNS, "--references", path, "--tune", "--lm-weight", "1")
        refuse(["--best", "--rerank"], *COLUMNS, "--best", "--rerank")
        refuse(["--lambda"], *COLUMNS, "--lambda", "1.5")
        self.refuse(2, ["which LISTS"], "rescore", self.model, *COLUMNS)
        self.refuse(2, ["whole file", "--best"], "rescore", self.model, path, path, "--format", "srilm")
        self.refuse(1, ["missing"], "rescore", self.model, self.folder / "missing", *COLUMNS)


if __name__ == "__main__":
    main()
