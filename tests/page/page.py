#!/usr/bin/env python3
"""A browser goes through the page of unroll serve: page/page.py UNROLL FOLDER

Installs playwright-core and axe-core into FOLDER, in the versions of package-lock.json; the browser is Debian's
chromium. Status 77: it, node, npm or the registry cannot be had.
"""

import gzip
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

FOLDER = pathlib.Path(sys.argv.pop(2)).resolve()

# pylint: disable=wrong-import-position
from command_line import PATIENCE, SMALL, UNROLL, CommandTest, main, run, sentences  # noqa: E402
from http_client import Server  # noqa: E402
from npm_packages import install, skip  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent
WEB = SOURCE.parents[1] / "web"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
KEY = "secret"
MOST_BYTES = 150 * 1024  # of the page, compressed

# Words of a vocabulary that would be markup, Hebrew, Arabic with marks, and characters that are none.
HOSTILE = ["<img/src=x/onerror=hacked=1>", "<script>hacked=1</script>", "</svg>", "&lt;b&gt;", "'\"", "]]>", "שלום",
           "עולם", "مُحَمَّد", "e\u0301", "\u200f"]
FIRST = "In the beginning God created"
SECOND = "God the In created beginning"
HEBREW = "שלום עולם"
REVIEW = "the film is lovely"
MOOD = "the film is lovely"
WRITTEN = {"prompt": "And the ", "seed": 3, "length": 40, "temperature": 0.7, "top_k": 20, "top_p": 0.9}


def without_bodies(path):
    """The selectors of a style sheet."""
    text = re.sub(r"/[*].*?[*]/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"(?<={)[^{}]*(?=})|[(][^()]*[)]", "", text)


def schemes(path):
    """{(last part of a selector, property): value} of a style sheet's light scheme, and of its rules for the dark one."""
    text = re.sub(r"/[*].*?[*]/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    dark = re.compile(r"@media [(]prefers-color-scheme: dark[)] {(.*?)\n}", flags=re.DOTALL)
    return [{(selector.split()[-1], field): value
             for selectors, body in re.findall(r"([^{}]+){([^{}]*)}", rules)
             for selector in selectors.split(",") if selector.strip()
             for field, value in re.findall(r"([\w-]+): ([^;]+);", body)}
            for rules in (dark.sub("", text), "".join(dark.findall(text)))]


def contrast(one, other):
    """Of two colours, as WCAG computes it."""
    def luminance(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def medians(flow):
    """[lag, median] of the whole state's gradient, for some lags."""
    line = flow["models"][0]["lines"][0]
    return [[lag, line["median"][lag]] for lag in (1, 5, 10)]


class Page(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = [" ".join(HOSTILE[i % 11:] + HOSTILE[:i % 11]) for i in range(60)]
        cls.hostile = cls.learn("hostile", lines, "--tokenizer", "whitespace")
        words = {"good": ("lovely", "great"), "bad": ("dull", "weak")}
        reviews = [f"__label__{label} the {noun} is {word}" for noun in ("film", "cast", "plot", "end")
                   for label, of in words.items() for word in of]
        tagged = [f"{name}\tB-PER\nsees\tO\n{place}\tB-LOC\n"
                  for name in ("Anna", "Otto") for place in ("Bonn", "Rome")]
        cls.several = cls.learn("several", ["__label__a __label__b a b", "__label__a a", "__label__b b"] * 8, "--task",
                                "classify", "--multi-label", "--embed", "8", "--lr", "0.1", "--valid-split", "0")
        cls.bytes = cls.learn("bytes", [HEBREW + " abc"] * 20, "--tokenizer", "byte")
        cls.tagger = cls.learn("tagger", tagged * 5, "--task", "tag", "--lr", "0.1", "--valid-split", "0")
        cls.silent = cls.learn("silent", ["the cat sees the dog"] * 40, "--begin", "none")
        cls.mood = cls.learn("mood", [f"__label__glad the {noun} is lovely\n__label__sad the {noun} was dull"
                                      for noun in ("film", "cast", "plot", "end")], "--task", "conditional",
                             "--valid-split", "0", "--lr", "0.1")
        cls.repeats = cls.learn_rivers()
        cls.reviews = cls.learn("reviews", reviews, "--task", "classify", "--embed", "8", "--lr", "0.1")

    @classmethod
    def learn_rivers(cls):
        """A model that writes two words, and those well."""
        text, model = cls.shared / "rivers.txt", cls.shared / "repeats.safetensors"
        text.write_text(("mountain river " * 8 + "\n") * 60, encoding="utf-8")
        done = run("train", text, "--save", model, "--hidden", "32", "--layers", "1", "--steps", "300", "--lr", "0.02",
                   "--quiet")
        assert done.status == 0, done.err
        return model

    @classmethod
    def learn(cls, name, lines, *flags):
        text = cls.shared / f"{name}.txt"
        text.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return cls.make_model(f"{name}.safetensors", *flags, text=text)

    def said(self, *arguments, stdin=""):
        return json.loads(self.succeed(*arguments, "--json", stdin=stdin.encode("utf-8")).out)

    def shares(self, twin):
        """What a twin gives the symbols of the first text, each after those before it."""
        line = self.said("score", WEB / "twins" / f"{twin}.safetensors", stdin=FIRST + "\n")
        return [math.exp(token["log_prob"]) for token in line["tokens"]]

    def under(self, label, text):
        """ln p of a text that the model of moods is given a label for."""
        return self.said("score", self.mood, "--label", label, stdin=text + "\n")["log_prob"]

    def expected(self):
        """What the command says of the models that the page shows."""
        tanh = WEB / "twins" / "tanh.safetensors"
        first, second = (json.loads(line) for line in self.succeed(
            "score", tanh, "--json", stdin=f"{FIRST}\n{SECOND}\n".encode()).out.splitlines())
        text = self.write("first.txt", FIRST)
        flow = self.said("gradflow", tanh, text, "--lags", "10")
        network = self.said("inspect", tanh)
        label = self.said("classify", self.reviews, stdin=REVIEW + "\n")
        written = self.succeed("generate", WEB / "twins" / "lstm.safetensors", "--prompt", WRITTEN["prompt"], "--seed",
                               str(WRITTEN["seed"]), "--length", str(WRITTEN["length"]), "--temperature",
                               str(WRITTEN["temperature"]), "--top-k", str(WRITTEN["top_k"]), "--top-p",
                               str(WRITTEN["top_p"])).out
        return {
            "first": FIRST, "second": SECOND, "firstLogProb": first["log_prob"], "secondLogProb": second["log_prob"],
            "fourthRank": first["tokens"][3]["rank"],
            "shares": {twin: self.shares(twin) for twin in ("tanh", "gru", "lstm")}, "parameters": f"{network['parameters']:,}",
            "W": f"{network['config']['hidden'] ** 2:,}",
            "medians": medians(flow), "review": REVIEW, "label": label["label"],
            "probability": label["probabilities"][label["label"]],
            "written": {**WRITTEN, "text": written.removeprefix(WRITTEN["prompt"]).removesuffix("\n")},
            "mood": {"text": MOOD, **{label: self.under(label, MOOD) for label in ("glad", "sad")}},
            "hostile": " ".join(HOSTILE), "hebrew": HEBREW,
        }

    def test_the_page_in_a_browser(self):
        models = [f"{path.stem}={path}" for path in
                  (self.reviews, self.tagger, self.hostile, self.bytes, self.several, self.silent, self.mood, self.repeats)]
        with Server(*models, "--api-key", KEY) as server:
            facts = {"url": f"http://127.0.0.1:{server.port}/", "key": KEY, "expected": self.expected()}
            file = self.write("expected.json", json.dumps(facts))
            for tests in "page.mjs", "units.mjs", "trouble.mjs":
                self.browse(tests, file)

    def test_models_of_other_sizes_and_reports_in_a_browser(self):
        deep = self.learn("deep", sentences(150), "--layers", "2", "--cell", "gru", "--log", self.shared / "deep.jsonl",
                          "--sample-every", "10")
        words = [f"w{i}" for i in range(10_000)]
        wide = self.learn("words", [" ".join(words[i:i + 10]) for i in range(0, 10_000, 10)], "--tokenizer", "word",
                          "--valid-split", "0", "--embed", "8")
        self.assertGreaterEqual(len(self.said("inspect", wide)["tokenizer"]["vocabulary"]), 10_000)
        reports = []
        for name, arguments in (("runs", [deep, self.shared / "deep.jsonl", wide, "--text", self.shared / "deep.txt"]),
                                ("reviews", [self.reviews, "--text", self.shared / "reviews.txt"])):
            reports.append(self.folder / f"{name}.html")
            self.succeed("report", *arguments, "--save", reports[-1], "--quiet")
        with Server(f"deep={deep}", f"words={wide}") as server:
            facts = {"url": f"http://127.0.0.1:{server.port}/", "key": "", "expected": {
                "sentence": "the cat sees the dog", "words": " ".join(words[:8]), "reports": [r.as_uri() for r in reports]}}
            self.browse("models.mjs", self.write("models.json", json.dumps(facts)))

    def browse(self, tests, file, *names):
        done = subprocess.run(["node", tests, CHROMIUM, file, *names], cwd=FOLDER, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_runs_in_a_browser(self):
        hostile = self.shared / "hostile.txt", "--tokenizer", "whitespace"
        for name, text, steps, stops in (
                ("aRunThatWasStoppedIsContinuedAndItsEndIsSeen", [self.text], 20_000, True),
                ("aRunIsStoppedAndContinuedByItsButtonsAndItsSamplesAreText", hostile, 100_000_000, False),
                ("aRunThatIsKilledIsSaidNotToAnswer", [self.text], 100_000_000, False)):
            with subprocess.Popen([UNROLL, "train", *text, *SMALL, "--steps", str(steps), "--sample-every", "50",
                                   "--save", self.folder / f"{name}.safetensors", "--dashboard"],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                self.addCleanup(process.kill)
                url, _, hash_ = process.stderr.readline().decode("utf-8").split()[-1].partition("#")
                if stops:
                    body = json.dumps({"token": hash_.partition("token=")[2]}).encode("utf-8")
                    urllib.request.urlopen(urllib.request.Request(f"{url}v1/run/stop", body), timeout=PATIENCE).close()
                threading.Thread(target=process.stderr.read, daemon=True).start()
                facts = {"url": url, "key": "", "expected": {"pid": process.pid, "hash": f"#{hash_}"}}
                self.browse("dashboard.mjs", self.write(f"{name}.json", json.dumps(facts)), name)

    def test_the_page_names_all_its_modules_at_once(self):
        index = (WEB / "index.html").read_text(encoding="utf-8")
        modules = {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js")}
        self.assertEqual(set(re.findall('(?:src|href)="([^"]+[.]js)"', index)), modules)

    def test_rules_of_the_page_leave_pictures_alone(self):
        of_pictures = set(re.findall(r"[.]([a-zA-Z][\w-]*)", without_bodies(WEB / "picture.css")))
        for selector in re.split("[,{}]", without_bodies(WEB / "page.css")):
            first = re.match(r"[.]([\w-]+)", selector.strip())
            if first and first[1] in of_pictures:
                self.fail(f"{selector.strip()} is a class of pictures, too: name the element")

    def test_texts_on_colours_that_stand_for_numbers_can_be_read(self):
        for name, behind, before, selectors in (
                ("picture.css", "fill", "fill", (".heat{}", "text.on{}")),
                ("page.css", "background", "color", (".s{}", ".s{}"))):
            light, dark = schemes(WEB / name)
            for scheme, rules in ("light", light), ("dark", {**light, **dark}):
                for shade in range(0 if name == "picture.css" else 1, 8):
                    paper, ink = (rules[selector.format(shade), field]
                                  for selector, field in zip(selectors, (behind, before)))
                    self.assertGreaterEqual(contrast(paper, ink), 4.5, (name, scheme, shade, paper, ink))

    def test_the_page_is_small(self):
        files = [path for path in WEB.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")]
        self.assertLess(sum(len(gzip.compress(path.read_bytes())) for path in files), MOST_BYTES)


if __name__ == "__main__":
    if not CHROMIUM:
        skip("there is no chromium (tools/setup test installs it)")
    install(SOURCE, FOLDER)
    main()
