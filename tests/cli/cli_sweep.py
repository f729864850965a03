#!/usr/bin/env python3
"""Sweeps: the runs that a file names, running them, and the table of what came of them."""

import json
import os
import shlex
import signal
import subprocess
import time

from command_line import SMALL, UNROLL, CommandTest, main, run, sentence_text

SWEEP = """\
text = "book.txt"
folder = "runs"
hidden = 8
batch-size = 4
bptt = 8
steps = 6
tied = false

[grid]
lr = [0.01, 0.02]
seed = [1, 2]

[[run]]
cell = "gru"
[[run]]
cell = "lstm"
layer-norm = true
name = "it's normalised"
"""

# Text of a sweep, line and column, words of the refusal.
WRONG = [
    ('text = "t"\nhidden = [3, 4]', "2:1", ["hidden", "[grid]"]),
    ('text = "t"\n[grid]\nhidden = 3', "3:1", ["hidden", "a list"]),
    ('text = "t"\n[grid]\nhidden = []', "3:1", ["hidden", "a list"]),
    ('text = "t"\n[grid]\nhidden = [[1]]', "3:11", ["hidden"]),
    ('text = "t"\ngrid = 3', "2:1", ["[grid]"]),
    ('text = "t"\n[run]\nhidden = 3', "2:2", ["[[run]]"]),
    ('text = "t"\nrun = [3]', "2:8", ["[[run]]"]),
    ('text = "t"\nsave = "m"', "2:1", ["save", "FOLDER/NAME.safetensors"]),
    ('text = "t"\n[grid]\nresume = [true]', "3:1", ["resume"]),
    ("text = 3", "1:1", ["path"]),
    ('text = "t"\nfolder = ""', "2:1", ["path"]),
    ("text = ", "1:", ["not TOML"]),
    ("hidden = 3", "", ["which text?"]),
    ('text = "t"\nhiden = 3', "", ["run 1", "--hiden"]),
    ('text = "t"\n[grid]\nhidden = [3, 0]', "", ["run 2 (hidden=0)", "whole number from 1"]),
    ('text = "t"\n[grid]\nlr = [0.1]\n[[run]]\ncell = "gru"\n[[run]]\nlr = 0.2', "7:1", ["lr", "[[run]]", "[grid]", "3:7"]),
    ('text = "t"\nlr = 0.2\n[grid]\nlr = [0.1, 0.3]', "2:1", ["lr", "all runs", "[grid]", "4:7"]),
    ('text = "-"', "1:1", ["standard input"]),
    ('text = ["t", "-"]', "1:14", ["standard input"]),
    ('text = "a\\nb"', "1:1", ["newline"]),
    ('text = "t"\nfolder = "a\\nb"', "2:1", ["newline"]),
    ('text = "t"\nvalid = "a\\nb"', "2:1", ["newline"]),
    ('text = "t"\ndry-run = true', "2:1", ["dry-run", "whose runs train"]),
    ('text = "t"\n[[run]]\ndashboard = true', "3:1", ["dashboard"]),
    ('text = "t"\n[grid]\nlr = [0.5, 0.5]', "", ["runs 1 and 2 are both called lr=0.5", "name"]),
    ('text = "t"\n[grid]\nseed = [%s]\nlr = [%s]' % (("1," * 400,) * 2), "", ["at most 100000 runs"]),
]


class Sweep(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "book.txt").write_text(sentence_text(60))
        (self.folder / "s.toml").write_text(SWEEP)

    def sweep(self, *arguments):
        return run("sweep", "s.toml", *arguments, cwd=self.folder)

    def test_every_combination_is_a_line_that_a_shell_runs(self):
        done = self.sweep()
        self.assertEqual(done.status, 0, done.err)
        lines = done.out.splitlines()
        self.assertEqual(len(lines), 8)
        self.assertEqual(self.sweep("--count").out, "8\n")
        words = [shlex.split(line) for line in lines]
        self.assertEqual(words[1],
                         ["unroll", "train", "book.txt", "--hidden=8", "--batch-size=4", "--bptt=8", "--steps=6",
                          "--tied=false", "--cell=gru", "--lr=0.01", "--seed=2",
                          "--save=runs/cell=gru,lr=0.01,seed=2.safetensors",
                          "--log=runs/cell=gru,lr=0.01,seed=2.jsonl", "--resume"])
        self.assertIn("--layer-norm", words[7])
        self.assertIn("--save=runs/it_s_normalised,lr=0.02,seed=2.safetensors", words[7])
        objects = [json.loads(line) for line in self.sweep("--json").out.splitlines()]
        self.assertEqual([one["command"] for one in objects], lines)
        self.assertEqual([one["run"] for one in objects], list(range(1, 9)))

    def test_runs_by_number_and_by_line_are_the_same_and_are_tabulated(self):
        for line in self.sweep().out.splitlines()[:3]:
            done = subprocess.run([UNROLL, *shlex.split(line)[1:], "--quiet"], cwd=self.folder, check=True)
        for number in range(3, 9):
            done = self.sweep("--run", str(number), "--quiet")
            self.assertEqual((done.status, done.out), (0, ""), done.err)
        files = sorted((self.folder / "runs").glob("*.safetensors"))
        self.assertEqual(len(files), 8)
        before = [file.read_bytes() for file in files]
        self.assertEqual(self.sweep("--run", "2").status, 0)
        self.assertEqual([file.read_bytes() for file in files], before)

        (self.folder / "runs" / "broken.safetensors").write_bytes(b"x" * 100)
        done = run("results", "runs", "--json", cwd=self.folder)
        self.assertEqual(done.status, 0, done.err)
        self.assertIn("broken.safetensors", done.err)
        groups = json.loads(done.out)["groups"]
        self.assertEqual([len(group["models"]) for group in groups], [2, 2, 2, 2])
        means = [group["loss"]["mean"] for group in groups]
        self.assertEqual(means, sorted(means))
        for group in groups:
            losses = []
            for model in group["models"]:
                history = json.loads(run("inspect", model, "--json", cwd=self.folder).out)["training"]["history"]
                losses.append(min(point["valid_nats_per_token"] for point in history if "valid_nats_per_token" in point))
            self.assertAlmostEqual(group["loss"]["mean"], sum(losses) / 2, places=12)
            self.assertEqual((group["loss"]["least"], group["loss"]["most"]), (min(losses), max(losses)))
            self.assertEqual(set(group["settings"]), {"cell", "layer-norm", "lr"})
        rows = run("results", "runs", cwd=self.folder).out.splitlines()
        self.assertEqual(len(rows), 5)
        self.assertEqual(rows[0].split()[-3:], ["runs", "loss", "perplexity"])
        self.assertIn(f"{means[0]:.4f} (", rows[1])

    def test_a_run_that_is_not_complete_is_named_and_left_out(self):
        (self.folder / "runs").mkdir()
        done = run("train", "book.txt", *SMALL, "--steps", "4", "--save", "runs/a.safetensors", cwd=self.folder)
        self.assertEqual(done.status, 0, done.err)
        stopped = self.folder / "runs" / "b.safetensors"
        process = subprocess.Popen([UNROLL, "train", "book.txt", *SMALL, "--steps", "1000000", "--save-every", "5",
                                    "--save", stopped, "--quiet"], cwd=self.folder)
        while not stopped.exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        done = run("results", "runs", cwd=self.folder)
        self.assertEqual((done.status, len(done.out.splitlines())), (0, 2), done.err)
        self.assertIn("not complete: runs/b.safetensors", done.err)

    def test_what_is_wrong_is_found_before_anything_is_made(self):
        for text, place, words in WRONG:
            with self.subTest(text[:60]):
                (self.folder / "s.toml").write_text(text)
                done = self.sweep()
                self.assertEqual((done.status, done.out), (2, ""), done.err)
                self.assertIn(f"s.toml:{place}" if place else "s.toml", done.err)
                for word in words:
                    self.assertIn(word, done.err)
        self.assertFalse((self.folder / "runs").exists())

    def test_a_number_beyond_the_last_run_and_an_empty_folder_are_refused(self):
        done = self.sweep("--run", "9")
        self.assertEqual(done.status, 2)
        self.assertIn("from 1 to 8", done.err)
        (self.folder / "empty").mkdir()
        os.mkfifo(self.folder / "empty" / "pipe.safetensors")
        for folder, words in (("empty", "no model"), ("none", "cannot read the folder")):
            done = run("results", folder, cwd=self.folder)
            self.assertEqual(done.status, 1)
            self.assertIn(words, done.err)


main()
