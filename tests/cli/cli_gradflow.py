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

    def test_a_text_that_is_short_is_measured_as_far_as_it_goes(self):
        done = self.succeed("gradflow", self.lstm, "-", stdin=b"the cat sees\r\n")
        self.assertIn("no prediction has more than", done.err)
        self.refuse(1, ["standard input"], "gradflow", self.lstm, "-")
        self.refuse(2, ["--lags"], "gradflow", self.lstm, self.text, "--lags", "0")


if __name__ == "__main__":
    main()
