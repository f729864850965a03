#!/usr/bin/env python3
"""Going on with a run: refusals, Ctrl-C, and the same file as without the interruption."""

import array
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import termios
import time

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, log_lines, main, run

STEPS = 600


class Resume(CommandTest):
    @classmethod
    def setUpClass(cls):
        """One run that was never interrupted, and one that was, for all tests to copy."""
        super().setUpClass()
        cls.whole = cls.shared / "whole.safetensors"
        cls.whole_log = cls.shared / "whole.jsonl"
        cls.must_succeed(*cls.arguments_for(cls.whole, cls.whole_log, "--quiet"))
        cls.stopped = cls.shared / "stopped"
        cls.stopped.mkdir()
        status, _ = cls.interrupt_run(cls.arguments_for(cls.stopped / "m.safetensors", cls.stopped / "log.jsonl"),
                                      cls.stopped / "log.jsonl")
        if status != 130:
            raise AssertionError(f"the interrupted run ended with {status}")

    def setUp(self):
        super().setUp()
        self.model = self.folder / "m.safetensors"
        self.log = self.folder / "log.jsonl"
        self.saved = self.folder / "m.safetensors.resume"

    @staticmethod
    def must_succeed(*arguments):
        done = run(*arguments)
        if done.status != 0:
            raise AssertionError(f"{arguments} ended with {done.status}: {done.err}")

    @classmethod
    def arguments_for(cls, model, log, *flags, steps=STEPS):
        return ["train", cls.text, "--save", model, *SMALL, "--steps", str(steps), "--save-every", "50", "--log", log,
                "--sample-every", "20", "--sample-prompt", "th", *flags]

    def arguments(self, *flags, steps=STEPS, save=None):
        return self.arguments_for(save or self.model, self.log, *flags, steps=steps)

    @staticmethod
    def wait_for_lines(log, process):
        deadline = time.monotonic() + PATIENCE
        while not log.exists() or log.read_bytes().count(b"\n") < 20:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the run was over before it could be interrupted")
            time.sleep(0.001)

    @staticmethod
    def interrupt_run(arguments, log, signals=(signal.SIGINT,)):
        """Starts a run and sends it signals once its log has some lines; its status and what it said."""
        process = subprocess.Popen([UNROLL, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        Resume.wait_for_lines(log, process)
        for number in signals:
            process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        return process.returncode, err.decode("utf-8")

    def interrupt(self, *flags, signals=(signal.SIGINT,)):
        return self.interrupt_run(self.arguments(*flags), self.log, signals)

    def copy_stopped(self):
        shutil.copytree(self.stopped, self.folder, dirs_exist_ok=True)

    def folder_content(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def test_an_interrupted_run_saves_says_so_and_goes_on_to_the_same_file(self):
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            status, said = self.interrupt("--overwrite", signals=[number])
            self.assertEqual(status, 130)
            self.assertIn("interrupted after step", said)
            self.assertIn("--resume", said)
            self.assertTrue(self.saved.exists())
            reached = log_lines(self.log)[-1]["step"]
            self.assertGreaterEqual(reached, 20)
            done = self.succeed(*self.arguments("--resume"))
            self.assertIn(f"after step {reached:,}", done.err)
            self.assertEqual(self.model.read_bytes(), self.whole.read_bytes())
            self.assertFalse(self.saved.exists())
            self.log.unlink()

    def test_the_log_goes_on_too(self):
        self.copy_stopped()
        # What a killed program may leave behind: steps after the saved one, and half a line.
        last = [line for line in log_lines(self.log) if "lr" in line][-1]
        with self.log.open("a", encoding="utf-8") as log:
            for step in [last["step"] + 1, last["step"] + 2]:
                log.write(json.dumps({**last, "step": step}, separators=(",", ":")) + "\n")
            log.write('{"step":%d,"sample":"th\\"\\n"}\n{"step":%d,"sample":"th\\' % (last["step"] + 2, last["step"] + 2))
        self.succeed(*self.arguments("--resume"))
        found, whole = log_lines(self.log), log_lines(self.whole_log)
        for line in found + whole:
            line.pop("tokens_per_s", None)
        self.assertEqual(found, whole)
        samples = [line for line in whole if "sample" in line]
        self.assertEqual([line["step"] for line in samples], list(range(20, STEPS + 1, 20)))
        self.assertTrue(all(line["sample"].startswith("th") and len(line["sample"]) == 202 for line in samples))

    def test_a_file_that_is_no_log_is_not_cut(self):
        self.copy_stopped()
        self.log.write_text("dear diary\n", encoding="utf-8")
        self.refuse(1, ["line 1", "--log"], *self.arguments("--resume", "--quiet"))
        self.assertEqual(self.log.read_text(encoding="utf-8"), "dear diary\n")

    def test_a_new_run_does_not_empty_what_is_no_log(self):
        for content in [b"dear diary\n", b"dear diary", b'{"step":1,"sample":"a"b"}\n', self.whole.read_bytes()]:
            self.log.write_bytes(content)
            self.refuse(1, ["line 1", "--log"], *self.arguments("--quiet", "--overwrite", steps=5))
            self.assertEqual(self.log.read_bytes(), content)
        self.log.write_bytes(self.whole_log.read_bytes())
        self.succeed(*self.arguments("--quiet", "--overwrite", steps=5))
        self.assertEqual(len(log_lines(self.log)), 5)

    def test_one_run_at_a_time_writes_to_a_path(self):
        arguments = self.arguments("--quiet", steps=1_000_000)
        process = subprocess.Popen([UNROLL, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_for_lines(self.log, process)
            self.refuse(1, [str(self.model), "another process"], *self.arguments("--quiet", "--overwrite", steps=5))
        finally:
            process.kill()
            process.wait()
        self.succeed(*self.arguments("--quiet", "--overwrite", steps=5))
        self.assertEqual(set(self.folder_content()), {"m.safetensors", "log.jsonl"})

    def test_a_signal_ends_a_run_that_waits_for_its_text(self):
        for number in [signal.SIGINT, signal.SIGTERM]:
            process = subprocess.Popen([UNROLL, "train", "-", "--save", self.model], stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            deadline = time.monotonic() + PATIENCE
            caught = 0
            while not caught & 1 << (number - 1):
                self.assertLess(time.monotonic(), deadline)
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
                caught = int(re.search(r"SigCgt:\s*(\w+)", status).group(1), 16)
            self.wait_until_asleep(process)
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 130)
            self.assertIn(b"nothing was saved", process.communicate()[1])
            self.assertEqual(self.folder_content(), {})

    def wait_until_asleep(self, process):
        """Waits until a process of one thread waits for a pipe: it is asleep ten times in a row."""
        deadline = time.monotonic() + PATIENCE
        times = 0
        while times < 10:
            self.assertLess(time.monotonic(), deadline)
            state = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1][0]
            times = times + 1 if state == "S" else 0
            time.sleep(0.01)

    def test_a_second_signal_stops_at_once(self):
        """A log into a pipe that nobody reads holds the run up, so that the first signal alone does not end it."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        arguments = ["train", self.text, "--save", self.model, *SMALL, "--steps", "1000000", "--threads", "1", "--log",
                     pipe]
        process = subprocess.Popen([UNROLL, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        waiting = 0
        while waiting < 4096:
            self.assertLess(time.monotonic(), deadline)
            [waiting] = array.array("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))
            time.sleep(0.01)
        self.wait_until_asleep(process)
        process.send_signal(signal.SIGINT)
        said = b""
        while b"once more stops at once" not in said:
            said = process.stderr.readline()
            self.assertTrue(said)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), 130)
        process.communicate()

    def test_a_hangup_that_is_ignored_stays_ignored(self):
        process = subprocess.Popen([UNROLL, *self.arguments("--quiet", steps=1_000_000)], stdin=subprocess.DEVNULL,
                                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for_lines(self.log, process)
        process.send_signal(signal.SIGHUP)
        size = self.log.stat().st_size
        deadline = time.monotonic() + PATIENCE
        while self.log.stat().st_size < size + 10_000:
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 130)

    def test_quiet_stays_quiet(self):
        self.assertEqual(self.interrupt("--quiet"), (130, ""))

    def test_with_nothing_saved_it_starts_from_the_beginning_and_says_so(self):
        done = self.succeed(*self.arguments("--resume", steps=10))
        self.assertRegex(done.err, "nothing to resume.*begin")
        other = self.folder / "other"
        self.succeed(*self.arguments("--quiet", steps=10, save=other))
        self.assertEqual(self.model.read_bytes(), other.read_bytes())

    def test_a_finished_run_is_already_complete(self):
        self.succeed(*self.arguments(steps=10))
        before = self.folder_content()
        done = self.succeed(*self.arguments("--resume", steps=10))
        self.assertIn("already complete", done.err)
        self.assertEqual(self.folder_content(), before)

    def test_options_that_differ_are_refused_by_name(self):
        self.copy_stopped()
        before = self.folder_content()
        options = json.loads(self.succeed("inspect", self.model, "--json").out)["training"]["options"]
        other = {"f32": "bf16", "bf16": "f32"}[options["precision"]]
        differing = {"lr": "0.5", "seed": "2", "dropout": "0.5", "weight-drop": "0.5", "dropout-words": "0.1", "ar": "1",
                     "init-range": "0.1", "cell": "gru", "state": "reset", "layers": "2",
                     "optimizer": "sgd", "schedule": "plateau", "clip": "3", "warmup": "1", "weight-decay": "0.1", "beta2": "0.9",
                     "tokenizer": "byte",
                     "precision": other}
        for name, value in differing.items():
            self.refuse(2, [name], *self.arguments("--resume", "--quiet", f"--{name}", value))
        self.refuse(2, ["tied"], *self.arguments("--resume", "--quiet", "--tied"))
        self.refuse(2, ["steps"], *self.arguments("--resume", "--quiet", steps=STEPS + 1))
        for name, index in [("hidden", 5), ("batch-size", 7), ("bptt", 9)]:
            arguments = self.arguments("--resume", "--quiet")
            self.assertEqual(arguments[index - 1], f"--{name}")
            arguments[index] = "5"
            self.refuse(2, [name], *arguments)
        self.assertEqual(self.folder_content(), before)

    def test_another_text_is_refused(self):
        self.copy_stopped()
        arguments = self.arguments("--resume", "--quiet")
        changed = self.text.read_text(encoding="utf-8").replace("cat", "tac", 1)
        arguments[1] = self.write("other.txt", changed)
        self.refuse(2, ["text"], *arguments)

    def test_threads_may_differ(self):
        for threads in ["1", "3"]:
            self.copy_stopped()
            self.succeed(*self.arguments("--resume", "--quiet", "--threads", threads))
            self.assertEqual(self.model.read_bytes(), self.whole.read_bytes())

    def test_a_run_keeps_its_precision_where_another_would_be_chosen_now(self):
        for precision in ["f32", "bf16"]:
            whole = self.folder / precision
            self.succeed(*self.arguments("--quiet", "--precision", precision, save=whole))
            for environment in [{}, {"UNROLL_MAX_ISA": "avx2"}]:
                self.log.unlink()
                self.interrupt("--precision", precision, "--overwrite")
                done = self.succeed(*self.arguments("--resume"), environment=environment)
                self.assertIn(f"precision {precision} (auto: as the run began)", done.err)
                found = json.loads(self.succeed("inspect", self.model, "--json").out)
                self.assertEqual(found["training"]["options"]["precision"], precision)
                if not environment:
                    self.assertEqual(self.model.read_bytes(), whole.read_bytes())

    def test_an_existing_model_is_never_replaced_unasked(self):
        self.succeed(*self.arguments("--quiet", steps=5))
        before = self.model.read_bytes()
        self.refuse(2, [str(self.model), "--overwrite", "--resume"], *self.arguments("--quiet", steps=6))
        self.assertEqual(self.model.read_bytes(), before)
        self.succeed(*self.arguments("--quiet", "--overwrite", steps=6))
        self.assertNotEqual(self.model.read_bytes(), before)

    def test_overwrite_begins_anew_even_beside_a_saved_run(self):
        self.copy_stopped()
        self.succeed(*self.arguments("--quiet", "--overwrite"))
        self.assertEqual(self.model.read_bytes(), self.whole.read_bytes())
        self.assertFalse(self.saved.exists())

    def test_a_damaged_resume_file_is_refused_and_the_model_stays(self):
        self.copy_stopped()
        whole, model = self.saved.read_bytes(), self.model.read_bytes()
        for damaged in [whole[:len(whole) // 2], whole[:-1], whole[:100] + b"\x00" + whole[101:], b""]:
            self.saved.write_bytes(damaged)
            self.refuse(1, [str(self.saved), "--overwrite"], *self.arguments("--resume", "--quiet"))
            self.assertEqual(self.model.read_bytes(), model)
        self.saved.unlink()
        self.refuse(2, [str(self.saved), "--overwrite"], *self.arguments("--resume", "--quiet"))
        self.assertEqual(self.model.read_bytes(), model)

    def test_an_interrupted_model_is_marked_as_such_and_works(self):
        self.copy_stopped()
        found = json.loads(self.succeed("inspect", self.model, "--json").out)
        self.assertIs(found["training"]["complete"], False)
        self.assertIn("not complete", self.succeed("inspect", self.model).out)
        self.succeed("score", self.model, stdin=b"the cat\n")


if __name__ == "__main__":
    main()
