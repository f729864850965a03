#!/usr/bin/env python3
"""`unroll train --auto`: cli/cli_auto.py UNROLL"""

import os
import shlex
import signal
import subprocess
import time

from command_line import PATIENCE, UNROLL, CommandTest, main


class Auto(CommandTest):
    def setUp(self):
        super().setUp()
        rows = [("good", "great"), ("bad", "dull"), ("good", "fine"), ("bad", "weak")]
        self.data = self.write("reviews.txt", "".join(f"__label__{label} the film {n} was {word}\n" for n in range(12)
                                                      for label, word in rows))
        self.model = self.folder / "m.safetensors"

    def arguments(self, *flags):
        """A search that may change dropout alone."""
        return ["train", self.data, "--task", "classify", "--save", self.model, "--hidden", "4", "--embed", "4",
                "--layers", "1", "--readout", "max", "--tokenizer", "word", "--lr", "0.01", "--epochs", "150", *flags]

    def interrupt(self, *flags):
        """Sends Ctrl-C once a trial is finished."""
        log = self.folder / "m.safetensors.auto"
        with subprocess.Popen([UNROLL, *map(str, self.arguments(*flags))], stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + PATIENCE
            while not log.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            return process.wait(timeout=PATIENCE), process.stderr.read().decode("utf-8")

    def test_a_search_is_stopped_goes_on_and_its_best_run_is_repeated_bit_for_bit(self):
        status, said = self.interrupt("--auto", "5")
        self.assertEqual(status, 130, said)
        self.assertIn("--resume goes on", said)
        self.assertEqual(sorted(os.listdir(self.folder)), ["m.safetensors", "m.safetensors.auto", "reviews.txt"])
        self.refuse(2, ["--resume", "--overwrite"], *self.arguments("--auto", "5"))
        self.refuse(2, ["cannot resume", 'seed is "2"'], *self.arguments("--auto", "5", "--resume", "--seed", "2"))
        done = self.succeed(*self.arguments("--auto", "5", "--resume"))
        self.assertIn("all settings were tried", done.err)
        self.assertIn("too good by chance", done.err)
        self.assertEqual(sorted(os.listdir(self.folder)), ["m.safetensors", "reviews.txt"])
        (repeat,) = [line for line in done.err.splitlines() if line.startswith("repeat")]
        _, program, *arguments = shlex.split(repeat)
        self.assertEqual(program, "unroll")
        self.assertNotIn("--auto", arguments)
        again = self.folder / "again.safetensors"
        self.succeed(*[again if argument == str(self.model) else argument for argument in arguments])
        self.assertEqual(again.read_bytes(), self.model.read_bytes())
        self.assertIn("already complete", self.succeed(*self.arguments("--auto", "5", "--resume")).err)

    def test_what_a_search_cannot_do_is_refused(self):
        self.refuse(2, ["--auto", "--minutes"], "train", self.data, "--save", self.model, "--auto", "1", "--minutes", "1")
        self.refuse(2, ["--auto", "--log"], "train", self.data, "--save", self.model, "--auto", "1", "--log", "log")
        self.refuse(2, ["--valid"], *self.arguments("--auto", "1", "--valid-split", "0"))
        self.refuse(2, ["standard input"], "train", "-", "--save", self.model, "--auto", "1")
        self.refuse(2, ["--folds"], *self.arguments("--auto", "1", "--folds", "3"))
        self.assertEqual(os.listdir(self.folder), ["reviews.txt"])


if __name__ == "__main__":
    main()
