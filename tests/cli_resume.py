#!/usr/bin/env python3
"""Going on with a run: refusals, Ctrl-C, and the same file as without the interruption."""

import json
import signal
import subprocess
import time

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, log_lines, main

STEPS = 1200


class Resume(CommandTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "m.safetensors"
        self.log = self.folder / "log.jsonl"

    def arguments(self, *flags, steps=STEPS, save=None):
        return ["train", self.text, "--save", save or self.model, *SMALL, "--steps", str(steps), "--save-every", "50",
                "--log", self.log, *flags]

    def interrupt(self, *flags, after=60, signals=(signal.SIGINT,)):
        """Starts a run and sends it signals once its log has some lines; its status and what it said."""
        process = subprocess.Popen([UNROLL, *self.arguments(*flags)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        while not self.log.exists() or self.log.read_bytes().count(b"\n") < after:
            self.assertIsNone(process.poll(), "the run was over before it could be interrupted")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)
        for number in signals:
            process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(out, b"")
        return process.returncode, err.decode("utf-8")

    def uninterrupted(self):
        model = self.folder / "whole.safetensors"
        if not model.exists():
            log = self.log
            self.log = self.folder / "whole.jsonl"
            self.succeed(*self.arguments("--quiet", save=model))
            self.log = log
        return model

    def test_an_interrupted_run_saves_says_so_and_goes_on_to_the_same_file(self):
        for number in [signal.SIGINT, signal.SIGTERM]:
            status, said = self.interrupt("--overwrite", signals=[number])
            self.assertEqual(status, 130)
            self.assertIn("interrupted after step", said)
            self.assertIn("--resume", said)
            self.succeed("inspect", self.model)
            reached = log_lines(self.log)[-1]["step"]
            self.assertGreaterEqual(reached, 60)
            done = self.succeed(*self.arguments("--resume"))
            self.assertIn(f"after step {reached:,}", done.err)
            self.assertEqual(self.model.read_bytes(), self.uninterrupted().read_bytes())
            self.assertFalse((self.folder / "m.safetensors.resume").exists())
            self.log.unlink()

    def test_the_log_goes_on_too(self):
        self.interrupt()
        # What a killed program may leave behind: steps after the saved one, and half a line.
        reached = log_lines(self.log)[-1]["step"]
        with self.log.open("ab") as log:
            log.write(b'{"step":%d,"tokens":1}\n{"step":%d,"tok' % (reached + 1, reached + 2))
        self.succeed(*self.arguments("--resume"))
        whole = log_lines(self.uninterrupted().with_suffix(".jsonl"))
        found = log_lines(self.log)
        for lines in [whole, found]:
            for line in lines:
                del line["tokens_per_s"]
        self.assertEqual(found, whole)

    def test_a_file_that_is_no_log_is_not_cut(self):
        self.interrupt()
        self.log.write_text("dear diary\n", encoding="utf-8")
        self.refuse(1, ["line 1", "--log"], *self.arguments("--resume", "--quiet"))
        self.assertEqual(self.log.read_text(encoding="utf-8"), "dear diary\n")

    def test_a_second_signal_stops_at_once(self):
        status, _ = self.interrupt(signals=[signal.SIGINT, signal.SIGINT])
        self.assertEqual(status, 130)

    def test_quiet_stays_quiet(self):
        self.assertEqual(self.interrupt("--quiet"), (130, ""))

    def test_with_nothing_saved_it_starts_from_the_beginning_and_says_so(self):
        done = self.succeed(*self.arguments("--resume", steps=10))
        self.assertRegex(done.err, "begin")
        whole = self.folder / "other"
        self.succeed(*self.arguments("--quiet", steps=10, save=whole))
        self.assertEqual(self.model.read_bytes(), whole.read_bytes())

    def test_a_finished_run_is_already_complete(self):
        self.succeed(*self.arguments(steps=10))
        before, log = self.model.read_bytes(), self.log.read_bytes()
        done = self.succeed(*self.arguments("--resume", steps=10))
        self.assertIn("already complete", done.err)
        self.assertEqual((self.model.read_bytes(), self.log.read_bytes()), (before, log))

    def test_options_that_differ_are_refused_by_name(self):
        self.interrupt()
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        differing = {"--hidden": ["--hidden", "9"], "--lr": ["--lr", "0.5"], "--seed": ["--seed", "2"],
                     "--dropout": ["--dropout", "0.5"], "--cell": ["--cell", "gru"], "--state": ["--state", "reset"]}
        for name, flags in differing.items():
            arguments = self.arguments("--resume", "--quiet", *flags)
            if name == "--hidden":
                arguments.remove("--hidden")
                arguments.remove("8")
            done = self.refuse(2, [name.removeprefix("--")], *arguments)
            self.assertNotIn("should not happen", done.err)
        self.refuse(2, ["steps"], *self.arguments("--resume", "--quiet", steps=STEPS + 1))
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir()}, before)

    def test_another_text_is_refused(self):
        self.interrupt()
        arguments = self.arguments("--resume", "--quiet")
        arguments[1] = self.write("other.txt", "another text, quite another text\n" * 50)
        self.refuse(2, ["text"], *arguments)

    def test_threads_may_differ(self):
        self.interrupt("--threads", "1")
        self.succeed(*self.arguments("--resume", "--quiet", "--threads", "3"))
        self.assertEqual(self.model.read_bytes(), self.uninterrupted().read_bytes())

    def test_an_existing_model_is_never_replaced_unasked(self):
        self.succeed(*self.arguments("--quiet", steps=5))
        before = self.model.read_bytes()
        self.refuse(2, [str(self.model), "--overwrite", "--resume"], *self.arguments("--quiet", steps=6))
        self.assertEqual(self.model.read_bytes(), before)
        self.succeed(*self.arguments("--quiet", "--overwrite", steps=6))
        self.assertNotEqual(self.model.read_bytes(), before)

    def test_overwrite_begins_anew_even_beside_a_saved_run(self):
        self.interrupt()
        self.succeed(*self.arguments("--quiet", "--overwrite"))
        self.assertEqual(self.model.read_bytes(), self.uninterrupted().read_bytes())
        self.assertFalse((self.folder / "m.safetensors.resume").exists())

    def test_a_damaged_resume_file_is_refused_and_the_model_stays(self):
        self.interrupt()
        saved = self.folder / "m.safetensors.resume"
        whole = saved.read_bytes()
        model = self.model.read_bytes()
        for damaged in [whole[:len(whole) // 2], whole[:-1], whole[:100] + b"\x00" + whole[101:], b""]:
            saved.write_bytes(damaged)
            self.refuse(1, [str(saved)], *self.arguments("--resume", "--quiet"))
            self.assertEqual(self.model.read_bytes(), model)

    def test_an_interrupted_model_is_marked_as_such(self):
        self.interrupt()
        found = json.loads(self.succeed("inspect", self.model, "--json").out)
        self.assertIs(found["training"]["complete"], False)
        self.assertIn("not complete", self.succeed("inspect", self.model).out)


if __name__ == "__main__":
    main()
