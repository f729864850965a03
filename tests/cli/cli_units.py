#!/usr/bin/env python3
"""`unroll inspect --units`: cli/cli_units.py UNROLL"""

import json

from command_line import CommandTest, main


class Units(CommandTest):
    def test_units_that_follow_features_are_named_and_where_none_does_that_is_said(self):
        text = self.write("text.txt", 'the cat (the dog) sees "the king"\n' * 60)
        model = self.make_model("model.safetensors", text=text)
        asked = ["inspect", model, "--units", text, "--match", "the [a-z]+", "--match", "zebra", "--top", "2"]
        done = self.succeed(*asked, "--symbols", "300", "--threads", "2")
        self.assertIn("the first 300 symbols were read", done.err)
        self.assertIn("matches zebra: the same at every symbol of the text", done.out)
        told = json.loads(self.succeed(*asked, "--symbols", "300", "--json", "--quiet").out)["features"]
        self.assertEqual([one["feature"] for one in told],
                         ["inside quotes", "inside brackets", "position in line", "matches the [a-z]+", "matches zebra"])
        self.assertEqual([len(one["units"]) for one in told], [2, 2, 2, 2, 0])
        self.assertEqual([one.get("reason") for one in told], [None] * 4 + ["the same at every symbol of the text"])
        for one in told[:4]:
            self.assertEqual(one["units"][0]["auc"] is None, one["feature"] == "position in line")
            self.assertEqual(f"{one['feature']}: no unit follows it well" in done.out, not one["followed"])
        self.refuse(2, ["no regular expression"], "inspect", model, "--units", text, "--match", "(")
        self.refuse(2, ["it is empty"], "inspect", model, "--units", text, "--match", "")
        self.assertIn("300 symbols read: so few prove nothing", done.out)
        self.assertNotIn("so few", self.succeed("inspect", model, "--units", text, "--symbols", "1000").out)
        # Of a selection, "the dog": steps count from the newline that begins the text.
        chosen = ["inspect", model, "--units", text, "--symbols", "300", "--from", "10", "--to", "16", "--top", "4"]
        told = json.loads(self.succeed(*chosen, "--json", "--quiet").out)
        self.assertEqual(told["selection"], {"from": 10, "to": 16, "text": "the dog"})
        shown = self.succeed(*chosen).out
        self.assertEqual(told["holding"], sum(unit["margin"] >= 0.5 for unit in told["units"]))
        self.assertGreater(told["holding"], 0)
        self.assertIn('steps 10 to 16: "the dog"', shown)
        # The text repeats itself: so do the units.
        self.assertEqual(told["passages"][0]["text"], "the dog")
        self.assertEqual(shown.count(f"of {told['holding']} units, steps"), len(told["passages"]))
        # Units of one line hardly hold a stretch of two and a half together.
        noise = [*chosen[:6], "--from", "40", "--to", "121"]
        weak = json.loads(self.succeed(*noise, "--json", "--quiet").out)
        self.assertEqual((weak["holding"], weak["passages"]), (0, []))
        self.assertRegex(self.succeed(*noise).out, "none holds it together|no unit is on throughout it")
        self.refuse(2, ["--from", "--to"], *chosen[:-4], "--top", "4")
        self.refuse(2, ["--to"], *chosen, "--match", "a")

    def test_help_and_errors_lead_on(self):
        units = self.succeed("inspect", "--units", "TEXT", "--help").out
        self.assertIn("--match REGEX", units)
        for asked in (["--units", "--help"], ["model.safetensors", "--units", "--help"], ["--units", "-h"]):
            self.assertEqual(self.succeed("inspect", *asked).out, units, asked)
        self.assertIn("unroll inspect --units --help", " ".join(self.succeed("inspect", "--help").out.split()))
        self.refuse(2, ["--units needs a value"], "inspect", "model.safetensors", "--units")
        for flag, value in (("--match", "a"), ("--from", "3"), ("--top", "2")):
            self.refuse(2, [flag, "give --units TEXT, too"], "inspect", "model.safetensors", flag, value)


if __name__ == "__main__":
    main()
