#!/usr/bin/env python3
"""`unroll serve`, completions as clients read them: cli/cli_serve.py UNROLL"""

import json

from command_line import CommandTest, main
from http_client import Server, joined, wait_until

EMPTY_LISTS = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
SCRIPT = "\u00e9\u20ac\U0001f600 ab\n"


def piece_bytes(token):
    """The bytes of an entry of `tokens`."""
    if not token.startswith("bytes:"):
        return token.encode("utf-8")
    return bytes(int(byte, 16) for byte in token[6:].split("\\x")[1:])


def mean(choice):
    log_probs = choice["logprobs"]["token_logprobs"]
    return sum(log_probs) / len(log_probs)


class Serve(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        script = cls.shared / "script.txt"
        script.write_text(SCRIPT * 100, encoding="utf-8")
        names = cls.shared / "names.txt"
        names.write_text("__label__x Ivanov\n__label__y Sato\n" * 20, encoding="utf-8")
        cls.models = {"char": cls.make_model("char.safetensors", "--lr", "0.02"),
                      "script": cls.make_model("script.safetensors", text=script),
                      "byte": cls.make_model("byte.safetensors", "--tokenizer", "byte", text=script),
                      "words": cls.make_model("words.safetensors", "--tokenizer", "word"),
                      "none": cls.make_model("none.safetensors", "--begin", "none", "--state", "reset"),
                      "labels": cls.make_model("labels.safetensors", "--task", "conditional", "--valid-split", "0", text=names)}
        cls.server = cls.enterClassContext(Server(*(f"{name}={path}" for name, path in cls.models.items())))

    def complete(self, **fields):
        return self.server.complete(**fields)

    def complete_one(self, **fields):
        choices = self.complete(**fields)
        self.assertEqual(len(choices), 1)
        return choices[0]

    def ids(self, text, model="char"):
        return self.server.post("/tokenize", prompt=text, model=model).json["tokens"]

    def score(self, name, line, *flags):
        out = self.succeed("score", self.models[name], "--json", *flags, stdin=line.encode("utf-8")).out
        return json.loads(out.splitlines()[-1])["tokens"]

    def written(self, *flags, name="char"):
        return self.succeed("generate", self.models[name], *flags).out

    # Entries

    def test_entries_are_those_of_the_prompt_and_of_the_text_and_the_first_is_null(self):
        for model, prompt, count in ("char", "the cat", 7), ("words", "the cat sees", 3), ("byte", "\u00e9a", 3):
            choice = self.complete_one(model=model, prompt=prompt, max_tokens=4, echo=True, logprobs=2)
            lists = choice["logprobs"]
            self.assertEqual(list(lists), list(EMPTY_LISTS))
            self.assertEqual([len(entries) for entries in lists.values()], [count + 4] * 4)
            for name in "token_logprobs", "top_logprobs":
                self.assertIsNone(lists[name][0])
                self.assertNotIn(None, lists[name][1:])
            self.assertEqual(choice["finish_reason"], "length")

    def test_numbers_have_the_bits_of_score(self):
        line = "the cat sees the dog."
        scored = [token["log_prob"] for token in self.score("char", line)]
        choice = self.complete_one(prompt=line, max_tokens=0, echo=True, logprobs=0)
        self.assertEqual(choice["logprobs"]["token_logprobs"][1:], scored[1:-1])
        self.assertEqual(choice["unroll"]["first_logprob"], scored[0])
        # With the boundary as the first id, which then is not read again.
        choice = self.complete_one(prompt=self.ids("\n" + line), max_tokens=0, echo=True, logprobs=0)
        self.assertEqual(choice["logprobs"]["token_logprobs"], [None, *scored[:-1]])
        self.assertNotIn("first_logprob", choice["unroll"])

    def test_there_is_one_more_entry_with_one_more_symbol_whatever_it_is(self):
        # A harness leaves the last entry out: what ends a text must have one, too.
        boundary, letter = self.ids("\nx")[0], self.ids("e")[0]
        for wanted, id_, stop, reason in ("\n", boundary, None, "length"), ("e", letter, "e", "stop"):
            choice = self.complete_one(prompt="the", max_tokens=1, echo=True, logprobs=1, stop=stop, temperature=0,
                                       logit_bias={str(id_): 100})
            self.assertEqual(choice["logprobs"]["tokens"], ["t", "h", "e", wanted])
            self.assertEqual([len(entries) for entries in choice["logprobs"].values()], [4] * 4)
            self.assertEqual((choice["text"], choice["finish_reason"]), ("the" + (wanted if not stop else ""), reason))
        end = self.ids("\n", "labels")[0]
        choice = self.complete_one(model="labels", label="y", prompt="Sato", max_tokens=1, echo=True, logprobs=1,
                                   temperature=0, logit_bias={str(end): 100})
        self.assertEqual([len(entries) for entries in choice["logprobs"].values()], [5] * 4)
        self.assertEqual((choice["text"], choice["finish_reason"]), ("Sato", "stop"))

    def test_no_symbol_is_written_with_max_tokens_0(self):
        choice = self.complete_one(prompt="the", max_tokens=0, echo=True, logprobs=1)
        self.assertEqual((choice["text"], choice["finish_reason"]), ("the", "length"))
        self.assertEqual(choice["logprobs"]["tokens"], ["t", "h", "e"])
        self.assertEqual(self.complete_one(prompt="the", max_tokens=0)["text"], "")
        for prompt in "", [], "\n":
            choice = self.complete_one(prompt=prompt, max_tokens=0, echo=True, logprobs=1)
            self.assertEqual(choice["logprobs"]["token_logprobs"], [None] * len(choice["text"]))

    def test_the_symbol_is_among_the_most_probable_ones_with_the_same_digits(self):
        for model, prompt in ("char", "the cat"), ("words", "the cat sees"), ("byte", "\u20ac"), ("script", SCRIPT):
            for count in 0, 1, 5, 100:
                answer = self.server.post("/v1/completions", model=model, prompt=prompt, max_tokens=5, echo=True,
                                          logprobs=count, seed=3)
                # Parsed as text, so that digits are compared and no key may stand twice.
                lists = json.loads(answer.raw, parse_float=str, object_pairs_hook=self.unique)["choices"][0]["logprobs"]
                for token, log_prob, top in list(zip(lists["tokens"], lists["token_logprobs"], lists["top_logprobs"]))[1:]:
                    self.assertEqual(top[token], log_prob)
                    self.assertGreaterEqual(len(top), count if count < 100 else 8)
                    self.assertLessEqual(len(top), count + 1)

    def unique(self, pairs):
        self.assertEqual(len({key for key, _ in pairs}), len(pairs), pairs)
        return dict(pairs)

    def test_parts_of_characters_are_named_by_their_bytes(self):
        choice = self.complete_one(model="byte", prompt="a\u20ac", max_tokens=0, echo=True, logprobs=3)
        self.assertEqual(choice["logprobs"]["tokens"], ["a", "bytes:\\xe2", "bytes:\\x82", "bytes:\\xac"])

    def test_pieces_joined_are_the_text(self):
        for model, prompt in (("char", "the  cat"), ("words", "  the  cat, sees "), ("byte", SCRIPT), ("script", SCRIPT)):
            for echo in False, True:
                choice = self.complete_one(model=model, prompt=prompt, max_tokens=9, echo=echo, logprobs=1, seed=5)
                pieces = b"".join(map(piece_bytes, choice["logprobs"]["tokens"]))
                text = choice["text"].encode("utf-8")
                # Where a text ends within a character, this one is left out.
                self.assertTrue(pieces.decode("utf-8", "replace").encode("utf-8").startswith(text), (pieces, text))
                self.assertEqual(choice["text"].startswith(prompt), echo)

    def test_offsets_count_characters_from_the_beginning_of_the_prompt(self):
        for model, prompt in ("char", "the"), ("words", " the  cat"), ("script", SCRIPT), ("byte", SCRIPT):
            fields = {"model": model, "prompt": prompt, "max_tokens": 12, "logprobs": 1, "seed": 2}
            echoed = self.complete_one(**fields, echo=True)
            offsets, begin = [], b""
            for token in echoed["logprobs"]["tokens"]:
                whole = len((begin + b"|").decode("utf-8", "replace")) - 1
                offsets.append(whole - self.is_within(begin, piece_bytes(token)))
                begin += piece_bytes(token)
            self.assertEqual(echoed["logprobs"]["text_offset"], offsets)
            written = offsets[-12:]
            self.assertGreaterEqual(written[0], len(prompt) - (model == "byte"))
            self.assertEqual(self.complete_one(**fields)["logprobs"]["text_offset"], written)
            for echo in False, True:
                streamed = joined(self.server.stream(**fields, echo=echo))[0]
                self.assertEqual(streamed["logprobs"]["text_offset"], offsets if echo else written)

    @staticmethod
    def is_within(begin, piece):
        """Whether a piece goes on with the character that `begin` ends within."""
        apart = len(begin.decode("utf-8", "replace")) + len((piece + b"|").decode("utf-8", "replace"))
        return apart > len((begin + piece + b"|").decode("utf-8", "replace"))

    # Prompts and choices

    def test_choices_are_in_the_order_of_prompts(self):
        prompts = ["the", "a", self.ids("in"), ""]
        answer = self.server.post("/v1/completions", prompt=prompts[:2], n=3, max_tokens=5, echo=True, seed=1)
        self.assertEqual([choice["index"] for choice in answer.choices], list(range(6)))
        self.assertTrue(all(choice["text"].startswith(prompts[choice["index"] // 3]) for choice in answer.choices))
        self.assertEqual(answer.json["usage"], {"prompt_tokens": 4, "completion_tokens": 30, "total_tokens": 34})
        self.assertEqual([choice["text"] for choice in joined(self.server.stream(prompt=prompts[:2], n=3, max_tokens=5,
                                                                                 echo=True, seed=1))],
                         [choice["text"] for choice in answer.choices])
        lists = self.complete(prompt=[self.ids("in"), []], max_tokens=0, echo=True)
        self.assertEqual([choice["text"] for choice in lists], ["in", ""])

    def test_a_prompt_without_ids_begins_a_text(self):
        for prompt in "", [], None:
            choice = self.complete_one(prompt=prompt, max_tokens=6, seed=4, logprobs=0)
            self.assertEqual(choice["text"], self.written("--length", "6", "--seed", "4").removesuffix("\n"))
            self.assertEqual(choice["logprobs"]["text_offset"], list(range(6)))
            self.assertNotIn(None, choice["logprobs"]["token_logprobs"])

    def test_null_is_as_if_the_field_were_missing(self):
        fields = ["max_tokens", "temperature", "top_p", "top_k", "min_p", "n", "best_of", "stop", "logprobs", "echo",
                  "stream", "stream_options", "logit_bias", "presence_penalty", "frequency_penalty", "label", "user",
                  "suffix", "model"]
        answer = self.server.post("/v1/completions", prompt="the", seed=7, **dict.fromkeys(fields))
        self.assertEqual(answer.choices[0], self.complete_one(prompt="the", seed=7))
        self.assertEqual((answer.json["object"], answer.json["model"]), ("text_completion", "char"))
        self.assertNotIn("unroll", answer.json)
        self.assertEqual(len(self.complete_one(prompt="the", seed=None)["text"]), 16)
        self.assertEqual(self.server.post("/v1/completions", prompt="the", colour=1).json["unroll"], {"ignored": ["colour"]})

    # Sampling

    def test_texts_are_those_of_generate(self):
        fields = {"prompt": "the ", "max_tokens": 30, "seed": 11, "temperature": 0.8, "top_k": 9, "top_p": 0.95,
                  "min_p": 0.01}
        texts = [choice["text"] for choice in self.complete(**fields, n=3)]
        out = self.written("--prompt", "the ", "--length", "30", "--seed", "11", "--temperature", "0.8", "--top-k", "9",
                           "--top-p", "0.95", "--min-p", "0.01", "--count", "3")
        ended = [f"the {text}" if text.endswith("\n") else f"the {text}\n" for text in texts]
        self.assertEqual(out, "----\n".join(ended))
        self.assertEqual(self.complete_one(**fields)["text"], texts[0])

    def test_a_text_is_the_same_among_63_others(self):
        fields = {"prompt": "the cat ", "max_tokens": 60, "seed": 5, "logprobs": 2, "echo": True}
        alone = self.complete(**fields)
        # Streams that nobody reads: long enough to be written still when the answer has come.
        others = [self.server.stream(prompt="the " * i, max_tokens=20000, seed=i, n=9) for i in range(7)]
        wait_until(lambda: self.server.metric("unroll_texts_writing") == 63)
        self.assertEqual(self.complete(**fields), alone)
        self.assertGreater(self.server.metric("unroll_texts_writing"), 0)
        for other in others:
            other.close()
        wait_until(lambda: self.server.metric("unroll_texts_writing") == 0)

    def test_best_of_answers_the_texts_with_the_highest_probability_per_symbol(self):
        fields = {"prompt": "the", "max_tokens": 8, "seed": 3, "logprobs": 0}
        ranked = sorted(self.complete(**fields, n=5), key=mean, reverse=True)
        answer = self.server.post("/v1/completions", **fields, n=2, best_of=5)
        self.assertEqual([choice["text"] for choice in answer.choices], [choice["text"] for choice in ranked[:2]])
        self.assertEqual(answer.json["usage"]["completion_tokens"], 40)
        without = self.complete(**{**fields, "logprobs": None}, n=2, best_of=5)
        self.assertEqual([choice["text"] for choice in without], [choice["text"] for choice in ranked[:2]])

    def test_a_text_ends_before_a_stop_string_in_streams_too(self):
        fields = {"prompt": "the ", "max_tokens": 40, "seed": 9, "logprobs": 0}
        whole = self.complete_one(**fields)["text"]
        for stop in whole[9:12], ["@@", whole[20:22], whole[9:11]]:
            end = min(whole.index(one) for one in ([stop] if isinstance(stop, str) else stop) if one in whole)
            choice = self.complete_one(**fields, stop=stop)
            self.assertEqual((choice["text"], choice["finish_reason"]), (whole[:end], "stop"))
            self.assertTrue("".join(choice["logprobs"]["tokens"]).startswith(whole[:end + 1]))
            streamed = joined(self.server.stream(**fields, stop=stop))[0]
            for name in "text", "finish_reason", "logprobs":
                self.assertEqual(streamed[name], choice[name])

    def test_biases_and_penalties_change_what_is_drawn_but_no_probability(self):
        letter = self.ids("k")[0]
        fields = {"prompt": "the", "max_tokens": 10, "temperature": 0, "logprobs": 1}
        text = self.complete_one(**fields, logit_bias={str(letter): 100})["text"]
        self.assertEqual(text, "k" * 10)
        self.assertEqual(len(set(self.complete_one(**fields, frequency_penalty=100)["text"])), 10)
        first = self.complete_one(**fields, presence_penalty=-100)
        self.assertEqual(len(set(first["text"])), 1)
        plain = self.complete_one(prompt="the" + first["text"], max_tokens=0, echo=True, logprobs=1)
        self.assertEqual(first["logprobs"]["token_logprobs"], plain["logprobs"]["token_logprobs"][3:])
        unlikely = self.complete_one(prompt="the", max_tokens=60, seed=1, logit_bias={str(id_): -100 for id_ in self.ids("e t")})
        self.assertFalse(set("e t") & set(unlikely["text"]))

    # Streams

    def test_a_stream_ends_with_an_empty_part_usage_and_done(self):
        fields = {"prompt": "the", "max_tokens": 3, "seed": 1, "logprobs": 1}
        events = list(self.server.stream(**fields, stream_options={"include_usage": True}))
        *parts, last, usage, done = events
        self.assertEqual(done, "[DONE]")
        self.assertEqual([len(part["choices"][0]["text"]) for part in parts], [1, 1, 1])
        choice = last["choices"][0]
        self.assertEqual((choice["text"], choice["logprobs"], choice["finish_reason"]), ("", EMPTY_LISTS, "length"))
        self.assertTrue(all(part["choices"][0]["finish_reason"] is None for part in parts))
        self.assertEqual(usage["choices"], [])
        self.assertEqual(usage["usage"], {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6})
        self.assertTrue(all(event["usage"] is None for event in [*parts, last]))
        self.assertEqual(len({event["id"] for event in events[:-1]}), 1)
        without = list(self.server.stream(**fields))
        self.assertEqual(len(without), len(events) - 1)
        self.assertFalse(any("usage" in event for event in without[:-1]))
        whole = self.complete_one(**fields)
        for name in "text", "logprobs", "finish_reason", "unroll":
            self.assertEqual(joined(events)[0][name], whole[name])

    def test_an_echo_comes_first_in_answers_and_streams(self):
        for logprobs in None, 0:
            for prompt in "the", "", "\n", SCRIPT:
                fields = {"model": "script" if prompt == SCRIPT else "char", "prompt": prompt, "max_tokens": 3, "seed": 1,
                          "echo": True, "logprobs": logprobs}
                whole = self.complete_one(**fields)
                self.assertTrue(whole["text"].startswith(prompt))
                streamed = joined(self.server.stream(**fields))[0]
                self.assertEqual((streamed["text"], streamed["logprobs"]), (whole["text"], whole["logprobs"]))

    def test_a_character_is_never_split_between_events(self):
        # Made to write the three bytes of a character, one after the other.
        fields = {"model": "byte", "prompt": "a", "temperature": 0, "frequency_penalty": 100,
                  "logit_bias": {str(0xE2): 100, str(0x82): 80, str(0xAC): 60}, "logprobs": 0}
        texts = [event["choices"][0]["text"] for event in self.server.stream(**fields, max_tokens=3) if event != "[DONE]"]
        self.assertEqual([text for text in texts if text], ["\u20ac"])
        choice = joined(self.server.stream(**fields, max_tokens=3))[0]
        self.assertEqual(choice["logprobs"]["tokens"], ["bytes:\\xe2", "bytes:\\x82", "bytes:\\xac"])
        self.assertEqual(choice["logprobs"]["text_offset"], [1, 1, 1])
        self.assertEqual(self.complete_one(**fields, max_tokens=2)["text"], "")

    # Models of other kinds

    def test_a_model_that_reads_no_boundary_first_predicts_all_but_the_first_symbol(self):
        scored = [token["log_prob"] for token in self.score("none", "the cat", "--no-end")]
        choice = self.complete_one(model="none", prompt="the cat", max_tokens=0, echo=True, logprobs=0)
        self.assertEqual(choice["logprobs"]["token_logprobs"], [None, *scored[1:]])
        self.assertNotIn("first_logprob", choice["unroll"])
        newline = self.complete_one(model="none", prompt="\nthe", max_tokens=0, echo=True, logprobs=0)
        self.assertEqual(len(newline["logprobs"]["tokens"]), 4)
        self.assertNotEqual(newline["logprobs"]["token_logprobs"][1:], choice["logprobs"]["token_logprobs"][:3])
        refused = self.server.post("/v1/completions", model="none", prompt="", max_tokens=1)
        self.assertEqual((refused.status, refused.error["param"]), (400, "prompt"))

    def test_a_label_says_what_is_written(self):
        scored = [token["log_prob"] for token in self.score("labels", "Sato", "--label", "y")]
        choice = self.complete_one(model="labels", label="y", prompt="Sato", max_tokens=0, echo=True, logprobs=0)
        self.assertEqual([choice["unroll"]["first_logprob"], *choice["logprobs"]["token_logprobs"][1:]], scored[:-1])
        text = self.complete_one(model="labels", label="x", seed=2, max_tokens=500)["text"]
        out = self.written("--label", "x", "--seed", "2", name="labels")
        self.assertEqual(text, out.removesuffix("\n"))
        for label in "z", None:
            refused = self.server.post("/v1/completions", model="labels", label=label)
            self.assertEqual((refused.status, refused.error["param"]), (400, "label"))

    # Messages

    def test_messages_are_joined_and_continued(self):
        messages = [{"role": "system", "content": "the cat"},
                    {"role": "user", "content": [{"type": "text", "text": "the "}, {"type": "text", "text": "dog"}]}]
        fields = {"max_tokens": 5, "seed": 3}
        answer = self.server.post("/v1/chat/completions", messages=messages, logprobs=True, top_logprobs=2, **fields)
        plain = self.complete_one(prompt="the cat\nthe dog", logprobs=2, **fields)
        choice = answer.choices[0]
        self.assertEqual(answer.json["object"], "chat.completion")
        self.assertEqual(choice["message"], {"role": "assistant", "content": plain["text"], "refusal": None})
        self.assertEqual([(entry["token"], entry["logprob"], bytes(entry["bytes"]).decode("utf-8"))
                          for entry in choice["logprobs"]["content"]],
                         [(token, log_prob, token) for token, log_prob in
                          zip(plain["logprobs"]["tokens"], plain["logprobs"]["token_logprobs"])])
        self.assertEqual([{top["token"]: top["logprob"] for top in entry["top_logprobs"]}
                          for entry in choice["logprobs"]["content"]], plain["logprobs"]["top_logprobs"])
        self.assertIn("no chat model", answer.json["unroll"]["note"])
        first, *parts, usage, done = self.server.stream("/v1/chat/completions", messages=messages, **fields,
                                                        stream_options={"include_usage": True})
        self.assertEqual([part["usage"] for part in (first, *parts)], [None] * (1 + len(parts)))
        self.assertEqual(usage["usage"], answer.json["usage"])
        self.assertEqual(first["choices"][0]["delta"], {"role": "assistant", "content": ""})
        self.assertEqual("".join(part["choices"][0]["delta"].get("content", "") for part in parts), plain["text"])
        self.assertEqual((parts[-1]["choices"][0]["delta"], parts[-1]["choices"][0]["finish_reason"], done),
                         ({}, "length", "[DONE]"))
        default = self.server.post("/v1/chat/completions", messages=messages)
        self.assertEqual(default.json["usage"]["completion_tokens"], 256)


if __name__ == "__main__":
    main()
