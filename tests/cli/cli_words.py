#!/usr/bin/env python3
"""`unroll score --words`: cli/cli_words.py UNROLL"""

import gzip
import math

from command_line import CommandTest, main, rows, run, sentences


def table(output):
    """Rows as dictionaries under the names of the columns."""
    lines = rows(output)
    names = lines[0].split(" ")
    for line in lines[1:]:
        assert len(line.split(" ")) == len(names), line
    return [dict(zip(names, line.split(" "))) for line in lines[1:]]


def sentence_sums(output):
    sums = {}
    for row in table(output):
        sums[row["sentid"]] = sums.get(row["sentid"], 0) + float(row["surp"])
    return list(sums.values())


class Words(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pieces = cls.shared / "sub.model"
        done = run("tokenize", "train", cls.text, "--vocab-size", "60", "--model-type", "bpe", "--save", pieces)
        if done.status != 0:
            raise AssertionError(done.err)
        cls.models = {"char": cls.make_model("char.safetensors"),
                      "byte": cls.make_model("byte.safetensors", "--tokenizer", "byte"),
                      "whitespace": cls.make_model("white.safetensors", "--tokenizer", "whitespace"),
                      "sub": cls.make_model("sub.safetensors", "--tokenizer", pieces)}
        cls.lines = "".join(line + "\n" for line in sentences(4, seed=9))

    def words(self, name, *flags, text=None):
        return self.succeed("score", self.models[name], "--words", *flags, stdin=(text or self.lines).encode()).out

    def test_rows_are_the_words_of_the_text(self):
        for name in self.models:
            got = [(row["word"], row["sentid"], row["sentpos"], row["wlen"]) for row in table(self.words(name, "--no-end"))]
            expected = [(word, str(s), str(i), str(len(word))) for s, line in enumerate(self.lines.splitlines())
                        for i, word in enumerate(line.split(" "))]
            self.assertEqual(got, expected, name)

    def test_the_rows_of_a_line_add_up_to_its_score(self):
        for name, model in self.models.items():
            scored = rows(self.succeed("score", model, "--log-base", "2", stdin=self.lines.encode()).out)
            sums = sentence_sums(self.words(name, "--budget", "20"))
            self.assertEqual(len(sums), len(scored))
            for total, row in zip(sums, scored):
                self.assertTrue(math.isclose(-total, float(row.split("\t")[0]), rel_tol=1e-9), name)

    def test_columns_and_header_say_what_is_exact(self):
        whole = self.words("whitespace")
        self.assertIn("\nword sentid sentpos wlen surp entropy entred\n", whole)
        self.assertNotIn("lower bound", whole)
        part = self.words("char", "--budget", "10")
        self.assertIn("\nword sentid sentpos wlen surp entropy entred entropyhi\n", part)
        for words in ("state reset", "tokenizer char", "lower bound", "10 beginnings", "(bits)"):
            self.assertIn(words, part)

    def test_entropies_lie_between_their_bounds_and_reductions_follow(self):
        for name in ("char", "sub"):
            before = None
            for row in table(self.words(name)):
                entropy, high, fall = float(row["entropy"]), float(row["entropyhi"]), float(row["entred"])
                self.assertLessEqual(entropy, high)
                expected = 0 if row["sentpos"] == "0" else max(0, before - entropy)
                self.assertTrue(math.isclose(fall, expected, abs_tol=1e-12))
                before = entropy

    def test_words_are_what_tokens_are_where_these_are_words(self):
        tokens = rows(self.succeed("score", self.models["whitespace"], "--tokens", "--log-base", "2",
                                   stdin=self.lines.encode()).out)
        for row, token in zip(table(self.words("whitespace", "--top", "1")), tokens, strict=True):
            log_prob, rank, entropy, text = token.split("\t")
            self.assertEqual(row["word"], text)
            self.assertTrue(math.isclose(float(row["surp"]), -float(log_prob), rel_tol=1e-12))
            self.assertEqual(row["rank"], rank)
            self.assertTrue(math.isclose(float(row["entropy"]), float(entropy), rel_tol=1e-6))

    def test_alternatives_are_the_most_probable_words(self):
        # Learned by heart: after "the" only nouns come.
        for row in table(self.words("whitespace", "--top", "3")):
            self.assertGreaterEqual(float(row["p1"]), float(row["p2"]))
            self.assertEqual(row["rank"] == "1", row["word1"] == row["word"])
            self.assertLessEqual(2 ** -float(row["surp"]), float(row["p1"]) * (1 + 1e-9))

    def test_threads_and_neighbours_change_nothing(self):
        one = self.words("sub", "--threads", "1")
        self.assertEqual(self.words("sub", "--threads", "3"), one)
        last = self.lines.splitlines()[-1] + "\n"
        alone = [row.split(" ", 2)[0::2] for row in rows(self.words("sub", text=last))[1:]]
        within = [row.split(" ", 2)[0::2] for row in rows(one)[1:] if row.split(" ")[1] == "3"]
        self.assertEqual(alone, within)

    def test_packed_text_and_odd_lines(self):
        packed = self.folder / "lines.gz"
        packed.write_bytes(gzip.compress(self.lines.encode()))
        self.assertEqual(self.succeed("score", self.models["sub"], packed, "--words").out, self.words("sub"))
        done = self.succeed("score", self.models["sub"], "--words", "--no-end", stdin="\n \u2603x  the \n".encode())
        self.assertEqual([row["word"] for row in table(done.out)], ["\u2603x", "the"])
        self.assertIn("unknown", done.err)

    def test_wrong_usage(self):
        self.refuse(2, ["--budget"], "score", self.models["char"], "--words", "--budget", "0")
        self.refuse(2, ["--log-base"], "score", self.models["char"], "--words", "--log-base", "2")
        self.refuse(2, ["which MODEL"], "score", "--words")
        self.assertIn("--budget", self.succeed("score", "--words", "--help").out)


if __name__ == "__main__":
    main()
