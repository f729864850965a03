#!/usr/bin/env python3
"""`unroll serve`: scores, labels, tags, ids, and what is refused: cli/cli_serve_answers.py UNROLL"""

import json
import math

from command_line import CommandTest, main, rows, sentences
from http_client import Server, wait_until

LINES = [*sentences(3, seed=4), "", "the \u20ac"]
KEYS = {"message", "type", "param", "code"}


class ServeAnswers(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reviews = cls.shared / "reviews.txt"
        reviews.write_text("".join(f"__label__{label} the {noun} is {word}\n" for noun in ("film", "plot", "cast", "end")
                                   for label, word in (("good", "fine"), ("good", "great"), ("bad", "dull"))))
        tags = cls.shared / "tags.txt"
        tags.write_text("Anna B-PER\nsees O\nBonn B-LOC\n\nOtto B-PER\nand O\nAnna B-PER\n\n" * 10)
        small = "--embed", "4", "--valid-split", "0"
        cls.models = {"char": cls.make_model("char.safetensors"),
                      "words": cls.make_model("words.safetensors", "--tokenizer", "word"),
                      "reviews": cls.make_model("reviews.safetensors", "--task", "classify", *small, text=reviews),
                      "tags": cls.make_model("tags.safetensors", "--task", "tag", *small, text=tags),
                      "deep": cls.make_model("deep.safetensors", "--layers", "2")}
        cls.server = cls.enterClassContext(Server(*cls.models.values(), "--max-body", "20000", "--max-symbols", "5000"))

    def json_rows(self, *arguments, stdin):
        return [json.loads(line) for line in self.succeed(*arguments, "--json", stdin=stdin.encode("utf-8")).out.splitlines()]

    def data(self, path, **fields):
        answer = self.server.post(path, **fields)
        self.assertEqual(answer.status, 200, answer.raw)
        self.assertEqual((answer.json["object"], answer.json["model"]), ("list", fields["model"]))
        return answer.json["data"]

    def refused(self, status, param=None, words=(), answer=None):
        self.assertEqual(answer.status, status, answer.raw)
        self.assertEqual(set(answer.error), KEYS)
        self.assertEqual(answer.error["param"], param)
        for word in words:
            self.assertIn(word, answer.error["message"])
        return answer

    # Scores, labels, tags

    def test_scores_are_those_of_score(self):
        text = "".join(line + "\n" for line in LINES)
        for model in "char", "words":
            self.assertEqual(self.data("/v1/score", model=model, text=LINES),
                             self.json_rows("score", self.models[model], stdin=text))
        carried = self.data("/v1/score", model="char", input=LINES, state="carry", end=False)
        self.assertEqual(carried, self.json_rows("score", self.models["char"], "--state", "carry", "--no-end", stdin=text))
        one = self.data("/v1/score", model="words", text="the unicorn", context="the cat sees", unk="share", unk_words=9)
        self.assertEqual(one, self.json_rows("score", self.models["words"], "--context", "the cat sees", "--unk", "share",
                                             "--unk-words", "9", stdin="the unicorn\n"))

    def test_totals_of_a_request_are_those_of_eval(self):
        for model, lines in (("char", LINES), ("words", LINES), ("words", ["the unicorn sees"])):
            text = "".join(line + "\n" for line in lines)
            totals = self.server.post("/v1/score", model=model, text=lines).json["totals"]
            path = self.write("text.txt", text)
            told = json.loads(self.succeed("eval", self.models[model], path, "--state", "reset", "--json").out)
            for key in "tokens", "unknown_tokens", "bytes", "comparable":
                self.assertEqual(totals[key], told[key], key)
            self.assertTrue(math.isclose(totals["bits_per_byte"], told["bits_per_byte"], rel_tol=1e-9))
            self.assertTrue(math.isclose(-totals["log_prob"], told["nats_per_token"] * told["tokens"], rel_tol=1e-9))

    def test_words_are_those_of_score(self):
        line = "the cat sees the dog"
        words = self.data("/v1/score", model="char", text=[line], words=True, top=2)[0]["words"]
        out = self.succeed("score", self.models["char"], "--words", stdin=line.encode() + b"\n").out
        table = [row.split(" ") for row in rows(out)[1:]]
        self.assertEqual([word["text"].strip() for word in words if not word["end"]], line.split(" "))
        for word, row in zip(words, table):
            self.assertTrue(math.isclose(word["log_prob"], -float(row[4]) * math.log(2), rel_tol=1e-9))
            self.assertEqual(len(word["top"]), 2)

    def test_a_prompt_that_ends_in_a_space_is_not_given_another(self):
        text = self.server.post("/v1/completions", model="words", prompt="the ", seed=1, max_tokens=4, echo=True).choices[0]["text"]
        self.assertEqual(text + "\n", self.succeed("generate", self.models["words"], "--prompt", "the ", "--seed", "1",
                                                   "--length", "4").out)

    def test_what_cannot_be_read_has_an_id_and_is_logged(self):
        answer = self.server.get("/%zz")
        self.assertEqual(answer.status, 400)
        self.assertTrue(answer.headers["x-request-id"])
        self.assertIn('unroll_requests_total{route="unread",status="400"}', self.server.get("/metrics").raw.decode())

    def test_a_model_of_a_query_is_decoded(self):
        self.assertEqual(self.server.get("/tokenizer_info?model=w%6Frds").json["kind"], "word")

    # States, gradients

    def test_states_are_those_of_one_forward_pass(self):
        answer = self.server.post("/v1/states", model="char", text="the cat", want=["h", "c", "gates"], top=2).json
        score = self.json_rows("score", self.models["char"], "--no-end", stdin="the cat\n")[0]
        self.assertEqual([step["predicts"] for step in answer["steps"]], list("the cat"))
        self.assertEqual([step["reads"] for step in answer["steps"]], ["\n", *"the ca"])
        self.assertEqual([step["log_prob"] for step in answer["steps"]], [token["log_prob"] for token in score["tokens"]])
        self.assertTrue(all(len(step["top"]) == 2 for step in answer["steps"]))
        layer = answer["layers"][0]
        self.assertEqual((len(layer["h"]), len(layer["h"][0])), (7, 8))
        for h, c, gates in zip(layer["h"], layer["c"], layer["gates"]):
            o = gates[answer["gates"].index("o") * 8:][:8]
            for unit in range(8):
                self.assertTrue(math.isclose(h[unit], o[unit] * math.tanh(c[unit]), rel_tol=1e-5, abs_tol=1e-7))

    def test_states_are_of_all_layers_where_none_is_named(self):
        answers = [self.server.post("/v1/states", model="deep", text="the cat", want=["x", "h"], **fields).json["layers"]
                   for fields in ({}, {"layers": []}, {"layers": None}, {"layers": [0, 1]})]
        self.assertEqual([layer["layer"] for layer in answers[0]], [0, 1])
        self.assertEqual(answers[0][1]["x"], answers[0][0]["h"])
        for answer in answers[1:]:
            self.assertEqual(answer, answers[0])
        for layer in 0, 1:
            one = self.server.post("/v1/states", model="deep", text="the cat", want=["x", "h"], layers=[layer]).json["layers"]
            self.assertEqual(one, [answers[0][layer]])

    def test_gradients_are_those_of_gradflow(self):
        text = "the cat sees the dog again and again"
        lines = self.server.post("/v1/gradients", model="char", text=text, lags=10, positions=5).json["lines"]
        out = self.succeed("gradflow", self.models["char"], "--lags", "10", "--positions", "5", "--json",
                           stdin=text.encode("utf-8")).out
        self.assertEqual(lines, json.loads(out)["models"][0]["lines"])

    def test_the_gradient_of_one_prediction_is_that_of_gradflow(self):
        text = "the cat sees the dog"
        answer = self.server.post("/v1/gradients", model="char", text=text, lags=10, at=9).json
        out = self.succeed("gradflow", self.models["char"], "--lags", "10", "--at", "9", "--json",
                           stdin=text.encode("utf-8")).out
        told = json.loads(out)["models"][0]
        self.assertEqual((answer["lines"], answer["predictions"], told["at"]), (told["lines"], 1, 9))
        refused = self.server.post("/v1/gradients", model="char", text=text, at=99)
        self.assertEqual((refused.status, refused.json["error"]["param"]), (400, "at"))

    def test_units_are_those_of_inspect(self):
        text = 'the cat (the dog) sees "the king" again'
        path = self.write("text.txt", text)
        asked = ["inspect", self.models["char"], "--units", path, "--json"]
        features = json.loads(self.succeed(*asked, "--match", "the [a-z]+", "--top", "4").out)["features"]
        for name, expected in zip(("quotes", "brackets", "line", "/the [a-z]+/"), features):
            answer = self.server.post("/v1/units", model="char", text=text, feature=name, count=4).json
            self.assertEqual({key: answer[key] for key in expected}, expected)
        none = self.server.post("/v1/units", model="char", text="the cat", feature="quotes").json
        self.assertEqual((none["units"], none["reason"]), ([], "the same at every symbol of the text"))
        self.assertNotIn("reason", answer)
        text = "the cat sees the dog again. the king loves the dog!"
        path = self.write("other.txt", text)
        selection = {"from": 14, "to": 20}
        asked = ["inspect", self.models["char"], "--units", path, "--json", "--from", "14", "--to", "20"]
        expected = json.loads(self.succeed(*asked, "--top", "5").out)
        answer = self.server.post("/v1/units", model="char", text=text, **selection, count=5, passages=5).json
        for key in "selection", "holding", "units", "passages":
            self.assertEqual(answer[key], expected[key])
        self.assertEqual(answer["selection"]["text"], "the dog")
        for passage in answer["passages"]:
            self.assertEqual(passage["text"], ("\n" + text)[passage["from"]:passage["to"] + 1])
        of_layer = self.server.post("/v1/units", model="char", text=text, **selection, layer=0).json["units"]
        self.assertEqual({unit["layer"] for unit in of_layer} | {0}, {0})

    def test_units_of_what_there_is_not_are_refused(self):
        for param, fields in (("feature", {}), ("feature", {"feature": "colour"}), ("feature", {"feature": "//"}),
                              ("feature", {"feature": "line", "from": 1, "to": 2}), ("to", {"from": 1}), ("from", {"to": 1}),
                              ("to", {"from": 1, "to": 99}), ("from", {"from": -1, "to": 2}), ("layer", {"feature": "line", "layer": 9}),
                              ("count", {"feature": "line", "count": 0})):
            with self.subTest(fields=fields):
                self.refused(400, param, answer=self.server.post("/v1/units", model="char", text="the cat", **fields))
        slow = self.server.post("/v1/units", model="char", text="a" * 400, feature="/(a+)+b/")
        self.refused(400, None, ["too many steps"], slow)
        self.refused(400, "layer", answer=self.server.post("/v1/units", model="reviews", text="a", feature="line", layer=2))

    def test_untrained_networks_are_drawn_beside_a_model(self):
        fields = {"model": "char", "picture": "gradient", "text": "the cat sees the dog again and again", "lags": 6}
        networks = [{"cell": "lstm", "hidden": 8, "forget_bias": 3}, {"cell": "rnn-tanh", "hidden": 8, "radius": 0.5}]
        drawn = self.server.post("/v1/draw", **fields, untrained=networks).json
        self.assertIn("untrained lstm, bias 3", drawn["sentence"])
        self.assertIn("untrained rnn-tanh, radius 0.5", drawn["sentence"])
        self.assertEqual(len(drawn["table"]["columns"]), 10)
        for wrong in 3, [3], [{"cell": "x"}], [{"cell": 1}], [{"hidden": 1000}], [{"hidden": -1}], [{"radius": "a"}], [{"x": 1}], [{}] * 5:
            with self.subTest(wrong=wrong):
                self.refused(400, "untrained", answer=self.server.post("/v1/draw", **fields, untrained=wrong))
        unknown = self.server.post("/v1/draw", **fields, untrained=[{"cell": "x"}]).json["error"]["message"]
        self.assertEqual(unknown.count("expected"), 1, unknown)
        self.refused(400, "forget_bias", ["no gates"],
                     self.server.post("/v1/draw", **fields, untrained=[{"cell": "rnn-tanh", "forget_bias": 1}]))

    def test_pictures_are_those_of_draw(self):
        text = "the cat sees"
        asked = {"picture": "softmax", "text": text, "at": 4, "temperature": 0.5}
        answer = self.server.post("/v1/draw", model="char", **asked).json
        told = json.loads(self.succeed("draw", "softmax", self.models["char"], "--at", "4", "--temperature", "0.5",
                                       "--json", stdin=text.encode()).out)
        self.assertEqual((answer["table"], answer["facts"]), (told["table"], told["facts"]))
        self.assertNotIn("style", answer["svg"])
        alone = self.server.post("/v1/draw", model="char", standalone=True, **asked).json
        self.assertEqual(alone["svg"], told["svg"])
        self.assertEqual(self.server.post("/v1/draw", model="char", picture="surprisal", text=text,
                                          beside=["words"]).json["facts"]["2 name"], "words")
        self.refused(400, "picture", answer=self.server.post("/v1/draw", model="char", picture="cat", text=text))
        self.refused(400, "at", answer=self.server.post("/v1/draw", model="char", picture="softmax", text=text, at=99))
        self.refused(400, "units", answer=self.server.post("/v1/draw", model="char", picture="step", text=text, units=3))
        self.refused(400, "text", answer=self.server.post("/v1/draw", model="char", picture="step"))
        self.refused(400, None, answer=self.server.post("/v1/draw", model="reviews", picture="unrolled", text=text))
        self.refused(404, "beside", answer=self.server.post("/v1/draw", model="char", picture="surprisal", text=text,
                                                            beside=["nobody"]))

    def test_states_that_there_are_not_are_refused(self):
        for layers, told in (([2], "`layers` is 2: expected a whole number from 0 to 1"), ([0, -1], "`layers` is -1"),
                             (["a"], '`layers` is "a"'), (1, "`layers` is 1: expected a list of whole numbers")):
            self.refused(400, "layers", [told], self.server.post("/v1/states", model="deep", text="a", layers=layers))
        self.refused(400, "want", answer=self.server.post("/v1/states", model="char", text="a", want=["y"]))
        self.refused(400, "text", ["missing"], self.server.post("/v1/states", model="char"))
        self.refused(400, "text", ['`text` is "": expected a string that is not empty'],
                     self.server.post("/v1/states", model="char", text=""))
        self.refused(400, "layers", answer=self.server.post("/v1/states", model="reviews", text="a", layers=[2]))

    def test_states_of_classifiers_and_taggers_are_told_by_word_and_direction(self):
        told = self.server.post("/v1/states", model="tags", text="a good film\nbad", want=["h", "gates"]).json
        self.assertEqual([step["reads"] for step in told["steps"]], ["a", "good", "film", "bad"])
        self.assertTrue(all(step["predicts"] is None and step["log_prob"] is None for step in told["steps"]))
        self.assertEqual([layer["name"] for layer in told["layers"]], ["0 forward", "0 backward"])
        self.assertTrue(all(len(layer["h"]) == 4 for layer in told["layers"]))
        # Alone, a line has the same states: nothing of the line before is in them.
        alone = self.server.post("/v1/states", model="tags", text="bad", want=["h"]).json
        self.assertEqual([layer["h"][0] for layer in alone["layers"]], [layer["h"][3] for layer in told["layers"]])
        found = self.server.post("/v1/units", model="reviews", text="a good film", feature="/good/", count=3).json
        self.assertEqual(len(found["units"]), 3)

    def test_labels_are_those_of_classify(self):
        texts = ["the film is great", "dull", ""]
        expected = self.json_rows("classify", self.models["reviews"], stdin="".join(text + "\n" for text in texts))
        self.assertEqual(self.data("/v1/classify", model="reviews", text=texts), expected)
        first = self.data("/v1/classify", model="reviews", text=texts[0], top_k=1)
        self.assertEqual((len(first), len(first[0]["probabilities"])), (1, 1))
        self.assertIsNone(self.data("/v1/classify", model="reviews", text=texts[0], threshold=1)[0]["label"])

    def test_tags_are_those_of_tag(self):
        text = "Anna sees Bonn\nOtto\n"
        expected = self.json_rows("tag", self.models["tags"], "--format", "text", "--n-best", "2", "--confidence", stdin=text)
        words = [line.split(" ") for line in text.splitlines()]
        self.assertEqual(self.data("/v1/tag", model="tags", words=words, n_best=2, confidence=True), expected)
        alone = self.data("/v1/tag", model="tags", words=words[0])
        self.assertEqual([entry["tags"] for entry in alone], [expected[0]["tags"]])

    def test_each_model_does_what_it_was_trained_for(self):
        for path, fields in (("/v1/completions", {"model": "reviews"}), ("/v1/chat/completions", {"model": "tags"}),
                             ("/v1/score", {"model": "tags", "text": "a"}), ("/v1/classify", {"model": "tags", "text": "a"}),
                             ("/v1/tag", {"model": "char", "words": ["a"]})):
            self.refused(400, "model", ["task"], self.server.post(path, **fields))

    # Names and ids

    def test_models_are_called_by_their_names(self):
        listed = self.server.get("/v1/models").json
        self.assertEqual([model["id"] for model in listed["data"]], list(self.models))
        self.assertEqual(self.server.get("/v1/models/words").json, listed["data"][1])
        self.assertEqual([model["unroll"]["task"] for model in listed["data"]][2:4], ["classify", "tag"])
        self.assertEqual(listed["data"][3]["unroll"]["labels"], sorted(listed["data"][3]["unroll"]["labels"]))
        for name in "char", "words":
            answer = self.server.post("/v1/completions", model=name, prompt="the", max_tokens=1).json
            self.assertEqual(answer["model"], name)
            self.assertEqual(answer["system_fingerprint"], self.server.get(f"/v1/models/{name}").json["unroll"]["checksum"])
        self.assertEqual(self.server.post("/v1/completions", prompt="the").json["model"], "char")
        missing = self.server.post("/v1/completions", model="gpt", prompt="the")
        self.assertEqual(self.refused(404, "model", ["gpt", "char"], missing).error["code"], "model_not_found")
        self.refused(404, "model", ["gpt"], self.server.get("/v1/models/gpt"))

    def test_text_becomes_ids_and_ids_become_text(self):
        answer = self.server.post("/tokenize", prompt="the \u20accat\n", return_token_strs=True).json
        self.assertEqual((answer["count"], answer["token_strs"]), (9, list("the \u20accat\n")))
        self.assertEqual(answer["tokens"][-1], self.server.get("/tokenizer_info").json["eos_token_id"])
        self.assertEqual(self.server.post("/tokenize", content="the \u20accat\n", add_special_tokens=True).json["tokens"],
                         answer["tokens"])
        known = [id_ for id_ in answer["tokens"] if id_ != answer["tokens"][4]]
        self.assertEqual(self.server.post("/detokenize", tokens=known).json["prompt"], "the cat\n")
        self.assertEqual(self.server.post("/tokenize", prompt="").json["tokens"], [])
        self.assertEqual(self.server.post("/detokenize", tokens=[]).json["prompt"], "")
        self.refused(400, "prompt", ["`prompt`"], self.server.post("/tokenize"))
        self.refused(400, "tokens", ["`tokens`"], self.server.post("/detokenize", tokens="the"))

    # What is refused

    def test_a_wrong_field_is_named(self):
        size = self.server.get("/tokenizer_info").json["vocab_size"]
        wrong = {"max_tokens": [-1, "3", 1.5, True, 1e30], "temperature": [-1, "1", []], "top_p": [2], "n": [0, 129],
                 "best_of": [0], "logprobs": [-1, True, 101], "echo": [1], "stream": ["yes"], "stop": [3, ["a", 1]],
                 "stream_options": [True, {"include_usage": 1}], "logit_bias": [[1], {"x": 1}, {"-1": 1}, {str(size): 1}, {"0": 200}],
                 "presence_penalty": ["a"], "seed": ["x", 1.5], "prompt": [3, {}, ["a", 1], [1.5], [-1], [size]],
                 "model": [3], "suffix": ["end"], "label": ["x"]}
        for field, values in wrong.items():
            for value in values:
                with self.subTest(field=field, value=value):
                    fields = {"prompt": "the", "max_tokens": 1, field: value}
                    param = "stream_options.include_usage" if value == {"include_usage": 1} else field
                    self.refused(400, param, [], self.server.post("/v1/completions", **fields))
        self.refused(400, "best_of", [], self.server.post("/v1/completions", prompt="the", n=3, best_of=2))
        self.refused(400, "best_of", [], self.server.post("/v1/completions", prompt="the", best_of=2, stream=True))
        self.refused(400, "stop", [], self.server.post("/v1/completions", stop=[str(i) for i in range(17)]))
        many = self.server.post("/v1/completions", prompt="the", max_tokens=5000)
        self.assertEqual(self.refused(400, "max_tokens", ["5000"], many).error["code"], "too_many_symbols")
        self.refused(400, "n", ["256"], self.server.post("/v1/completions", prompt=["a", "b", "c"], n=100, max_tokens=1))
        self.refused(400, "prompt", [], self.server.post("/v1/completions", prompt=[[], ["a"]]))
        self.refused(400, "messages", [], self.server.post("/v1/chat/completions", messages=[{"content": 3}]))
        self.refused(400, "messages", [], self.server.post("/v1/chat/completions"))
        self.refused(400, "text", [], self.server.post("/v1/score", text=[]))
        self.refused(400, "words", [], self.server.post("/v1/tag", model="tags", words="Anna"))

    def test_a_body_that_is_no_object_is_refused(self):
        for body in b"", b"{", b"[]", b"3", b'{"prompt": "\xff"}', b'{"prompt": "a"} x', b'{"n": 1, "n": 2}', b"[" * 5000:
            with self.subTest(body=body[:20]):
                answer = self.server.ask("POST", "/v1/completions", body)
                self.assertEqual((answer.status, set(answer.error)), (400, KEYS))
        self.refused(413, None, [], self.server.ask("POST", "/v1/completions", b" " * 20001))
        self.assertEqual(self.server.ask("POST", "/v1/completions", b'{"max_tokens": 1}'.ljust(20000)).status, 200)

    def test_routes_and_methods_that_do_not_exist_are_refused(self):
        self.refused(404, None, ["/v1/nothing"], self.server.get("/v1/nothing"))
        for method, path, allowed in (("GET", "/v1/completions", "POST"), ("POST", "/health", "GET"),
                                      ("DELETE", "/tokenize", "POST"), ("PUT", "/v1/models", "GET")):
            answer = self.refused(405, None, [method], self.server.ask(method, path, b"{}" if method != "GET" else None))
            self.assertEqual(answer.headers["allow"], allowed)

    def test_every_answer_has_an_id(self):
        for path in "/health", "/nothing", "/v1/models":
            given = self.server.get(path, X_Request_Id="mine-1.2_a")
            self.assertEqual(given.headers["x-request-id"], "mine-1.2_a")
        ids = {self.server.get("/health").headers["x-request-id"] for _ in range(3)}
        self.assertEqual(len(ids), 3)
        for bad in "a b", "\u00e9".encode().decode("latin-1"), "x" * 129:
            self.assertNotEqual(self.server.get("/health", X_Request_Id=bad).headers["x-request-id"], bad)
        answer = self.server.ask("POST", "/v1/completions", {"max_tokens": 1}, X_Request_Id="mine")
        self.assertEqual((answer.headers["x-request-id"], answer.json["id"]), ("mine", "cmpl-mine"))

    def test_requests_are_counted_and_logged_without_their_texts(self):
        before = self.server.metric("unroll_completion_tokens_total")
        self.server.ask("POST", "/v1/completions", {"prompt": "the king", "max_tokens": 7}, X_Request_Id="counted")
        # Both come moments after the answer.
        wait_until(lambda: self.server.metric("unroll_completion_tokens_total") >= before + 7)
        wait_until(lambda: any(line.get("id") == "counted" for line in self.server.log_lines()))
        self.assertEqual(self.server.get("/metrics").headers["content-type"].split(";")[0], "text/plain")
        line = next(line for line in self.server.log_lines() if line.get("id") == "counted")
        self.assertEqual([line[name] for name in ("method", "path", "status", "model", "prompt_tokens", "completion_tokens")],
                         ["POST", "/v1/completions", 200, "char", 8, 7])
        self.assertNotIn("king", json.dumps(self.server.log_lines()))


if __name__ == "__main__":
    main()
