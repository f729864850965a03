#!/usr/bin/env python3
"""docs/cli.md and --help list the same flags, with the same defaults."""

import pathlib
import re
import typing

from command_line import CommandTest, main, run

# Help pages of their own within a verb: the arguments that bring one, and the heading of its part of the document.
NESTED = {
    "tokenize train": (["tokenize", "train"], "tokenize train"),
    "tokenize --to ids": (["tokenize", "--to", "ids"], "Id caches"),
    "score --words": (["score", "--words"], "Words"),
    "eval --task classify": (["eval", "--task", "classify"], "Classifiers"),
    "tune --task classify": (["tune", "--task", "classify"], "Thresholds of classifiers"),
    "data --task tag": (["data", "--task", "tag"], "Tagged words of data"),
    "eval --task tag": (["eval", "--task", "tag"], "Tags"),
    "compare --task tag": (["compare", "--task", "tag"], "Taggers"),
    "probe --task tag": (["probe", "--task", "tag"], "Probes of words"),
    "features --task tag": (["features", "--task", "tag"], "Words of features"),
    "inspect --units": (["inspect", "--units", "TEXT"], "Units that follow a feature"),
    "draw curves": (["draw", "curves"], "Curves of runs"),
    "convert --ngram": (["convert", "--ngram", "FILE"], "N-grams that imitate a model"),
}
SHARED = "What all verbs share"

FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?![\w-])")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Part(typing.NamedTuple):
    """A heading's level, and the text from it to the next heading."""

    level: int
    text: str


def repository():
    """The folder that holds both CMakeLists.txt and docs."""
    for folder in pathlib.Path(__file__).resolve().parents:
        if (folder / "CMakeLists.txt").is_file() and (folder / "docs").is_dir():
            return folder
    raise AssertionError(f"no folder above {__file__} holds CMakeLists.txt and docs")


def split_by_heading(text):
    """{heading: Part}, in order."""
    parts = {}
    pieces = re.split(r"(?m)^(#+) (.*)$", text)
    for marks, heading, body in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        parts[heading] = Part(len(marks), body)
    return parts


def anchor(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def section(parts, heading):
    """The text under a heading and its subheadings, without those that are a help page of their own."""
    own = {nested for _, nested in NESTED.values()}
    text, level = "", None
    for name, part in parts.items():
        if name == heading:
            level = part.level
            text += part.text
        elif level is not None:
            if part.level <= level:
                break
            if name not in own:
                text += part.text
    return text


def rows(text):
    """(flags of the first cell, default) of each table row that is about flags."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        flags = FLAG.findall(cells[0]) if cells and cells[0].startswith("`-") else []
        if flags:
            yield flags, cells[2] if len(cells) > 2 else ""


def usage(text):
    """The indented blocks that begin with the command: how a verb is called."""
    blocks = re.findall(r"(?m)(?:^    .*\n)+", text)
    return "".join(block for block in blocks if block.startswith("    unroll "))


def shared_parts(parts, text):
    """The sections of flags that `text` refers to, such as those of adaptation: subsections that it links to."""
    linked = set(re.findall(r"\]\(#([\w-]+)\)", text))
    return "".join(part.text for name, part in parts.items() if anchor(name) in linked and part.level > 2)


def words(value):
    return re.sub(r"(?<=\d),(?=\d{3})", "", value.replace("`", "")).split()


def agree(told, written):
    """Whether two wordings of a default agree: where one is a single word, in their first, else in their numbers."""
    told, written = words(told), words(written)
    if len(told) == 1 or len(written) == 1:
        return told[0] == written[0].strip(",;")
    return set(NUMBER.findall(" ".join(told))) <= set(NUMBER.findall(" ".join(written)))


def faults(document, pages):
    """Where a document and help pages {name: {flag: default or None}} differ, a line each."""
    parts = split_by_heading(document)
    shared = {flag for flags, _ in rows(parts[SHARED].text) for flag in flags}
    found = []
    for name, page in pages.items():
        heading = NESTED[name][1] if name in NESTED else name
        if heading not in parts:
            found.append(f"{name}: the document has no section '{heading}'")
            continue
        text = section(parts, heading)
        linked = shared_parts(parts, text)
        described = set(FLAG.findall(text)) | {flag for flags, _ in rows(linked) for flag in flags} | shared
        found += [f"{name}: {flag} is missing from the document" for flag in page if flag not in described]
        listed = set(FLAG.findall(usage(text))) | {flag for flags, _ in rows(text) for flag in flags}
        found += [f"{name}: there is no {flag}" for flag in sorted(listed) if flag not in page]
        for flags, default in rows(text + linked):
            several = default.split(", ")
            for i, flag in enumerate(flags):
                written = several[i] if len(several) == len(flags) else default
                told = page.get(flag)
                if told and written and not agree(told, written):
                    found.append(f"{name}: {flag} is {told} by default, in the document {written}")
    return found


def help_page(arguments):
    """{flag: default or None} that `unroll ARGUMENTS --help` shows."""
    done = run(*arguments, "--help")
    if done.status != 0:
        raise AssertionError(f"unroll {' '.join(arguments)} --help ended with {done.status}: {done.err}")
    shown = done.out.split("\nExamples\n")[0]
    page = {}
    for entry in re.findall(r"(?m)^  --?[a-z].*\n(?:    .*\n|$)*", shown):
        default = re.search(r"\[([^][]*)\]\Z", " ".join(entry.split()))
        page[FLAG.search(entry).group()] = default.group(1) if default else None
    return page


class Docs(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = (repository() / "docs" / "cli.md").read_text(encoding="utf-8")
        overview = run("--help").out
        cls.verbs = re.findall(r"(?m)^  ([a-z]+)  +\S", overview)
        cls.pages = {verb: help_page([verb]) for verb in cls.verbs}
        cls.pages |= {name: help_page(arguments) for name, (arguments, _) in NESTED.items()}

    def test_the_document_lists_the_flags_and_defaults_of_help(self):
        self.assertEqual(faults(self.document, self.pages), [])

    def test_the_document_begins_with_the_verbs_of_help(self):
        self.assertGreater(len(self.verbs), 20)
        listed = re.search(r"(?ms)^`unroll VERB \[arguments\]`: (.*?)\.$", self.document).group(1)
        self.assertEqual(re.findall(r"`([a-z]+)`", listed), self.verbs)

    def test_pages_hold_what_they_are_known_to_hold(self):
        self.assertIn("train", self.verbs)
        self.assertEqual(self.pages["train"]["--hidden"], "256")
        self.assertEqual(self.pages["train"]["--embed"], "as --hidden")
        self.assertIsNone(self.pages["train"]["--tied"])
        self.assertEqual(self.pages["tokenize train"]["--vocab-size"], "8000")
        self.assertIn("--percentile", self.pages["score"])
        self.assertIn("--order", self.pages["convert --ngram"])
        self.assertIn("-independent", self.pages["rnnlm"])
        for name, page in self.pages.items():
            self.assertGreaterEqual(len(page), 2, name)

    def faults_after(self, old, new):
        self.assertIn(old, self.document)
        return faults(self.document.replace(old, new), self.pages)

    def test_a_flag_that_the_document_lacks_is_found(self):
        row = re.search(r"(?m)^\| `--ema-decay D`.*\n", self.document).group()
        self.assertEqual(self.faults_after(row, ""), ["train: --ema-decay is missing from the document"])
        self.assertEqual(self.faults_after(" [-independent]", ""), ["rnnlm: -independent is missing from the document"])

    def test_a_flag_that_others_share_is_missed_by_each(self):
        row = re.search(r"(?m)^\| `--cache-theta X`.*\n", self.document).group()
        self.assertEqual(self.faults_after(row, ""), ["eval: --cache-theta is missing from the document",
                                                      "score: --cache-theta is missing from the document"])

    def test_a_flag_that_is_made_up_is_found(self):
        row = re.search(r"(?m)^\| `--top-k K`.*\n", self.document).group()
        self.assertEqual(self.faults_after(row, row + "| `--top-z Z` | made up | 0 |\n"),
                         ["generate: there is no --top-z"])
        self.assertEqual(self.faults_after("inspect MODEL [--json]", "inspect MODEL [--xml] [--json]"),
                         ["inspect: there is no --xml"])

    def test_a_default_that_differs_is_found(self):
        row = re.search(r"(?m)^\| `--hidden N`.*\n", self.document).group()
        self.assertEqual(self.faults_after(row, row.replace("256", "300")),
                         ["train: --hidden is 256 by default, in the document 300"])
        row = re.search(r"(?m)^\| `--samples N`.*\n", self.document).group()
        self.assertEqual(len(self.faults_after(row, row.replace("8,192", "4,096"))), 1)

    def test_a_verb_without_a_section_is_found(self):
        self.assertEqual(self.faults_after("## inspect\n", "## look\n"),
                         ["inspect: the document has no section 'inspect'"])


if __name__ == "__main__":
    main()
