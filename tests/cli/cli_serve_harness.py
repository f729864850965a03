#!/usr/bin/env python3
"""`unroll serve` as an evaluation harness uses it: cli/cli_serve_harness.py UNROLL

The requests are those that EleutherAI's lm-evaluation-harness sends, and what is done with the answers is what it does:
its classes for completions of OpenAI's kind with the server's own tokenizer (log-likelihoods, rolling ones, texts until
a stop string), and its client of llama.cpp's servers. What comes out must be what the command says.
"""

import functools
import json
import math

from command_line import CommandTest, main, run, sentences
from http_client import Server

LINES = [*sentences(3, seed=7), "the unicorn\u2019s  caf\u00e9 sees \u20ac!"]
PAIRS = [(good, " ".join(reversed(good.split()))) for good in sentences(5, seed=8)] + [("the cat sees", "the cats see")]


class RemoteTokenizer:
    """Ids from the server, as the harness takes them."""

    def __init__(self, server, model):
        self.server, self.model = server, model
        info = server.get(f"/tokenizer_info?model={model}").json
        self.eos_token = info["eos_token"]
        self.eos_token_id = self.encode(self.eos_token)[0]
        # Where an id is 0 the harness takes the other one: both must be given.
        self.prefix_token_id = info["bos_token_id"] or info["eos_token_id"]

    def encode(self, text):
        answer = self.server.post("/tokenize", model=self.model, prompt=text, add_special_tokens=False)
        assert answer.status == 200, answer.raw
        return answer.json["tokens"]

    def decode(self, ids):
        return self.server.post("/detokenize", model=self.model, tokens=ids).json["prompt"]


class Harness:
    """Log-likelihoods and texts by /v1/completions, from ids."""

    def __init__(self, server, model, max_length=1_000_000):
        self.server, self.model, self.max_length = server, model, max_length
        self.tokenizer = RemoteTokenizer(server, model)

    def encoded_pair(self, context, continuation):
        if not context:
            return [self.tokenizer.prefix_token_id], self.tokenizer.encode(continuation)
        blanks = len(context) - len(context.rstrip())
        if blanks:
            context, continuation = context[:-blanks], context[-blanks:] + continuation
        ids = self.tokenizer.encode(context)
        return ids, self.tokenizer.encode(context + continuation)[len(ids):]

    def log_likelihoods(self, pairs):
        """(sum, whether it is what greedy writing gives) of each pair of ids, in one request."""
        choices = self.server.complete(model=self.model, prompt=[(begin + end)[-self.max_length:] for begin, end in pairs],
                                       temperature=0, max_tokens=1, logprobs=1, seed=1234, echo=True)
        found = []
        for choice, (begin, _) in zip(sorted(choices, key=lambda choice: choice["index"]), pairs, strict=True):
            inner = slice(len(begin), -1)
            log_probs = choice["logprobs"]["token_logprobs"][inner]
            greedy = all(log_prob == max(top.values())
                         for log_prob, top in zip(log_probs, choice["logprobs"]["top_logprobs"][inner]))
            found.append((sum(log_probs), greedy))
        return found

    def windows(self, ids):
        """Pairs that predict each id once; those after the first one begin with the id before them."""
        length = self.max_length - 1
        yield [self.tokenizer.prefix_token_id], ids[:length]
        for begin in range(length, len(ids), length):
            yield [ids[begin - 1]], ids[begin:begin + length]

    def rolling(self, text):
        return sum(total for total, _ in self.log_likelihoods(list(self.windows(self.tokenizer.encode(text)))))

    def generated(self, contexts, until, length):
        choices = self.server.complete(model=self.model, prompt=[self.tokenizer.encode(context) for context in contexts],
                                       max_tokens=length, temperature=0, stop=until, seed=1234)
        return [choice["text"] for choice in sorted(choices, key=lambda choice: choice["index"])]


def gguf_log_likelihood(server, model, context, continuation):
    """As the harness asks servers of GGUF files: texts, cut at characters."""
    lists = server.complete(model=model, prompt=context + continuation, logprobs=10, temperature=0, max_tokens=1,
                            echo=True)[0]["logprobs"]
    begin = 0
    while lists["text_offset"][begin] < len(context):
        begin += 1
    greedy = all(max(top, key=top.get) == token
                 for token, top in zip(lists["tokens"][begin:-1], lists["top_logprobs"][begin:-1]))
    return sum(lists["token_logprobs"][begin:-1]), greedy


def with_every_tokenizer(test):
    """Calls a test with the name of each model, and the harness that asks it."""

    @functools.wraps(test)
    def tests(self):
        for name in self.models:
            with self.subTest(tokenizer=name):
                test(self, name, Harness(self.server, name))

    return tests


class ServeHarness(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pieces = cls.shared / "pieces.model"
        done = run("tokenize", "train", cls.text, "--vocab-size", "60", "--model-type", "bpe", "--save", pieces)
        if done.status != 0:
            raise AssertionError(done.err)
        kinds = {"char": "char", "byte": "byte", "word": "word", "whitespace": "whitespace", "sentencepiece": pieces}
        cls.models = {name: cls.make_model(name + ".safetensors", "--tokenizer", kind, "--lr", "0.02")
                      for name, kind in kinds.items()}
        cls.scores = {}
        for name, model in cls.models.items():
            done = run("score", model, "--json", stdin="".join(line + "\n" for line in LINES).encode("utf-8"))
            cls.scores[name] = [json.loads(line)["tokens"] for line in done.out.splitlines()]
        cls.server = cls.enterClassContext(Server(*cls.models.values()))

    def check(self, found, tokens):
        """A sum and its greediness, against the tokens of score."""
        self.assertTrue(math.isclose(found[0], sum(token["log_prob"] for token in tokens), abs_tol=1e-6))
        self.assertEqual(found[1], all(token["rank"] == 1 for token in tokens))

    @with_every_tokenizer
    def test_the_tokenizer_of_the_server_gives_the_ids_of_the_boundary_and_the_text_back(self, name, harness):
        info = self.server.get(f"/tokenizer_info?model={name}").json
        self.assertEqual(harness.tokenizer.eos_token_id, info["eos_token_id"])
        self.assertEqual(info["bos_token"], info["eos_token"])
        for field in "pad_token", "chat_template":
            self.assertIsNone(info[field])
        ids = harness.tokenizer.encode(LINES[0])
        self.assertEqual(harness.tokenizer.encode(harness.tokenizer.decode(ids)), ids)
        if name != "word":  # which drops white space
            self.assertEqual(harness.tokenizer.decode(ids), LINES[0])
        self.assertEqual(harness.tokenizer.encode(harness.tokenizer.eos_token + LINES[0])[1:], ids)

    @with_every_tokenizer
    def test_log_likelihoods_of_continuations_are_those_of_score(self, name, harness):
        pairs, tails = [], []
        for line, tokens in zip(LINES, self.scores[name], strict=True):
            for context in line[:line.index(" ")], line[:line.rindex(" ") + 1]:
                pairs.append(harness.encoded_pair(context, line[len(context):]))
                tails.append(tokens[len(pairs[-1][0]):-1])
        for found, tail in zip(harness.log_likelihoods(pairs), tails, strict=True):
            self.check(found, tail)

    @with_every_tokenizer
    def test_what_greedy_writing_gives_is_greedy(self, name, harness):
        context = LINES[0].split(" ")[0]
        begin = harness.tokenizer.encode(context)
        choice = self.server.complete(model=name, prompt=context, max_tokens=4, temperature=0, logprobs=0)[0]
        written = choice["logprobs"]["token_logprobs"]
        end = harness.tokenizer.encode(context + choice["text"])[len(begin):]
        other = [id_ for id_ in (5, 6) if id_ != end[0]][:1]
        found = harness.log_likelihoods([(begin, end), (begin, other + end)])
        if len(end) == 4:  # else the text is cut in another way than it was written
            self.assertEqual(found[0], (sum(written), True))
        self.assertFalse(found[1][1])

    @with_every_tokenizer
    def test_rolling_log_likelihoods_are_those_of_score_without_the_end(self, name, harness):
        for line, tokens in zip(LINES, self.scores[name], strict=True):
            expected = sum(token["log_prob"] for token in tokens[:-1])
            self.assertTrue(math.isclose(harness.rolling(line), expected, abs_tol=1e-6))

    def test_windows_of_a_rolling_log_likelihood_are_texts_of_their_own(self):
        harness = Harness(self.server, "char", max_length=8)
        line, tokens = LINES[0], self.scores["char"][0]
        parts = [line[begin - 1:begin + 7] for begin in range(7, len(line), 7)]
        out = self.succeed("score", self.models["char"], "--json", "--no-end", stdin="\n".join(parts).encode()).out
        scored = [json.loads(row)["tokens"][1:] for row in out.splitlines()]
        expected = sum(token["log_prob"] for part in [tokens[:7], *scored] for token in part)
        self.assertTrue(math.isclose(harness.rolling(line), expected, abs_tol=1e-6))

    @with_every_tokenizer
    def test_pairs_with_empty_context_are_those_of_eval(self, name, harness):
        file = self.write("pairs.jsonl", "".join(
            json.dumps({"sentence_good": good, "sentence_bad": bad, "field": "syntax", "linguistics_term": "order",
                        "UID": "reversed", "pairID": str(number)}) + "\n" for number, (good, bad) in enumerate(PAIRS)))
        items = json.loads(self.succeed("eval", self.models[name], "--pairs", file, "--no-end", "--items", "--json",
                                        "--quiet").out)["items"]
        found = harness.log_likelihoods([harness.encoded_pair("", side) for pair in PAIRS for side in pair])
        for item, good, bad in zip(items, found[::2], found[1::2], strict=True):
            self.assertTrue(math.isclose(good[0], item["log_prob_good"], abs_tol=1e-6))
            self.assertTrue(math.isclose(bad[0], item["log_prob_bad"], abs_tol=1e-6))
            self.assertEqual(good[0] > bad[0], item["correct"])

    @with_every_tokenizer
    def test_texts_until_a_stop_string_are_those_of_generate(self, name, harness):
        _, text = harness.generated(["the", "the cat sees"], ["\n", "@@"], 24)
        out = self.succeed("generate", self.models[name], "--prompt", "the cat sees", "--temperature", "0", "--length",
                           "24", "--stop", "\n").out
        self.assertEqual("the cat sees" + text, out.removesuffix("\n"))

    @with_every_tokenizer
    def test_the_client_for_gguf_files_finds_the_continuation_by_its_characters(self, name, harness):
        for line, tokens in zip(LINES, self.scores[name], strict=True):
            context = line[:line.rindex(" ")]
            begin, _ = harness.encoded_pair(context, line[len(context):])
            self.check(gguf_log_likelihood(self.server, name, context, line[len(context):]), tokens[len(begin):-1])


if __name__ == "__main__":
    main()
