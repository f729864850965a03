#!/usr/bin/env python3
"""docs/tasks.md shows what the command prints: cli/cli_tasks_docs.py UNROLL

Its blocks fenced as `console` hold commands after "$ ", which go on after "> ", and what they print. Those of a section
run one after the other in a folder of their own. Numbers may differ, between kinds of processors for example, and "..."
stands for any number of lines.
"""

import os
import pathlib
import re
import subprocess

from command_line import PATIENCE, UNROLL, CommandTest, main

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tasks.md"
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def sections(text):
    """(heading, its blocks of console) of each section that has some."""
    for part in re.split(r"(?m)^## ", text)[1:]:
        blocks = re.findall(r"(?ms)^```console\n(.*?)^```$", part)
        if blocks:
            yield part.split("\n")[0], blocks


def commands(block):
    """(command, the lines that it is said to print) of a block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1].append(line)
    return found


def masked(lines):
    """Lines without their numbers, the width of their blanks, and blank lines at their end."""
    found = [" ".join(NUMBER.sub("#", line).split()) for line in lines]
    while found and not found[-1]:
        found.pop()
    return found


def agree(shown, printed):
    """Whether lines that are shown, some of them "...", are what was printed."""
    if not shown or not printed:
        return not [line for line in shown if line != "..."] and (bool(shown) or not printed)
    if shown[0] == "...":
        return agree(shown[1:], printed) or agree(shown, printed[1:])
    return shown[0] == printed[0] and agree(shown[1:], printed[1:])


class TasksDocs(CommandTest):
    def setUp(self):
        super().setUp()
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "unroll").symlink_to(UNROLL)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}

    def check(self, command, shown, folder):
        done = subprocess.run(["bash", "-c", "set -o pipefail\n" + command], cwd=folder, env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
        printed = done.stdout.decode("utf-8").splitlines()
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stderr.decode('utf-8', 'replace')}")
        self.assertTrue(agree(masked(shown), masked(printed)), "\n".join([command, *shown, "but printed:", *printed]))

    def test_each_command_prints_what_the_page_shows(self):
        count = 0
        for heading, blocks in sections(PAGE.read_text(encoding="utf-8")):
            folder = self.folder / re.sub(r"\W+", "-", heading)
            folder.mkdir()
            for block in blocks:
                for command, shown in commands(block):
                    count += 1
                    with self.subTest(section=heading, command=command):
                        self.check(command, shown, folder)
        self.assertGreater(count, 4)

    def test_a_line_that_differs_is_found(self):
        self.assertTrue(agree(masked(["a 1", "...", "b"]), masked(["a  2.5", "x", "y", "b"])))
        for shown in (["a"], ["a 1", "b"], ["...", "y"], ["a 1", "...", "c"], []):
            self.assertFalse(agree(masked(shown), masked(["a  2.5", "x", "y", "b"])))


if __name__ == "__main__":
    main()
