#!/usr/bin/env python3
"""`unroll gradflow`: cli/cli_gradflow.py UNROLL"""

import json
import math
import xml.etree.ElementTree

from command_line import CommandTest, main

SVG = "{http://www.w3.org/2000/svg}"


class Gradflow(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lstm = cls.make_model("lstm.safetensors", "--cell", "lstm")
        cls.tanh = cls.make_model("a<b&c.safetensors", "--cell", "rnn-tanh", "--layers", "2")

    def test_answers_of_a_classifier_reach_the_first_word_by_their_readout(self):
        labelled = self.folder / "reviews.txt"
        nouns = "film", "plot", "cast", "end"
        labelled.write_text("".join(f"__label__{label} the {noun} is {word}\n" for noun in nouns
                                    for label, word in (("good", "fine"), ("bad", "dull"))))
        texts = self.folder / "texts.txt"
        texts.write_text("the film is fine\n\nthe plot is dull\n")
        told = {}
        for readout in "last", "mean":
            model = self.make_model(f"{readout}.safetensors", "--task", "classify", "--embed", "4", "--valid-split", "0",
                                    "--cell", "rnn-tanh", "--readout", readout, "--bidirectional=false", text=labelled)
            svg = self.folder / f"{readout}.svg"
            told[readout] = json.loads(self.succeed("gradflow", model, texts, "--json", "--quiet", "--svg", svg).out)["models"][0]
            self.assertIn("of an answer's gradient", xml.etree.ElementTree.parse(svg).find(f".//{SVG}title").text)
            lines = [(line["of"], line["layer"]) for line in told[readout]["lines"]]
            self.assertEqual(lines[:2], [("input", None), ("h", 0)])
            self.assertEqual(told[readout]["lines"][0]["lag"], [0, 1, 2, 3, 4])  # four words and the end
            self.assertEqual(told[readout]["predictions"], 2)
        self.assertLess(told["last"]["first_word"], told["mean"]["first_word"])
        out = self.succeed("gradflow", model, texts, "--at", "1", "--quiet").out
        self.assertEqual([row.split()[1] for row in out.splitlines()[2:7]], ["<eos>", "fine", "is", "film", "the"])

    def test_two_models_are_measured_side_by_side_and_drawn(self):
        svg = self.folder / "flow.svg"
        asked = ["gradflow", self.lstm, self.text, "--beside", self.tanh, "--lags", "12", "--positions", "9"]
        done = self.succeed(*asked, "--svg", svg, "--threads", "2")
        self.assertIn("9 predictions of", done.err)
        table = [line.split() for line in done.out.splitlines()]
        self.assertEqual([line[0] for line in table], ["lag", "0", "1", "2", "5", "10", "12", "model", "model"])
        self.assertEqual(table[1], ["0", "1", "1", "to", "1", "1", "1", "to", "1"])
        told = json.loads(self.succeed(*asked, "--json", "--quiet", "--threads", "1").out)["models"]
        self.assertEqual([(one["cell"], one["bptt"], one["predictions"]) for one in told],
                         [("lstm", 8, 9), ("rnn-tanh", 8, 9)])
        for column, one in ((1, told[0]), (5, told[1])):
            state = one["lines"][0]
            self.assertEqual([f"{state['median'][lag]:.3g}" for lag in (0, 1, 2, 5, 10, 12)],
                             [line[column] for line in table[1:7]])
            self.assertIn(one["words"], done.out)
            for line in one["lines"]:
                self.assertEqual(line["lag"], list(range(13)))
                for low, middle, high in zip(line["lower"], line["median"], line["upper"]):
                    self.assertTrue(0 <= low <= middle <= high and math.isfinite(high))
        self.assertEqual([(line["of"], line["layer"]) for line in told[1]["lines"]],
                         [("state", None), ("h", 0), ("h", 1), ("input", None)])
        root = xml.etree.ElementTree.parse(svg).getroot()
        lines = [shape for shape in root.iter(SVG + "polyline")]
        self.assertEqual([len(line.get("points").split()) for line in lines], [13, 13])
        cuts = [shape.get("x1") for shape in root.iter(SVG + "line") if shape.get("class").startswith("cut")]
        self.assertEqual(len(cuts), 2)
        words = "".join(root.itertext())
        self.assertIn("a<b&c.safetensors: ", words)
        self.assertIn("prefers-color-scheme: dark", words)
        self.refuse(2, ["--overwrite"], *asked, "--svg", svg)

    def test_one_prediction_is_told_lag_by_lag(self):
        text = self.write("text.txt", "the cat sees")
        done = self.succeed("gradflow", self.lstm, text, "--at", "5", "--beside", self.tanh)
        self.assertIn("the prediction at step 5 of", done.err)
        tables = done.out.split("1 is a norm of")
        rows = [line.split() for line in tables[0].splitlines()]
        self.assertEqual([row[0] for row in rows[2:]], list("012345"))
        self.assertEqual([row[1] for row in rows[2:]], ["c", "\\s", "e", "h", "t", "\\n"])
        told = json.loads(self.succeed("gradflow", self.lstm, text, "--at", "5", "--json", "--quiet").out)["models"][0]
        self.assertEqual((told["at"], told["predictions"]), (5, 1))
        state = told["lines"][0]
        self.assertEqual([row[2] for row in rows[2:]], [f"{left:.3g}" for left in state["median"]])
        self.assertEqual(tables[1].split()[0], f"{state['norm']:.3g}")
        self.assertEqual(state["lower"], state["upper"])
        self.refuse(2, ["--at is 12", "0 to 11"], "gradflow", self.lstm, text, "--at", "12")

    def test_a_text_that_is_short_is_measured_as_far_as_it_goes(self):
        done = self.succeed("gradflow", self.lstm, "-", stdin=b"the cat sees\r\n")
        self.assertIn("no prediction has more than", done.err)
        self.refuse(1, ["standard input"], "gradflow", self.lstm, "-")
        self.refuse(2, ["--lags"], "gradflow", self.lstm, self.text, "--lags", "0")

    def test_untrained_networks_are_measured_beside_a_model_and_alone(self):
        shape = ["--hidden", "16", "--lags", "8", "--positions", "9", "--json", "--quiet"]
        asked = ["--untrained", "lstm", "--untrained", "rnn-tanh", "--radius", "0.7", "--forget-bias", "3", *shape]
        beside = json.loads(self.succeed("gradflow", self.tanh, self.text, *asked).out)["models"]
        self.assertEqual([one["model"] for one in beside[1:]],
                         ["untrained lstm, radius 0.7, bias 3", "untrained rnn-tanh, radius 0.7"])
        self.assertEqual([one["bptt"] for one in beside], [8, None, None])
        self.assertGreater(beside[1]["lines"][0]["median"][8], 2 * beside[2]["lines"][0]["median"][8])
        alone = json.loads(self.succeed("gradflow", self.text, *asked).out)["models"]
        self.assertEqual([one["cell"] for one in alone], ["lstm", "rnn-tanh"])
        self.assertEqual([one["predictions"] for one in alone], [9, 9])
        self.refuse(2, ["--forget-bias", "no gates"], "gradflow", self.text, "--untrained", "rnn-tanh", "--forget-bias", "1")
        self.refuse(2, ["--radius", "--untrained"], "gradflow", self.lstm, self.text, "--radius", "1")
        self.refuse(2, ["--untrained", "cell"], "gradflow", self.text, "--untrained", "dense")

    def test_truncation_and_dynamics_are_told_where_they_are_asked_for(self):
        text = self.write("text.txt", "the cat sees the dog again and again and again\n" * 3)
        asked = ["gradflow", self.lstm, text, "--lags", "4", "--truncate", "1,8,100000", "--dynamics"]
        shown = self.succeed(*asked)
        told = json.loads(self.succeed(*asked, "--json", "--quiet").out)["models"][0]
        lengths = told["truncation"]
        self.assertEqual([at["length"] for at in lengths], [1, 8, 100000])
        self.assertEqual(lengths[2]["recurrent"], {"cosine": 1, "norm_ratio": 1})
        self.assertEqual(lengths[2]["layers"], {"cosine": 1, "norm_ratio": 1})
        self.assertLess(lengths[0]["recurrent"]["cosine"], lengths[1]["recurrent"]["cosine"])
        self.assertIn(f"{lengths[1]['recurrent']['cosine']:.6f}", shown.out)
        dynamics = told["dynamics"]
        self.assertEqual([(one["layer"], one["gate"]) for one in dynamics["radii"]], [(0, gate) for gate in "ifgo"])
        self.assertEqual([one["gate"] for one in dynamics["saturation"]], list("ifgo"))
        self.assertEqual(len(dynamics["jacobians"]), 9)
        for one in dynamics["jacobians"]:
            self.assertLessEqual(one["radius"], 1.001 * one["largest"])
            self.assertLessEqual(one["largest"], 1.001 * one["frobenius"])
        self.assertIn(f"{dynamics['lyapunov']:.4f} nats per step", shown.out)
        self.refuse(2, ["--truncate"], *asked[:5], "--truncate", "0")
        self.refuse(2, ["--truncate"], *asked[:5], "--truncate", "8,x")


if __name__ == "__main__":
    main()
