#!/usr/bin/env python3
"""The Python module as a package: its stub, its documents, its wheel, and what it does besides scoring."""

import ast
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import numpy

import unroll
from module_tests import CommandTest, main, sentence_text, sentences

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL_OPTIONS = {"hidden": 8, "batch_size": 4, "bptt": 8, "steps": 20}


def parameters_told(function):
    """The names of a compiled function's parameters, from the first line of its docstring; None: it takes any name."""
    signature = re.search(r"\((.*)\) -> ", function.__doc__.split("\n")[0]).group(1)
    names = [part.split(":")[0].strip() for part in re.split(r", (?=\*{0,2}\w+(?::|$| =)|\*)", signature)]
    return None if "**kwargs" in names else [name for name in names if name not in ("*", "")]


INHERITED = []  # by processes that are forked


def score_in_child(lines):
    return INHERITED[0].score(lines).tolist()


def without_metadata(model):
    """The tensors of a model file alone, as others write them to safetensors with PyTorch's names."""
    size = int.from_bytes(model[:8], "little")
    header = json.loads(model[8:8 + size])
    del header["__metadata__"]
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + model[8 + size:]


class Module(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = cls.make_model("char.safetensors")
        cls.model = unroll.Model.open(cls.path)

    def test_the_stub_names_everything_with_its_parameters(self):
        tree = ast.parse((ROOT / "python" / "unroll" / "__init__.pyi").read_text(encoding="utf-8"))
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        results = {"Evaluation", "ImportedModel", "StepReport", "TrainResult"}
        self.assertEqual(set(classes) | set(functions) | results, set(unroll.__all__))
        found = [(f"unroll.{name}", getattr(unroll, name), node) for name, node in functions.items()]
        for name, node in classes.items():
            members = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
            real = {key for key in vars(getattr(unroll, name)) if not key.startswith("_")}
            self.assertEqual({key for key in members if not key.startswith("_")} | {"code", "field", "index"} & real, real)
            found += [(f"{name}.{key}", getattr(getattr(unroll, name), key), part) for key, part in members.items()
                      if not key.startswith("_")]
        for name, function, node in found:
            self.assertTrue(function.__doc__, name)
            if isinstance(function, property):
                continue
            told = parameters_told(function)
            stated = [argument.arg for argument in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
            if told is not None:
                self.assertEqual(stated, told, name)

    def test_options_of_the_stub_are_those_that_are_taken(self):
        tree = ast.parse((ROOT / "python" / "unroll" / "__init__.pyi").read_text(encoding="utf-8"))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef) or node.name not in ("Scorer", "Generator"):
                continue
            init = next(part for part in node.body if getattr(part, "name", "") == "__init__")
            for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults):
                given = {argument.arg: ast.literal_eval(default)}
                if argument.arg.startswith(("cache_", "dynamic_")):
                    given[argument.arg.split("_")[0]] = True
                if argument.arg != "ngram_lambda":  # takes a file
                    getattr(unroll, node.name)(self.model, **given)

    def test_a_model_tells_what_it_is(self):
        self.assertEqual(self.model.config["cell"], "lstm")
        self.assertEqual((self.model.config["hidden"], self.model.config["layers"]), (8, 1))
        metadata = self.model.metadata
        self.assertEqual((metadata["task"], metadata["complete"]), ("language", True))
        self.assertEqual(metadata["options"]["hidden"], "8")
        self.assertEqual(metadata["history"][-1]["step"], 20)
        self.assertEqual(self.model.tensors["rnn.weight_hh_l0"], (32, 8))
        self.assertEqual(metadata["parameters"], sum(int(numpy.prod(shape)) for shape in self.model.tensors.values()))
        self.assertEqual(len(self.model.tokenizer), self.model.config["vocabulary"])
        for path, code in [(self.shared / "nothing", "file"), (self.text, "format")]:
            with self.assertRaises(unroll.Error) as caught:
                unroll.Model.open(path)
            self.assertEqual(caught.exception.code, code)

    def test_a_tokenizer_encodes_and_decodes(self):
        tokenizer = unroll.Tokenizer.train("the cat\nthe h\u00e9 dog\n", kind="char")
        ids = tokenizer.encode("the h\u00e9\n")
        self.assertEqual(ids.dtype, numpy.int32)
        self.assertEqual(tokenizer.decode(ids), "the h\u00e9\n")
        self.assertEqual([tokenizer.names[i] for i in ids], list("the h\u00e9\n"))
        self.assertEqual(tokenizer.spans("h\u00e9a").tolist(), [[0, 1], [1, 3], [3, 4]])
        self.assertEqual(tokenizer.encode_line("the").tolist(), ids[:3].tolist())
        self.assertEqual(tokenizer.encode("").tolist(), [])
        every = bytes(range(256)) + b"\n"
        raw = unroll.Tokenizer.train(every, kind="byte")
        self.assertEqual(raw.decode(raw.encode(every)).encode("utf-8", "surrogateescape"), every)
        words = unroll.Tokenizer.from_vocabulary("whitespace", ["<unk>", "<eos>", "the", "cat"])
        self.assertEqual(words.encode("the dog cat").tolist(), [2, 0, 3, 1])
        self.assertEqual((words.boundary, words.unknown, len(words), words.kind), (1, 0, 4, "whitespace"))
        self.assertEqual(words.decode([2, 3, 1]), "the cat\n")
        with self.assertRaises(unroll.Error):
            words.decode([4])
        with self.assertRaisesRegex(unroll.Error, "char, byte"):
            unroll.Tokenizer.train("ab", kind="letters")

    def test_a_generator_writes_what_the_command_writes(self):
        for flags, options in [([], {}), (["--temperature", "0.5", "--top-k", "5"], {"temperature": 0.5, "top_k": 5}),
                               (["--stop", "a"], {"stop": "a"}), (["--top-p", "0.9"], {"top_p": 0.9})]:
            done = self.succeed("generate", self.path, "--prompt", "the ", "--length", "60", "--count", "2", "--seed", "4",
                                *flags)
            generator = unroll.Generator(self.model, seed=4, **options)
            pieces = generator.pieces("the ", 60)
            first = "".join(pieces)
            self.assertEqual(pieces.finish, "stop" if "stop" in options else "length")
            second = generator.write("the ", 60)
            told = ["the " + text + ("" if text.endswith("\n") else "\n") for text in (first, second)]
            self.assertEqual("----\n".join(told), done.out)

    def test_biases_and_penalties_change_what_a_generator_writes(self):
        names = self.model.tokenizer.names
        self.assertEqual(unroll.Generator(self.model, logit_bias={names.index("h"): 1000}).write("the ", 7), "h" * 7)
        text = unroll.Generator(self.model, temperature=0, presence_penalty=1000).write("", 8)
        self.assertEqual(len(set(text)), 8)
        self.assertEqual(unroll.Generator(self.model, temperature=0, frequency_penalty=1000).write("", 8), text)
        for options in [{"logit_bias": {len(names): 1}}, {"logit_bias": {-1: 1}}, {"presence_penalty": 1e9}]:
            with self.assertRaises(unroll.Error) as caught:
                unroll.Generator(self.model, **options).write("", 1)
            self.assertEqual((caught.exception.code, caught.exception.field), ("usage", next(iter(options))))
        with self.assertRaises(TypeError):
            unroll.Generator(self.model, logit_bias=3)

    def test_a_text_that_another_replaces_says_so(self):
        generator = unroll.Generator(self.model)
        pieces = generator.pieces("the", 20)
        self.assertIsInstance(next(pieces), str)
        self.assertIsNone(pieces.finish)
        generator.write("a", 3)
        with self.assertRaisesRegex(unroll.Error, "another text"):
            next(pieces)
        with self.assertRaises(unroll.Error) as caught:
            generator.write("the", -1)
        self.assertEqual((caught.exception.code, caught.exception.field), ("usage", "length"))

    def test_an_evaluation_has_the_figures_of_the_command(self):
        text = unroll.read_text(self.text)
        for flags, options in [([], {}), (["--state", "reset"], {"state": "reset"}),
                               (["--cache", "--cache-weight", "0.3"], {"cache": True, "cache_weight": 0.3})]:
            done = self.succeed("eval", self.path, self.text, "--json", *flags)
            figures = vars(unroll.evaluate(self.model, text, **options))
            for name, value in re.findall(r'"(\w+)":([-\d.e]+)', done.out):
                if name in figures:
                    self.assertEqual(figures[name], float(value), name)
        with self.assertRaises(unroll.Error):
            unroll.evaluate(self.model, "")

    def train(self, name, callback=None, **options):
        save = self.folder / name
        return unroll.train(self.text, callback, save=save, **{**SMALL_OPTIONS, **options}), save

    def test_training_gives_the_file_of_the_command_and_reports_each_step(self):
        reports = []
        result, save = self.train("a.safetensors", reports.append)
        self.assertEqual(save.read_bytes(), self.path.read_bytes())
        self.assertEqual([report.step for report in reports], list(range(1, 21)))
        self.assertTrue(all(0 < report.nats_per_token < 5 for report in reports))
        self.assertEqual(result.steps, 20)
        self.assertFalse(result.interrupted)
        self.assertLess(result.best_valid_nats_per_token, 5)

    def test_a_callback_stops_a_run_that_can_be_resumed(self):
        result, save = self.train("b.safetensors", lambda report: report.step < 7)
        self.assertEqual((result.steps, result.interrupted), (7, True))

        class Enough(Exception):
            pass

        def raise_it(report):
            if report.step == 12:
                raise Enough

        with self.assertRaises(Enough):
            self.train("b.safetensors", raise_it, resume=True)
        result, save = self.train("b.safetensors", resume=True)
        self.assertEqual(result.steps, 20)
        self.assertIn("after step 12 of 20", result.notes[0])
        self.assertEqual(save.read_bytes(), self.path.read_bytes())

    def test_options_that_are_wrong_are_named_as_they_are_given(self):
        for options, field in [({"batch_size": 0}, "batch_size"), ({"cell": "lst"}, "cell"), ({"lr": -1}, "lr"),
                               ({"from_model": self.path, "overwrite": True, "hidden": None}, None)]:
            if field is None:
                self.assertEqual(self.train("c.safetensors", **options)[0].steps, 20)
                continue
            with self.assertRaises(unroll.Error) as caught:
                self.train("c.safetensors", **options)
            self.assertEqual((caught.exception.code, caught.exception.field), ("usage", field))
        with self.assertRaisesRegex(TypeError, "'hiden'"):
            self.train("c.safetensors", hiden=3)
        with self.assertRaisesRegex(TypeError, "'hidden' cannot be str"):
            self.train("c.safetensors", hidden="3")

    def test_a_file_of_another_program_is_imported(self):
        source = self.write("theirs.safetensors", without_metadata(self.path.read_bytes()))
        vocab = self.write("vocab.json", json.dumps(self.model.tokenizer.names))
        save = self.folder / "imported.safetensors"
        imported = unroll.import_model(source, vocab=vocab, save=save)
        lines = sentences(5)
        expected = unroll.Scorer(self.model).score(lines).tolist()
        for model in (imported.model, unroll.Model.open(save)):
            self.assertEqual(unroll.Scorer(model).score(lines).tolist(), expected)
        self.assertIn("rnn.weight_hh_l0", imported.tensors)
        self.assertIsInstance(imported.notes, list)
        self.assertIn("decoder.weight", unroll.describe_checkpoint(source))
        for options, field in [({"vocab": vocab, "save": save}, "save"), ({"vocab": "printable"}, "vocab"),
                               ({"vocab": "sorted"}, "texts")]:
            with self.assertRaises(unroll.Error) as caught:
                unroll.import_model(source, **options)
            self.assertEqual(caught.exception.field, field)

    def test_classifiers_and_taggers_answer_as_the_command(self):
        lines = [("good", "what a fine film"), ("bad", "no cat likes it"), ("bad", "what a cat"), ("good", "a fine day")]
        data = self.write("films.tsv", "label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in lines * 20))
        save = self.folder / "films.safetensors"
        unroll.train(data, save=save, task="classify", hidden=8, embed=8, steps=15, valid_split=0)
        classifier = unroll.Classifier(unroll.Model.open(save))
        texts = [text for _, text in lines] + ["", "h\u00e9 zebra"]
        done = self.succeed("classify", save, "--quiet", stdin="".join(text + "\n" for text in texts).encode())
        told = [row.split("\t") for row in done.out.splitlines()]
        probabilities = classifier.probabilities(texts)
        self.assertEqual(probabilities.shape, (6, 2))
        self.assertEqual(classifier.classify(texts), [label for label, _ in told])
        self.assertEqual(probabilities.max(axis=1).tolist(), [float(p) for _, p in told])
        self.assertEqual(classifier.classify(texts[0]), told[0][0])
        self.assertEqual(classifier.probabilities(texts[0]).tolist(), probabilities[0].tolist())
        numpy.testing.assert_allclose(numpy.exp(classifier.log_probs(texts)), probabilities, rtol=1e-12)
        self.assertEqual(unroll.Classifier(unroll.Model.open(save), threshold=1.0).classify(texts), [None] * 6)
        with self.assertRaises(unroll.Error):
            unroll.Scorer(unroll.Model.open(save))

        columns = self.write("tags.txt", "the D\ncat N\nsees V\n\na D\ndog N\n\n" * 20)
        save = self.folder / "tags.safetensors"
        unroll.train(columns, save=save, task="tag", hidden=8, embed=8, chars=4, steps=15, valid_split=0)
        tagger = unroll.Tagger(unroll.Model.open(save), n_best=2, confidence=True)
        sentences_to_tag = [["the", "dog"], ["a", "zebra", "sees"], []]
        tags = tagger.tag(sentences_to_tag)
        done = self.succeed("tag", save, "--quiet", "--format", "text", "--json", "--n-best", "2", "--confidence",
                            stdin=b"the dog\na zebra sees\n")
        told = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual(tags, [entry["tags"] for entry in told] + [[]])
        self.assertEqual(tagger.tag(["the", "dog"]), tags[0])
        for entry, found in zip(told, tagger.sequences(sentences_to_tag)):
            self.assertEqual([(each["tags"], each["log_prob"], each["confidence"].tolist()) for each in found],
                             [(each["tags"], each["log_prob"], each["confidence"]) for each in entry["n_best"]])
        with self.assertRaises(TypeError):
            tagger.tag("the dog")

    def test_a_wheel_holds_the_package(self):
        try:
            import setuptools  # noqa: F401
            import wheel  # noqa: F401
        except ImportError as error:
            self.skipTest(f"no wheel is made without it: {error}")
        # From a copy, since setuptools writes beside what it packs.
        source = self.folder / "source"
        for name in ("CMakeLists.txt", "LICENSE", "pyproject.toml", "setup.py", "docs/python.md"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
        shutil.copytree(ROOT / "python" / "unroll", source / "python" / "unroll")
        done = subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index",
                               "--wheel-dir", self.folder, source], capture_output=True, text=True, check=False)
        if "No module named pip" in done.stderr:
            self.skipTest("no wheel is made without pip")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (made,) = self.folder.glob("unroll-*.whl")
        self.assertIn(f"-{unroll.__version__}-", made.name)
        with zipfile.ZipFile(made) as archive:
            names = {name.split("/")[-1].split(".")[0] for name in archive.namelist() if name.startswith("unroll/")}
            archive.extractall(self.folder / "installed")
        self.assertEqual(names, {"__init__", "_core", "py", "results"})
        done = subprocess.run([sys.executable, "-c", "import unroll; print(unroll.__file__)"], capture_output=True,
                              text=True, check=True, env={**os.environ, "PYTHONPATH": str(self.folder / "installed")})
        self.assertEqual(pathlib.Path(done.stdout.strip()).parent, self.folder / "installed" / "unroll")

    def interrupted(self, code):
        """A program of Python that says "ready", then gets Ctrl-C: its output and its status."""
        process = subprocess.Popen([sys.executable, "-B", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=self.folder, text=True)
        line = process.stdout.readline()
        if line != "ready\n":
            self.fail(line + process.communicate()[1])
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return out, err

    def test_ctrl_c_ends_long_calls_and_saves_what_was_trained(self):
        scoring = f"""
import unroll
scorer = unroll.Scorer(unroll.Model.open({str(self.path)!r}), threads=1)
print("ready", flush=True)
try:
    scorer.score(["the cat sees the dog " * 1000] * 20000)
except KeyboardInterrupt:
    print("interrupted", scorer.score("the"))
"""
        out, err = self.interrupted(scoring)
        self.assertEqual(out, f"interrupted {unroll.Scorer(self.model).score('the')}\n", err)
        training = f"""
import unroll
said = lambda report: print("ready", flush=True) if report.step == 1 else None
try:
    unroll.train({str(self.text)!r}, said, save="long.safetensors", hidden=8, steps=10000000)
except KeyboardInterrupt:
    print("interrupted")
"""
        out, err = self.interrupted(training)
        self.assertEqual(out, "interrupted\n", err)
        self.assertTrue((self.folder / "long.safetensors.resume").exists())

    def test_a_forked_process_scores_with_threads_of_its_own(self):
        scorer = unroll.Scorer(self.model, threads=2)
        lines = sentences(50)
        expected = scorer.score(lines).tolist()
        INHERITED.append(scorer)
        self.addCleanup(INHERITED.clear)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            results = [pool.apply_async(score_in_child, (lines,)) for _ in range(2)]
            self.assertEqual([result.get(60) for result in results], [expected] * 2)

    def test_warnings_of_the_library_are_warnings_of_python(self):
        import gzip
        path = self.write("text.gz", gzip.compress(b"the cat\n") + b"rest")
        with self.assertWarnsRegex(UserWarning, "text.gz"):
            self.assertEqual(unroll.read_text(path), "the cat\n")
        self.assertEqual(unroll.read_text([self.text, str(self.text)]), sentence_text(150) * 2)


if __name__ == "__main__":
    main()
