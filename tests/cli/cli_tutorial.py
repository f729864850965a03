#!/usr/bin/env python3
"""docs/tutorial shows what the command prints and draws, and the code that it names: cli/cli_tutorial.py UNROLL [--write]

Blocks fenced as `console` hold commands after "$ ", which go on after "> ", and what they print. The commands of a
chapter run one after the other in a folder of their own, in which docs/ and web/ are those of the repository. A number
must be the one that is shown, but for what processors round differently; in a block fenced as `console roughly` it may
be any. A picture must be drawn by a command above it. Each formula is followed by a line of the source, after the name
of a function in the same file.

With --write the chapters and pictures get what the commands print and draw.
"""

import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

WRITE = "--write" in sys.argv
if WRITE:
    sys.argv.remove("--write")

from command_line import PATIENCE, UNROLL, CommandTest, main  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"
CHAPTERS = sorted(TUTORIAL.glob("[1-9]-*.md"))
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
BLOCK = re.compile(r"(?ms)^(```console[^\n]*)\n(.*?)^```$")
FORMULA = re.compile(r"(?ms)^\$\$.*?\$\$\n\n(.*?)\n\n")
CODE = re.compile(r"\[`([\w:]+)`\]\(([^)#]+)\)[^`\[]*?:\s+`([^`]+)`")
PICTURE = re.compile(r"!\[[^\]]+\]\((pictures/[^)]+)\)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def commands(block):
    """[command as it is shown, the lines that it is said to print] of a block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line, []])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += "\n" + line
        else:
            found[-1][1].append(line)
    return found


def bare(shown):
    """The command without its prompts."""
    return "\n".join(line[2:] for line in shown.split("\n"))


def words(text):
    """The text without its numbers, with single blanks; the numbers."""
    return " ".join(NUMBER.sub("#", text).split()), [float(n.replace(",", "")) for n in NUMBER.findall(text)]


def agree(shown, printed, roughly=False, least=1e-9):
    """Whether two texts have the same words, and numbers that are equal within a part in 200, or `least`."""
    (text, numbers), (other, others) = words(shown), words(printed)
    near = [math.isclose(a, b, rel_tol=5e-3, abs_tol=least) for a, b in zip(numbers, others)]
    return text == other and (roughly or (len(numbers) == len(others) and all(near)))


def trimmed(lines):
    found = [line.rstrip() for line in lines]
    while found and not found[-1]:
        found.pop()
    return found


def drawing(svg):
    """A picture without its style sheet, which may change without the picture."""
    return re.sub(r"(?s)<style>.*?</style>", "", svg)


class Tutorial(CommandTest):
    def workplace(self, chapter):
        folder = self.folder / chapter.stem
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "unroll").symlink_to(UNROLL)
        for name in ("docs", "web"):
            (folder / name).symlink_to(ROOT / name)
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        return folder, environment

    def run_block(self, kind, block, folder, environment):
        """Checks a block of commands; returns it with what they print."""
        lines = []
        for shown, said in commands(block):
            done = subprocess.run(["bash", "-c", "set -o pipefail\n" + bare(shown)], cwd=folder, env=environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=PATIENCE, check=False)
            printed = trimmed(done.stdout.decode("utf-8").splitlines())
            lines += [shown, *printed]
            with self.subTest(command=bare(shown)):
                self.assertEqual(done.returncode, 0, done.stderr.decode("utf-8", "replace"))
                if not WRITE:
                    self.assertTrue(agree("\n".join(said), "\n".join(printed), "roughly" in kind),
                                    "\n".join(["shown:", *said, "printed:", *printed]))
        return "\n".join([kind, *lines, "```"])

    def follow(self, chapter):
        folder, environment = self.workplace(chapter)
        text = chapter.read_text(encoding="utf-8")
        self.assertGreaterEqual(len(BLOCK.findall(text)), 5)
        told = BLOCK.sub(lambda m: self.run_block(m[1], m[2], folder, environment), text)
        for picture in PICTURE.findall(text):
            self.assertIn(f"--save {pathlib.Path(picture).name}", text[: text.index(picture)])
            self.compare_picture(TUTORIAL / picture, folder / pathlib.Path(picture).name)
        if WRITE:
            chapter.write_text(told, encoding="utf-8")

    def compare_picture(self, committed, drawn):
        with self.subTest(picture=committed.name):
            self.assertTrue(drawn.exists())
            if WRITE:
                committed.parent.mkdir(exist_ok=True)
                shutil.copyfile(drawn, committed)
            self.assertTrue(agree(drawing(committed.read_text(encoding="utf-8")),
                                  drawing(drawn.read_text(encoding="utf-8")), least=2), committed.name)

    def test_each_chapter_shows_what_its_commands_print_and_draw(self):
        self.assertEqual(len(CHAPTERS), 5)
        for chapter in CHAPTERS:
            self.follow(chapter)

    def test_each_formula_stands_beside_a_line_that_computes_it(self):
        for chapter in CHAPTERS:
            text = chapter.read_text(encoding="utf-8")
            self.assertEqual(len(FORMULA.findall(text)), len(re.findall(r"(?m)^\$\$", text)), chapter.name)
            for beside in FORMULA.findall(text):
                self.assertRegex(beside, CODE, f"{chapter.name}: no line of the source here")
            for symbol, path, line in CODE.findall(text):
                with self.subTest(chapter=chapter.name, symbol=symbol, line=line):
                    source = " ".join((TUTORIAL / path).read_text(encoding="utf-8").split())
                    start = re.search(rf"\b{re.escape(symbol)}\b", source)
                    self.assertIsNotNone(start, f"{path} has no {symbol}")
                    self.assertIn(" ".join(line.split()), source[start.end() :])

    def test_links_and_pictures_exist_and_chapters_have_three_questions(self):
        for page in [TUTORIAL / "README.md", *CHAPTERS]:
            text = page.read_text(encoding="utf-8")
            for link in LINK.findall(text):
                if not link.startswith("http"):
                    self.assertTrue((TUTORIAL / link.split("#")[0]).exists(), f"{page.name}: {link}")
        for chapter in CHAPTERS:
            text = chapter.read_text(encoding="utf-8")
            self.assertEqual(len(re.findall(r"(?m)^\*\*\d\. ", text.split("\n## Questions\n")[1])), 3, chapter.name)
            self.assertEqual(len(re.findall("(?m)^<details>", text)), 3, chapter.name)
            self.assertLessEqual(len(text.splitlines()), 300, chapter.name)
        shown = {name for chapter in CHAPTERS for name in PICTURE.findall(chapter.read_text(encoding="utf-8"))}
        self.assertEqual({f"pictures/{file.name}" for file in (TUTORIAL / "pictures").iterdir()}, shown)

    def test_the_folder_in_which_one_follows_has_what_the_commands_name(self):
        text = (TUTORIAL / "README.md").read_text(encoding="utf-8")
        lines = re.findall(r"(?m)^    (.*)$", text.split("\n## How to follow\n")[1].split("\n## ")[0])
        script = "\n".join(["set -e", *lines, "pwd; echo $PATH | cut -d : -f 1; ls docs/tutorial web/twins"])
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, env={**os.environ, "TMPDIR": str(self.folder)},
                              capture_output=True, text=True, timeout=PATIENCE, check=True)
        folder, program, *names = done.stdout.split()
        self.assertEqual(pathlib.Path(folder).parent, self.folder.resolve())
        self.assertEqual(program, str(ROOT / "build" / "release"))
        self.assertLessEqual({"texts", "tanh.safetensors"}, set(names))

    def test_tours_lead_through_each_chapter(self):
        text = (ROOT / "web" / "tours.js").read_text(encoding="utf-8")
        tours = json.loads(text.split("tours = ", 1)[1].rstrip().rstrip(";"))
        self.assertEqual([ROOT / tour["chapter"] for tour in tours], CHAPTERS)
        twins = {f"{file.stem}-twin" for file in (ROOT / "web" / "twins").glob("*.safetensors")}
        for tour in tours:
            self.assertTrue(5 <= len(tour["stops"]) <= 8, tour["title"])
            for stop in tour["stops"]:
                view, _, state = urllib.parse.unquote(stop["link"]).partition("?")
                self.assertIn(view, ["#unrolled", "#write", "#read", "#gradients", "#neurons", "#learning", "#answers"])
                self.assertTrue(stop["words"].endswith((".", "?")), stop["words"])
                for model in re.findall(r"(?:model|beside)=([^&]+)", state):
                    self.assertLessEqual(set(model.split(",")), twins, stop["link"])

    def test_what_differs_is_found(self):
        self.assertTrue(agree("a 1.000  b", "a  1.001 b"))
        self.assertTrue(agree("a 1", "a 7", roughly=True))
        for printed in ("a 1.1 b", "a 1.000", "b 1.000 b", "a 1.000 1 b"):
            self.assertFalse(agree("a 1.000 b", printed))


if __name__ == "__main__":
    main()
