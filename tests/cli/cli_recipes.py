#!/usr/bin/env python3
"""Recipes: those of the repository, what overrides them, and what is wrong with one."""

import json
import pathlib

from command_line import CommandTest, main

# Texts of the tasks that recipes are for, other than language.
TEXTS = {"classify": "".join(f"__label__a the cat {i}\n__label__b a dog {i}\n" for i in range(10)),
         "tag": "".join(f"the O\ncat{i} B-NP\n\na O\ndog{i} B-NP\n\n" for i in range(10))}

RECIPES = sorted((pathlib.Path(__file__).resolve().parents[2] / "recipes").glob("*.toml"))

# A recipe that is not the default in any respect.
SMALL = """\
# Small, for tests.
hidden = 7
tied = true
lr = 0.02
batch-size = 3
bptt = 6
cell = "gru"
epochs = 2

[about]
summary = "a small one"
minutes = 0.5
"""

# Text of a recipe, line and column, words of the refusal.
WRONG = [
    ("hidden = 0", "1:1", ["hidden", "whole number from 1", '"0"']),
    ("bptt = 8\nhidden = 99999999999", "2:1", ["hidden", "whole number from 1"]),
    ("hidden = 8.0", "1:1", ["hidden", "a whole number, found 8.0"]),
    ('hidden = "8"', "1:1", ["hidden", "a whole number, found the text"]),
    ("  lr = 0", "1:3", ["lr", "a number above 0"]),
    ("lr = nan", "1:1", ["lr", "a number above 0"]),
    ("dropout = 1", "1:1", ["dropout", "below 1"]),
    ("seed = -1", "1:1", ["seed", "18446744073709551615"]),
    ("tied = 1", "1:1", ["tied", "true or false, found 1"]),
    ("tied = \"true\"", "1:1", ["tied", "true or false"]),
    ("cell = 3", "1:1", ["cell", "a text in quotes, found 3"]),
    ('cell = "gur"', "1:1", ["cell", "gru-reset-before"]),
    ('state = "keep"', "1:1", ["state", "carry"]),
    ("# a comment\nhiden = 3", "2:1", ["hiden", "did you mean hidden?"]),
    ("nhid = 3", "1:1", ["unknown key nhid; did you mean hidden?"]),
    ("wdecay = 0.1", "1:1", ["unknown key wdecay; did you mean weight-decay?"]),
    ("dropoutt = 0.1", "1:1", ["unknown key dropoutt; did you mean dropout?"]),
    ("help = true", "1:1", ["unknown key help"]),
    ('recipe = "shakespeare"', "1:1", ["unknown key recipe"]),
    ("hidden = [3]", "1:1", ["hidden", "a list"]),
    ("[train]\nhidden = 3", "1:2", ["train", "a table"]),
    ("hidden = 2026-01-01", "1:1", ["hidden", "a date"]),
    ("steps = 3\nminutes = 1", "2:1", ["steps and minutes exclude each other"]),
    ('save = "m"', "1:1", ["save", "command line"]),
    ('valid = "v"', "1:1", ["valid", "command line"]),
    ("resume = true", "1:1", ["resume", "command line"]),
    ("hidden = 3\nhidden = 4", "2:", ["not TOML"]),
    ("hidden", "1:", ["not TOML"]),
    ("a = [1, 2", "1:", ["not TOML"]),
    ("[about]\nauthor = 3", "2:1", ["author", "summary"]),
    ("[about]\nsummary = 3", "2:1", ["summary", "quotes"]),
    ("[about]\nminutes = 0", "2:1", ["minutes", "above 0"]),
    ('[about]\nminutes = "3"', "2:1", ["minutes", "above 0"]),
    ('about = "me"', "1:1", ["unknown key about"]),
    (b"\xff = 3", "1:1", ["not TOML"]),
    ("a = " + "[" * 100_000, "1:", ["not TOML"]),
]


class Recipes(CommandTest):
    def train(self, recipe, *flags, save="m", task="language"):
        model = self.folder / save
        text = self.text if task == "language" else self.write(f"{task}.txt", TEXTS[task])
        self.last = self.succeed("train", text, "--save", model, "--recipe", recipe, *flags)
        return model

    def options(self, model):
        return json.loads(self.succeed("inspect", model, "--json").out)["training"]["options"]

    def listed(self):
        return json.loads(self.succeed("recipes", "--json").out)["recipes"]

    def test_the_list_holds_the_repository_s_recipes_with_all_that_is_to_be_known(self):
        listed = self.listed()
        self.assertEqual([recipe["name"] for recipe in listed], [path.stem for path in RECIPES])
        self.assertIn("shakespeare", [path.stem for path in RECIPES])
        text = self.succeed("recipes").out
        for recipe in listed:
            for key in ["summary", "data", "result", "source"]:
                self.assertTrue(recipe[key], recipe)
                self.assertIn(recipe[key], text)
            self.assertTrue(recipe["flags"], recipe)
            self.assertRegex(text, rf"(?m)^{recipe['name']}$")

    def test_a_recipe_is_printed_as_its_file_is(self):
        for path in RECIPES:
            self.assertEqual(self.succeed("recipes", path.stem).raw, path.read_bytes())
            self.assertEqual(self.succeed("recipes", path).raw, path.read_bytes())
            found = json.loads(self.succeed("recipes", path.stem, "--json").out)
            self.assertEqual(found["text"], path.read_text(encoding="utf-8"))

    def test_every_recipe_trains(self):
        for recipe in self.listed():
            # One row: sanitizers take minutes for all rows of the large networks.
            model = self.train(recipe["name"], "--steps", "2", "--batch-size", "1", "--overwrite", "--quiet",
                               task=recipe["flags"].get("task", "language"))
            found = self.options(model)
            self.assertEqual(found["steps"], "2")
            for name, value in recipe["flags"].items():
                if name in found and name not in ("steps", "batch-size"):
                    expected = str(value).lower() if isinstance(value, bool) else value
                    self.assertEqual(type(expected)(found[name]), expected, (recipe["name"], name))

    def test_a_recipe_is_the_flags_that_it_names(self):
        recipe = self.write("small.toml", SMALL)
        model = self.train(recipe)
        self.assertIn("recipe   small: --hidden 7 --tied --lr 0.02 --batch-size 3 --bptt 6 --cell gru --epochs 2\n",
                      self.last.err)
        other = self.folder / "other"
        self.succeed("train", self.text, "--save", other, "--hidden", "7", "--tied", "--lr", "0.02", "--batch-size", "3",
                     "--bptt", "6", "--cell", "gru", "--epochs", "2", "--quiet")
        self.assertEqual(model.read_bytes(), other.read_bytes())

    def test_flags_override_it_wherever_they_stand(self):
        recipe = self.write("small.toml", SMALL)
        arguments = ["--hidden", "5", self.text, "--recipe", recipe, "--save", self.folder / "m", "--nlayers", "2",
                     "--steps", "3", "--cell=lstm"]
        said = self.succeed("train", *arguments).err
        self.assertIn("recipe   small: --tied --lr 0.02 --batch-size 3 --bptt 6\n", said)
        found = self.options(self.folder / "m")
        self.assertEqual([found[name] for name in ["hidden", "layers", "cell", "steps", "tied", "lr"]],
                         ["5", "2", "lstm", "3", "true", "0.02"])
        self.assertNotIn("epochs", found)

    def test_a_recipe_for_a_task_means_that_task_s_flags_and_defaults(self):
        recipe = self.write("names.toml", 'task = "classify"\ntokenizer = "char"\nreadout = "max"\nhidden = 4\n'
                            'steps = 2\n')
        model = self.train(recipe, "--quiet", task="classify")
        text, other = self.folder / "classify.txt", self.folder / "n"
        flags = ["--task", "classify", "--tokenizer", "char"]
        self.succeed("train", text, "--save", other, *flags, "--readout", "max", "--hidden", "4", "--steps", "2",
                     "--quiet")
        self.assertEqual(model.read_bytes(), other.read_bytes())
        self.assertNotIn("dropout-words", self.options(model))
        self.refuse(2, ["--task tag", "classify"], "train", text, "--save", other, "--recipe", recipe, "--task", "tag")
        wrong = self.write("wrong.toml", 'task = "clasify"\n')
        self.refuse(2, [f"{wrong}:1:1", "classify"], "train", text, "--save", self.folder / "o", "--recipe", wrong)

    def test_minutes_override_epochs(self):
        model = self.train(self.write("small.toml", SMALL), "--minutes", "0.02")
        self.assertNotIn("--epochs", self.last.err)
        self.assertIn("steps", self.options(model))

    def test_what_belongs_to_a_choice_goes_with_it(self):
        recipe = self.write("step.toml", 'schedule = "step"\ndecay-after = 1\ndecay = 3.0\noptimizer = "sgd"\n'
                            'momentum = 0.5\nhidden = 4\nsteps = 2\n')
        self.train(recipe, "--quiet")
        self.train(recipe, "--schedule", "constant", "--optimizer", "adam", save="n")
        self.assertIn("recipe   step: --hidden 4 --steps 2\n", self.last.err)

    def test_false_leaves_a_toggle_off(self):
        recipe = self.write("small.toml", "tied = false\nhidden = 4\nsteps = 2\n")
        self.assertEqual(self.options(self.train(recipe))["tied"], "false")
        self.assertEqual(self.options(self.train(recipe, "--tied", save="n"))["tied"], "true")

    def test_a_toggle_of_a_recipe_is_taken_back(self):
        recipe = self.write("small.toml", SMALL)
        self.assertEqual(self.options(self.train(recipe, "--tied=false"))["tied"], "false")
        self.assertNotIn("--tied", self.last.err)
        train = ["train", self.text, "--save", self.folder / "n", "--recipe", recipe]
        self.refuse(2, ["--tied=false", "contradict"], *train, "--tied", "--tied=false")
        self.refuse(2, ["--tied takes no value"], *train, "--tied=no")
        self.refuse(2, ["--quiet takes no value"], *train, "--quiet=false")

    def test_a_run_by_a_recipe_can_be_resumed_and_its_changes_are_refused(self):
        recipe = self.write("small.toml", SMALL)
        model = self.train(recipe)
        self.assertIn("already complete", self.succeed("train", self.text, "--save", model, "--recipe", recipe,
                                                       "--resume").err)
        self.write("small.toml", SMALL.replace("hidden = 7", "hidden = 8"))
        self.refuse(2, ["hidden"], "train", self.text, "--save", model, "--recipe", recipe, "--resume", "--quiet")

    def test_from_a_model_only_the_run_is_the_recipe_s(self):
        first = self.folder / "first"
        self.succeed("train", self.text, "--save", first, "--hidden", "5", "--steps", "2", "--quiet")
        model = self.train(self.write("small.toml", SMALL), "--from", first, "--quiet")
        found = self.options(model)
        self.assertEqual((found["cell"], found["hidden"], found["bptt"]), ("lstm", "5", "6"))

    def test_what_is_wrong_is_told_with_file_line_and_column(self):
        for content, place, words in WRONG:
            recipe = self.write("wrong.toml", content)
            self.refuse(2, [f"{recipe}:{place}", *words], "train", self.text, "--save", self.folder / "m", "--recipe",
                        recipe)
        self.assertFalse((self.folder / "m").exists())

    def test_what_is_no_recipe_is_refused(self):
        def refuse(status, words, recipe):
            self.refuse(status, words, "train", self.text, "--save", self.folder / "m", "--recipe", recipe)
            self.refuse(status, words, "recipes", recipe)

        refuse(2, ["shakespear", "did you mean shakespeare?"], "shakespear")
        refuse(2, ["xyzzy", "unroll recipes"], "xyzzy")
        refuse(1, ["missing.toml"], self.folder / "missing.toml")
        (self.folder / "folder.toml").mkdir()
        refuse(1, ["folder.toml", "folder"], self.folder / "folder.toml")
        refuse(2, ["large.toml", "1 MiB"], self.write("large.toml", "#" * (1 << 20) + "\n"))
        refuse(1, ["wide.toml is UTF-16", "iconv -f UTF-16"], self.write("wide.toml", "hidden = 3".encode("utf-16")))
        (self.folder / "endless.toml").symlink_to("/dev/zero")
        refuse(2, ["endless.toml", "1 MiB"], self.folder / "endless.toml")

    def test_an_empty_recipe_says_nothing(self):
        recipe = self.write("empty.toml", "")
        flags = ["--hidden", "4", "--steps", "2", "--quiet"]
        model = self.train(recipe, *flags)
        self.succeed("train", self.text, "--save", self.folder / "plain", *flags)
        self.assertEqual(model.read_bytes(), (self.folder / "plain").read_bytes())


if __name__ == "__main__":
    main()
