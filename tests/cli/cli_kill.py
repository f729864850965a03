#!/usr/bin/env python3
"""A run that is killed (kill -9) at random moments and resumed each time ends with the same file as one that was not."""

import pathlib
import random
import subprocess
import time

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, log_lines, main

KILLS = 24
# Everything that a run carries from step to step, in two runs.
CONTROLLED = {
    "moving average": ["--average", "ema", "--ema-decay", "0.95", "--bptt-jitter", "3", "--weight-decay", "0.01",
                       "--beta2", "0.99", "--validate-every", "13", "--schedule", "linear"],
    "triggered average": ["--optimizer", "asgd", "--nonmono", "1", "--momentum", "0.5", "--lr", "3", "--clip", "0.25",
                          "--schedule", "step", "--decay-after", "20", "--decay", "1.1", "--validate-every", "17"],
}
KILLS_OF_CONTROLLED = 6
STEPS = 900


class Kill(CommandTest):
    def command(self, name, *flags):
        return ["train", self.text, "--save", self.folder / name, *SMALL, "--layers", "2", "--dropout", "0.1", "--steps",
                str(STEPS), "--save-every", "7", "--log", self.folder / f"{name}.jsonl", "--quiet", *flags]

    def kill_once(self, dice, *flags):
        """Starts or resumes the run and kills it some steps later; whether it had saved before, or None when it ended."""
        log = pathlib.Path(self.folder / "killed.jsonl")
        saved = (self.folder / "killed.resume").exists()
        size = log.stat().st_size if log.exists() else 0
        process = subprocess.Popen([UNROLL, *self.command("killed", "--resume", *flags)], stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        # On the way a run cuts its log back; only what it adds counts as its steps.
        target = dice.randrange(0, 40)
        deadline = time.monotonic() + PATIENCE
        added = 0
        while added < target and process.poll() is None:
            self.assertLess(time.monotonic(), deadline, "it hangs")
            now = log.stat().st_size if log.exists() else 0
            added += now != size
            size = now
            time.sleep(0.0005)
        time.sleep(dice.random() * 0.01)
        process.kill()
        _, said = process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, [0, -9], said)
        return None if process.returncode == 0 else saved

    def test_twenty_four_kills_leave_no_trace(self):
        self.check_kills(KILLS)

    def test_nor_do_they_with_what_else_a_run_carries_along(self):
        for name, flags in CONTROLLED.items():
            with self.subTest(name):
                self.check_kills(KILLS_OF_CONTROLLED, *flags)
            for path in self.folder.iterdir():
                path.unlink()

    def check_kills(self, count, *flags):
        self.succeed(*self.command("whole", *flags))
        dice = random.Random(11)
        kills = past_a_save = 0
        while kills < count:
            saved = self.kill_once(dice, *flags)
            if saved is None:
                # The machine was slow to kill and the run came to its end. That is a result too; begin another.
                self.compare()
                for name in ["killed", "killed.jsonl"]:
                    (self.folder / name).unlink()
                continue
            kills += 1
            past_a_save += saved
        self.assertGreater(past_a_save, count // 2)
        self.succeed(*self.command("killed", "--resume", *flags))
        self.compare()

    def compare(self):
        self.assertEqual((self.folder / "killed").read_bytes(), (self.folder / "whole").read_bytes())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["killed", "killed.jsonl", "whole", "whole.jsonl"])
        killed, whole = log_lines(self.folder / "killed.jsonl"), log_lines(self.folder / "whole.jsonl")
        for line in killed + whole:
            del line["tokens_per_s"]
        self.assertEqual(killed, whole)


if __name__ == "__main__":
    main()
