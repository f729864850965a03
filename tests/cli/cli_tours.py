#!/usr/bin/env python3
"""What the stops of the page's tours say is what their links show: cli/cli_tours.py UNROLL

Each stop of web/tours.js has a test here, by chapter and number, which asks the server for what the link shows and
compares it with the words. `says` are words of the stop: whoever changes them looks at the test too.
"""

import json
import math
import pathlib
import re
import urllib.parse

from command_line import CommandTest, main
from http_client import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOURS = json.loads((ROOT / "web" / "tours.js").read_text(encoding="utf-8").split("tours = ", 1)[1].rstrip().rstrip(";"))
TEXTS = ROOT / "docs" / "tutorial" / "texts"
TOLD = {}  # (chapter, stop): [its words, test]


def stop(chapter, number, says):
    """A test of what a stop says; `says` is in its words."""

    def add(test):
        TOLD[chapter, number] = [says, test]
        return test

    return add


class Stop:
    """What a stop's link asks for."""

    def __init__(self, server, chapter, number):
        link = TOURS[chapter - 1]["stops"][number - 1]["link"]
        self.server = server
        self.view, _, query = link.removeprefix("#").partition("?")
        self.asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def ask(self, path, **fields):
        answer = self.server.post(path, model=self.asked["model"], **fields)
        assert answer.status == 200, answer.raw
        return answer.json

    def draw(self, picture, **fields):
        told = {"text": self.asked.get("text"), **fields}
        if "at" in self.asked:
            told["at"] = int(self.asked["at"])
        if picture == "step" and "unit" in self.asked:
            told["units"] = [int(unit) for unit in self.asked["unit"].split(",")]
        return self.ask("/v1/draw", picture=picture, **told)

    def column(self, picture, name, **fields):
        table = self.draw(picture, **fields)["table"]
        return [row[table["columns"].index(name)] for row in table["rows"]]

    def curves(self, **fields):
        """Medians by lag, of each model."""
        table = self.draw("gradient", lags=int(self.asked.get("lags", 60)), **fields)["table"]
        return {name.removesuffix(" median"): [row[i] for row in table["rows"]]
                for i, name in enumerate(table["columns"]) if name.endswith(" median")}

    def untrained(self, **radius):
        """Those of untrained networks, as the view asks for them: tanh, LSTM."""
        if "radius" in self.asked and not radius:
            radius = {"radius": float(self.asked["radius"])}
        lstm = {"cell": "lstm", "hidden": 64}
        if "forget" in self.asked:
            lstm["forget_bias"] = float(self.asked["forget"])
        curves = self.curves(untrained=[{"cell": "rnn-tanh", "hidden": 64, **radius}, lstm])
        return list(curves.values())[1:]

    def top(self, temperature=1):
        table = self.draw("softmax", temperature=temperature)["table"]
        return table["rows"][0][table["columns"].index("share")]

    def written(self):
        choice = self.ask("/v1/completions", prompt=self.asked["text"], seed=int(self.asked["seed"]), logprobs=0,
                          max_tokens=int(self.asked["length"]), temperature=float(self.asked["temperature"]))["choices"][0]
        return choice["text"], -sum(choice["logprobs"]["token_logprobs"])

    def units(self):
        return self.ask("/v1/units", text=self.asked["text"], feature=self.asked["feature"])


def known_words(text):
    """The share of its words that are in the texts of the tutorial."""
    known = set(re.findall("[a-z]+", " ".join(file.read_text(encoding="utf-8").lower() for file in TEXTS.glob("*.txt"))))
    words = re.findall("[a-z]+", text.lower())[1:-1]  # the first and the last are cut
    return sum(word in known for word in words) / len(words)


class Tours(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server())

    def at(self, chapter, number):
        return Stop(self.server, chapter, number)

    def test_each_stop_has_a_test_and_the_words_that_it_is_about(self):
        stops = {(c, s): stop["words"] for c, tour in enumerate(TOURS, 1) for s, stop in enumerate(tour["stops"], 1)}
        self.assertEqual(sorted(TOLD), sorted(stops))
        for place, (says, _) in TOLD.items():
            self.assertIn(says, stops[place])

    def test_what_each_stop_says_is_so(self):
        for place, (_, test) in sorted(TOLD.items()):
            with self.subTest(stop=place):
                test(self, self.at(*place))

    @stop(1, 1, "The same small network stands in every column: only the letter and the state before differ")
    def same_network(self, at):
        facts = at.draw("unrolled")["facts"]
        self.assertEqual(facts["steps"], len(at.asked["text"]) + 1)  # the line end, too
        self.assertEqual(facts["U"] + facts["W"] + facts["V"] < facts["parameters"], True)

    @stop(1, 2, "there is only one of each. The counter beside them tells how often it is used")
    def one_of_each(self, at):
        svg = at.draw("unrolled")["svg"]
        self.assertEqual(len(re.findall('<g class="column( at)?"', svg)), at.draw("unrolled")["facts"]["steps"])

    @stop(1, 3, "The sentence is longer now, and the number of parameters is not")
    def longer(self, at):
        before, now = self.at(1, 2).draw("unrolled")["facts"], at.draw("unrolled")["facts"]
        self.assertGreater(now["steps"], before["steps"])
        self.assertEqual(now["parameters"], before["parameters"])

    @stop(1, 4, "what the input adds, what the old state adds, the bias, their sum, and the curve that squashes it")
    def sums(self, at):
        table = at.draw("step")["table"]
        parts = [table["columns"].index(name) for name in ("U x", "W h", "bias", "sum", "h")]
        for row in table["rows"]:
            of_input, of_state, bias, total, h = (row[i] for i in parts)
            self.assertAlmostEqual(of_input + of_state + bias, total, places=4)
            self.assertAlmostEqual(math.tanh(total), h, places=4)

    @stop(1, 5, "The input of the last step is the same as in the next stop")
    def same_input(self, at):
        here, there = (one.draw("step")["table"] for one in (at, self.at(1, 6)))
        place = here["columns"].index("U x")
        self.assertEqual([row[place] for row in here["rows"]], [row[place] for row in there["rows"]])

    @stop(1, 6, "The last letter read is again r, the state is another, and so is the prediction: e had 93% before, and has 40% here")
    def another_state(self, at):
        before = self.at(1, 5)
        for one in (before, at):
            self.assertEqual(one.column("unrolled", "reads")[int(one.asked["at"])], "r")
        for name, least in (("W h", 1), ("h", 1)):
            of_units = [one.column("step", name) for one in (before, at)]
            self.assertGreater(min(abs(a - b) for a, b in zip(*of_units)), least, name)
        shares = [dict(zip(one.column("softmax", "symbol"), one.column("softmax", "share"))) for one in (before, at)]
        self.assertEqual([f"{one['e']:.0%}" for one in shares], ["93%", "40%"])

    @stop(2, 1, "Multiplying a table by it means looking up one row")
    def one_row(self, at):
        drawn = at.draw("onehot")
        x = at.ask("/v1/states", text=at.asked["text"] + "\n", want=["x"])["layers"][0]["x"][int(at.asked["at"])]
        row = [row[-1] for row in drawn["table"]["rows"]]
        self.assertEqual(len(row), len(x))
        for shown, number in zip(row, x):
            self.assertAlmostEqual(shown, number, places=6)

    @stop(2, 2, "dividing by their sum makes them probabilities; the line marks what a blind guess would cost")
    def probabilities(self, at):
        self.assertAlmostEqual(sum(at.column("softmax", "share")), 1, places=9)
        size = next(m["unroll"]["vocabulary"] for m in self.server.get("/v1/models?twins=true").json["data"]
                    if m["id"] == at.asked["model"])
        self.assertAlmostEqual(at.draw("softmax")["facts"]["ln_v"], math.log(size), places=9)

    @stop(2, 3, "at temperature 2: the shares move towards each other")
    def temperature(self, at):
        self.assertLess(at.top(float(at.asked["temperature"])), at.top(1))
        self.assertEqual(at.top(0), 1)

    @stop(2, 4, "A verse and its words in another order")
    def another_order(self, at):
        first, second = at.asked["text"], at.asked["second"]
        self.assertEqual(sorted(first.split()), sorted(second.split()))
        facts = at.draw("surprisal", second=second)["facts"]
        self.assertLess(facts["1 nats"] + 15, facts["2 nats"])

    @stop(2, 5, "Writing is predicting and throwing a die")
    def die(self, at):
        self.assertEqual(len(at.written()[0]), int(at.asked["length"]))

    @stop(2, 6, "timid, but it spells better. The same seed always writes the same text")
    def timid(self, at):
        (bold, of_bold), (timid, of_timid) = self.at(2, 5).written(), at.written()
        self.assertEqual(at.written()[0], timid)
        self.assertLess(of_timid, 0.7 * of_bold)
        self.assertGreater(known_words(timid), known_words(bold) + 0.2)

    @stop(2, 7, "Many texts begin alike and then part")
    def part(self, at):
        rows = at.ask("/v1/draw", picture="tree", prompt=at.asked["text"], count=int(at.asked["count"]), length=16,
                      seed=int(at.asked["seed"]), temperature=0.8)["table"]["rows"]
        texts = [text for _, text, *_ in rows]
        self.assertGreater(max(sum(one[:2] == text[:2] for one in texts) for text in texts), len(texts) / 2)
        self.assertGreater(len(set(texts)), len(texts) - 2)

    @stop(3, 1, "then the gradient of the last prediction goes back. Thick arrows are large gradients")
    def goes_back(self, at):
        left = [one for one in at.column("unrolled", "gradient left") if one is not None]
        self.assertEqual(left[-1], 1)
        self.assertLess(left[0], 0.1)

    @stop(3, 2, "Cut the way back after 4 steps")
    def cut(self, at):
        drawn = at.draw("unrolled", truncate=int(at.asked["truncate"]))
        arrows = re.findall('<path [^>]*class="back( lost)?"', drawn["svg"])
        self.assertIn("is left at step 10, where it is cut off", drawn["sentence"])
        self.assertEqual(drawn["facts"]["at"], 13)
        self.assertGreater(arrows.count(" lost"), 5)

    @stop(3, 3, "a straight line down means the same share is lost at each step")
    def straight(self, at):
        line = at.curves()["tanh-twin"]
        fits = [math.log10(line[lag]) / lag for lag in (20, 40, 60)]
        self.assertLess(max(fits) / min(fits), 1.2)  # both are negative
        self.assertGreater(max(fits) / min(fits), 0.8)

    @stop(3, 4, "At 0.6 a hundred-thousandth of the gradient of the tanh network is left after 20 steps")
    def radius_below_one(self, at):
        self.assertEqual(at.asked["radius"], "0.6")
        self.assertTrue(0.5e-5 < at.untrained()[0][20] < 2e-5)

    @stop(3, 5, "At 1.7 more than half of it arrives, and at 2.5 it has grown more than tenfold")
    def radius_above_one(self, at):
        self.assertEqual(at.asked["radius"], "1.7")
        self.assertTrue(0.5 < at.untrained()[0][20] < 1)
        self.assertGreater(at.untrained(radius=2.5)[0][20], 10)

    @stop(3, 6, "How much of the gradient of the weights is left when training goes back 4 steps only")
    def truncated(self, at):
        kept = at.column("truncation", "norm ratio layers", lengths=[1, 4, 64])
        self.assertTrue(kept[0] < kept[1] < 0.8 < kept[2])

    @stop(4, 1, "Three networks of one size, trained alike on the same text. The gradients of those with gates reach further")
    def reach(self, at):
        curves = at.curves(beside=at.asked["beside"].split(","))
        for gated in ("lstm-twin", "gru-twin"):
            self.assertGreater(curves[gated][40], 100 * curves["tanh-twin"][40])
        facts = {m["id"]: m["unroll"] for m in self.server.get("/v1/models?twins=true").json["data"]}
        self.assertEqual({facts[name]["hidden"] for name in curves}, {64})

    @stop(4, 2, "Untrained, an LSTM without forget bias forgets as fast as the simple network")
    def without_bias(self, at):
        self.assertNotIn("radius", at.asked)
        tanh, lstm = at.untrained()
        for lag in (10, 20, 40):
            self.assertTrue(0.25 < lstm[lag] / tanh[lag] < 4, lag)

    @stop(4, 3, "more than a tenth of the gradient is left after 60 steps")
    def with_bias(self, at):
        tanh, lstm = at.untrained()
        self.assertEqual(at.asked["forget"], "3")
        self.assertTrue(min(lstm[20:61]) > 0.1 > tanh[10])

    @stop(4, 4, "Which units of the LSTM know whether a bracket is open?")
    def brackets(self, at):
        told = at.units()
        self.assertTrue(told["followed"])
        self.assertGreater(sum(unit["auc"] > 0.9 for unit in told["units"]), 1)

    @stop(4, 5, "none of its units follows it")
    def no_brackets(self, at):
        told = at.units()
        self.assertFalse(told["followed"])
        self.assertLess(told["units"][0]["auc"], 0.7)

    @stop(4, 6, "A unit that counts the letters of a line")
    def counts(self, at):
        told = at.units()
        self.assertTrue(told["followed"])
        self.assertGreater(abs(told["units"][0]["correlation"]), 0.8)
        self.assertIn(f'data-unit="{told["units"][0]["unit"]}"', at.draw("neurons", units=[told["units"][0]["unit"]])["svg"])

    @stop(4, 7, "four gates, each a small network of its own")
    def gates(self, at):
        table = at.draw("step")["table"]
        self.assertEqual({row[table["columns"].index("of")] for row in table["rows"]}, set("ifgo"))

    @stop(5, 1, "A language model answers at every step")
    def every_step(self, at):
        self.assertNotIn(None, at.column("unrolled", "share"))

    @stop(5, 2, "the same states say how probable a text is")
    def probable(self, at):
        score = at.ask("/v1/score", text=at.asked["text"])["data"][0]["log_prob"]
        of_steps = [step["log_prob"] for step in at.ask("/v1/states", text=at.asked["text"] + "\n")["steps"]]
        self.assertTrue(math.isclose(sum(of_steps), score, rel_tol=1e-5))

    @stop(5, 3, "From king on it says old, until the last word: its answer is what it says then, new with 92%")
    def classifier(self, at):
        said = dict(zip(at.column("answers", "last"), at.column("answers", "new")))
        self.assertTrue(all(said[word] < 0.5 for word in ("king", "believed", "in")), said)
        self.assertTrue(all(said[word] > 0.5 for word in ("And", "servant")), said)
        answer = at.ask("/v1/classify", text=at.asked["text"])["data"][0]
        self.assertEqual((answer["label"], f"{answer['probabilities']['new']:.0%}"), ("new", "92%"))
        self.assertAlmostEqual(said["Jesus"], answer["probabilities"]["new"], places=6)

    @stop(5, 4, "An answer at the end still has a gradient at every word before")
    def gradient_at_each_word(self, at):
        left = at.curves()["testament-twin"]
        self.assertEqual(len(left), len(at.asked["text"].split()) + 1)  # the words and the end
        self.assertTrue(all(one > 0 for one in left), left)
        self.assertIn("the first word has", at.draw("gradient")["sentence"])

    @stop(5, 5, "Compare how little the long way leaves")
    def long_way(self, at):
        self.assertLess(at.curves()["gru-twin"][60], 0.05)


if __name__ == "__main__":
    main()
