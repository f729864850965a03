#!/usr/bin/env python3
"""A run that an earlier version began is finished by this one, with the bits that the earlier one would have written."""

import hashlib
import json
import pathlib
import shutil
import struct

from command_line import CommandTest, main

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"

# What version 0.1 of 2026-11-28 ends with, killed at step 1750 or never interrupted, capped at AVX2.
TENSORS = "23f4b74bc3be931b466651ac46504d6caccef56c38f03343af73e41a6c434e5c"
HISTORY = "6500f51eea0fcee0d879fe5b11ec0b4bcb2b30c46fb0a260a6ff95dd2d837eb7"

FLAGS = ("--cell lstm --hidden 12 --embed 7 --layers 2 --steps 4000 --batch-size 3 --bptt 9 --dropout 0.2 --locked "
         "--weight-drop 0.1 --bptt-jitter 2 --average ema --schedule cosine --save-every 50 --validate-every 500 --seed 5 "
         "--precision f32").split()


def text():
    """Words drawn by a linear congruential generator: a text that need not be kept."""
    words = "the river ran under an old bridge and we saw it turn slowly to gold".split()
    state, lines = 1, []
    for _ in range(140):
        line = []
        for _ in range(8):
            state = (state * 1103515245 + 12345) % 2**31
            line.append(words[(state >> 16) % len(words)])
        lines.append(" ".join(line) + "\n")
    return "".join(lines)


def digests(path):
    """SHA-256 of the tensors' bytes and of the training history in a model file."""
    data = path.read_bytes()
    size, = struct.unpack("<Q", data[:8])
    metadata = json.loads(data[8:8 + size])["__metadata__"]
    history = json.dumps(json.loads(metadata["history"]), sort_keys=True)
    return hashlib.sha256(data[8 + size:]).hexdigest(), hashlib.sha256(history.encode()).hexdigest()


class OldResume(CommandTest):
    def setUp(self):
        super().setUp()
        self.source = self.write("text.txt", text())
        self.model = self.folder / "m.safetensors"

    def train(self, *flags):
        self.succeed("train", self.source, "--save", self.model, *FLAGS, "--quiet", *flags,
                     environment={"UNROLL_MAX_ISA": "avx2"})
        self.assertEqual(digests(self.model), (TENSORS, HISTORY))

    def test_goes_on_from_an_old_file(self):
        shutil.copy(FIXTURES / "lstm_of_0_1.resume", self.folder / "m.safetensors.resume")
        self.train("--resume")

    def test_comes_to_the_same_end_from_the_start(self):
        self.train()


if __name__ == "__main__":
    main()
