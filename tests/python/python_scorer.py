#!/usr/bin/env python3
"""Scores of the Python module are those of the command, to the bit."""

import copy
import math
import pickle
import threading

import numpy

import unroll
from module_tests import ODD_LINES, CommandTest, command_json, main, run, sentences, text_of


class Scores(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lines = sentences(30, seed=7) + ODD_LINES
        pieces = cls.shared / "pieces.model"
        run("tokenize", "train", cls.text, "--vocab-size", "38", "--save", pieces)
        cls.paths = {kind: cls.make_model(f"{kind}.safetensors", "--tokenizer", kind)
                     for kind in ["char", "byte", "word", "whitespace"]}
        cls.paths["pieces"] = cls.make_model("pieces.safetensors", "--tokenizer", pieces)
        cls.models = {kind: unroll.Model.open(path) for kind, path in cls.paths.items()}

    def readable(self, kind):
        """The lines that the kind of tokenizer reads."""
        lines = self.lines + ([b"\xff\xfe the \xc3", b"\x80"] if kind == "byte" else [])
        return [line for line in lines if kind != "byte" or line != "\ufeffthe dog."]

    def test_lines_and_tokens_have_the_bits_of_the_command_with_every_tokenizer(self):
        for kind, path in self.paths.items():
            lines = self.readable(kind)
            # The command takes a byte-order mark off the first line of a file.
            entries = command_json(path, ["the", *lines])[1:]
            scorer = unroll.Scorer(self.models[kind])
            self.assertEqual(scorer.score(lines).tolist(), [entry["log_prob"] for entry in entries], kind)
            self.assertEqual(scorer.score(lines[0]), entries[0]["log_prob"])
            table = scorer.token_table(lines)
            told = [(number, text_of(token), token["offset"], token["log_prob"], token["rank"], token["entropy"])
                    for number, entry in enumerate(entries) for token in entry["tokens"]]
            columns = [table[name] if isinstance(table[name], list) else table[name].tolist()
                       for name in ("line", "token", "offset", "log_prob", "rank", "entropy")]
            self.assertEqual(list(zip(*columns)), told, kind)
            names = self.models[kind].tokenizer.names
            for text, symbol in zip(table["token"], table["id"]):
                self.assertTrue(0 <= symbol < len(names), text)

    def test_every_option_of_the_command_has_its_bits(self):
        lines = self.lines[:12]
        for kind, flags, options in [
                ("char", ["--no-end"], {"end": False}),
                ("char", ["--state", "carry"], {"state": "carry"}),
                ("char", ["--context", "the cat"], {"context": "the cat"}),
                ("char", ["--temperature", "1.3"], {"temperature": 1.3}),
                ("char", ["--begin", "none"], {"begin": "none"}),
                ("char", ["--cache", "--cache-size", "40"], {"cache": True, "cache_size": 40}),
                ("char", ["--dynamic", "--dynamic-rate", "0.5"], {"dynamic": True, "dynamic_rate": 0.5}),
                ("word", ["--unk", "skip"], {"unknown": "skip"}),
                ("word", ["--unk", "share", "--unk-words", "1000"], {"unknown": "share", "unknown_words": 1000})]:
            with self.subTest(options=options):
                told = command_json(self.paths[kind], [*lines, "zebra the zebra"], *flags)
                for threads in (1, 2):
                    scorer = unroll.Scorer(self.models[kind], threads=threads, **options)
                    scored = scorer.token_table([*lines, "zebra the zebra"])
                    log_probs = [token["log_prob"] for entry in told for token in entry["tokens"]]
                    self.assertEqual([None if math.isnan(x) else x for x in scored["log_prob"].tolist()], 
                                     [None if token is None else token for token in log_probs])
                fresh = unroll.Scorer(self.models[kind], **options)
                self.assertEqual(fresh.score([*lines, "zebra the zebra"]).tolist(), [entry["log_prob"] for entry in told])

    def test_words_have_the_bits_of_the_table_of_words(self):
        lines = sentences(6, seed=3) + ["", " the  cat ", "h\u00e9 zebra"]
        raw = "".join(line + "\n" for line in lines).encode("utf-8")
        for kind, path in self.paths.items():
            done = self.succeed("score", path, "--words", "--quiet", stdin=raw)
            rows = [line.split(" ") for line in done.out.splitlines() if not line.startswith("#")]
            header, rows = rows[0], rows[1:]
            scorer = unroll.Scorer(self.models[kind])
            table = scorer.word_table(lines)
            for name in header[1:]:
                told = [float(row[header.index(name)]) for row in rows]
                self.assertEqual([float(x) for x in table[name]], told, f"{kind} {name}")
            words = [word for line in scorer.word_score(lines, surprisal=True, base_two=True) for word in line]
            self.assertEqual([bits for _, bits in words], table["surp"].tolist(), kind)
            self.assertEqual([word for word, _ in words], table["word"], kind)

    def test_the_scores_of_minicons_are_made_of_these(self):
        scorer = unroll.Scorer(self.models["char"])
        lines = self.lines
        table = scorer.token_table(lines)
        tokens = scorer.token_score(lines)
        self.assertEqual([token for line in tokens for token in line], list(zip(table["token"], table["log_prob"])))
        ranked = scorer.token_score(lines, surprisal=True, base_two=True, rank=True)
        self.assertEqual([rank for line in ranked for _, _, rank in line], table["rank"].tolist())
        for (_, bits, _), log_prob in zip(ranked[0], table["log_prob"]):
            self.assertEqual(bits, -log_prob / math.log(2))
        self.assertEqual(scorer.sequence_score(lines, reduction="sum"), scorer.score(lines).tolist())
        means = scorer.sequence_score(lines)
        self.assertEqual(means, [total / len(line) for total, line in zip(scorer.score(lines), tokens)])
        for mean, other in zip(means, scorer.sequence_score(lines, reduction=lambda x: x.mean(0).item())):
            self.assertAlmostEqual(mean, other, delta=1e-12 * abs(mean))
        for (_, log_prob), (_, prob) in zip(tokens[0], scorer.token_score(lines[0], prob=True)[0]):
            self.assertAlmostEqual(math.exp(log_prob), prob, delta=1e-15)
        with self.assertRaises(unroll.Error):
            scorer.token_score(lines, prob=True, surprisal=True)
        with self.assertRaises(unroll.Error):
            scorer.sequence_score(lines, reduction="median")

    def test_a_continuation_has_the_tokens_after_its_prefix(self):
        for kind in ("char", "word", "pieces"):
            scorer = unroll.Scorer(self.models[kind], end=False)
            whole = scorer.token_score("the cat sees h\u00e9")[0]
            before = scorer.token_score("the cat")[0]
            given = scorer.conditional_score("the cat", ["sees h\u00e9"], reduction="sum")
            self.assertAlmostEqual(given[0], sum(score for _, score in whole[len(before):]), delta=1e-9)
            several = scorer.conditional_score(["the cat", "the dog"], ["sees h\u00e9", "finds"], reduction="sum")
            self.assertEqual(several[0], given[0])
        closed = unroll.Scorer(self.models["char"])
        lines = closed.token_score("the cat")[0]
        self.assertEqual(closed.conditional_score("the", "cat", reduction=lambda x: x.tolist()),
                         [[score for _, score in lines[3:]]])
        with self.assertRaises(unroll.Error) as caught:
            closed.conditional_score(["the", "the"], ["cat"])
        self.assertEqual(caught.exception.field, "prefix")

    def test_states_step_to_the_bits_of_a_line(self):
        for kind, model in self.models.items():
            scorer = unroll.Scorer(model, threads=1)
            line = "the cat sees"
            state, scores = scorer.initial_state(), []
            for symbol in [*model.tokenizer.encode_line(line).tolist(), model.tokenizer.boundary]:
                self.assertEqual(float(scorer.next_log_probs(state)[symbol]), scorer.step(state, symbol)[0])
                log_prob, state = scorer.step(state, symbol)
                scores.append(log_prob)
            self.assertEqual(scores, scorer.token_table(line)["log_prob"].tolist(), kind)
            self.assertAlmostEqual(numpy.exp(scorer.next_log_probs(state)).sum(), 1, delta=1e-5)

    def test_a_state_is_a_value(self):
        scorer = unroll.Scorer(self.models["char"])
        first = scorer.initial_state()
        _, second = scorer.step(first, 3)
        self.assertEqual(first.h.shape, (1, 8))
        self.assertFalse(first.h.any())
        self.assertEqual((first.input, second.input), (self.models["char"].tokenizer.boundary, 3))
        self.assertNotEqual(first, second)
        self.assertNotEqual(first, "no state")
        for other in (second.copy(), copy.copy(second), copy.deepcopy(second), pickle.loads(pickle.dumps(second))):
            self.assertEqual(other, second)
            self.assertEqual(hash(other), hash(second))
            self.assertEqual(scorer.step(other, 5)[0], scorer.step(second, 5)[0])
        self.assertEqual(len({first, second, second.copy()}), 2)
        with self.assertRaises(ValueError):
            second.h[0, 0] = 1
        kept = scorer.step(first, 3)[1].h
        self.assertEqual(kept.tolist(), second.h.tolist())

    def test_any_iterable_gives_its_lines(self):
        scorer = unroll.Scorer(self.models["char"])
        expected = scorer.score(self.lines).tolist()
        for lines in (tuple(self.lines), iter(self.lines), (line for line in self.lines),
                      numpy.array(self.lines, dtype=object), [line.encode() for line in self.lines]):
            self.assertEqual(scorer.score(lines).tolist(), expected)
        self.assertEqual(scorer.score([]).tolist(), [])
        self.assertEqual(scorer.token_score([]), [])
        self.assertEqual(scorer.token_table([])["token"], [])
        self.assertEqual(scorer.score(["the"]).dtype, numpy.float64)

    def test_errors_have_code_field_and_index(self):
        char = self.models["char"]
        scorer = unroll.Scorer(char)
        with self.assertRaisesRegex(unroll.Error, "line 20002 has a line end at byte 3") as caught:
            scorer.score(["the"] * 20001 + ["the\n"])
        self.assertEqual((caught.exception.code, caught.exception.field, caught.exception.index), ("input", None, 20001))
        with self.assertRaises(unroll.Error) as caught:
            scorer.score(["the", b"\xff"])
        self.assertEqual((caught.exception.code, caught.exception.index), ("input", 1))
        with self.assertRaises(unroll.Error) as caught:
            scorer.score(["the", "\ud800"])
        self.assertEqual((caught.exception.code, caught.exception.index), ("input", 1))
        for options, field in [({"cache": True, "cache_size": 0}, "cache_size"), ({"cache_size": 3}, "cache_size"),
                               ({"state": "keep"}, "state"), ({"unknown": "share"}, "unknown_words"),
                               ({"temperature": -1}, "temperature"), ({"label": "x"}, "label")]:
            with self.assertRaises(unroll.Error) as caught:
                unroll.Scorer(char, **options)
            self.assertEqual((caught.exception.code, caught.exception.field), ("usage", field))
        with self.assertRaisesRegex(TypeError, "'tokens'"):
            unroll.Scorer(char, tokens=True)
        with self.assertRaisesRegex(TypeError, "'threads' cannot be str"):
            unroll.Scorer(char, threads="two")
        with self.assertRaisesRegex(TypeError, "line 2 is float"):
            scorer.score(["the", float("nan")])
        with self.assertRaises(unroll.Error) as caught:
            unroll.Scorer(char, context="the").word_score("the")
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((str(again), again.code, again.field), (str(caught.exception), "usage", "context"))

    def test_threads_take_turns(self):
        scorer = unroll.Scorer(self.models["char"], threads=1)
        lines = self.lines * 20
        expected, found = scorer.score(lines).tolist(), [None] * 4

        def work(i):
            found[i] = scorer.score(lines).tolist()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [expected] * 4)


if __name__ == "__main__":
    main()
