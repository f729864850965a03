#!/usr/bin/env python3
"""Each system call on a file fails once: the old file stays whole, nothing is left behind, and a resumed run ends with
the same bytes.

The library named by UNROLL_FAILING_CALLS (support/failing_calls.cc) is preloaded: for each kind of call, the first one
on the test's folder fails, then the second, and so on until a run comes to its end without reaching the call.
"""

import itertools
import os

from command_line import SMALL, CommandTest, log_lines, main, run

CALLS = ["write", "fsync", "rename", "open", "mmap"]
LIBRARY = os.environ["UNROLL_FAILING_CALLS"]


class FailingCalls(CommandTest):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        self.mark = self.shared / "mark"
        self.reached = set()
        self.unnamed_files = "named"

    def content(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def restore(self, content):
        for path in self.folder.iterdir():
            path.unlink()
        for name, content_of_file in content.items():
            (self.folder / name).write_bytes(content_of_file)

    def failures(self, start, *arguments):
        """Runs the command from the files of `start` with every call failing once, and yields the name of each call
        with its number, the finished run, and the files that it left."""
        for call in CALLS:
            for number in itertools.count(1):
                self.restore(start)
                self.mark.unlink(missing_ok=True)
                done = run(*arguments, environment={
                    "LD_PRELOAD": LIBRARY, "FAILING_CALL": call, "FAILING_AT": str(number),
                    "FAILING_FOLDER": str(self.folder), "FAILING_MARK": str(self.mark),
                    "UNNAMED_FILES": self.unnamed_files})
                if not self.mark.exists():
                    self.assertEqual(done.status, 0, done.err)
                    break
                self.reached.add(call)
                yield f"{call} {number}", done, self.content()

    def check_failure(self, done):
        self.assertEqual(done.status, 1, done.err)
        self.assertRegex(done.err, rf"^unroll: error: .*({self.folder}|no memory)")
        self.assertEqual(done.err.count("\n"), 1, done.err)

    def check_replacement(self, start, name, *arguments):
        """A command that replaces the file `name`."""
        self.restore(start)
        self.succeed(*arguments)
        finished = self.content()
        self.assertNotEqual(finished[name], start[name])
        late = 0
        for call, done, left in self.failures(start, *arguments):
            with self.subTest(call):
                self.check_failure(done)
                # When all that fails is the flush of the folder, the new file is in its place already.
                if left == finished:
                    self.assertRegex(call, "fsync|open")
                    late += 1
                else:
                    self.assertEqual(left, start)
        self.assertEqual(late, 2)

    def test_converting(self):
        model = self.make_model("m").read_bytes()
        for self.unnamed_files in ["named", "none", "stay"]:
            self.check_replacement({"m": model, "out": b"old"}, "out", "convert", self.folder / "m", "--precision",
                                   "int8", "--save", self.folder / "out", "--overwrite", "--quiet")
            self.assertEqual(self.reached, set(CALLS))

    def test_learning_sub_words(self):
        self.check_replacement({"text": self.text.read_bytes(), "p.model": b"old"}, "p.model", "tokenize", "train",
                               self.folder / "text", "--vocab-size", "30", "--save", self.folder / "p.model",
                               "--overwrite", "--quiet")
        self.assertEqual(self.reached, set(CALLS) - {"mmap"})

    def test_a_shard(self):
        out, side = self.folder / "out", ".out.shard.unroll-part"
        self.score = ["score", self.folder / "m", self.folder / "text", "--shard", "1/2", "--output", out, "--overwrite",
                      "--resume", "--threads", "1", "--quiet"]
        begun = {"text": self.text.read_bytes()[:2000], "m": self.make_model("scored").read_bytes(), "out": b"old"}
        self.restore(begun)
        self.succeed(*self.score)
        self.finished = self.content()
        self.assertEqual(set(self.finished), {"text", "m", "out", "out.shard"})
        stopped = self.check_shard(begun)
        self.assertIn(side, stopped)
        self.check_shard(stopped)
        self.assertEqual(self.reached, set(CALLS))

    def check_shard(self, start):
        """Fails a run and resumes it, again and again; returns the last files from which it was resumed."""
        stopped = None
        for call, done, left in self.failures(start, *self.score):
            with self.subTest(call):
                self.check_failure(done)
                self.assertIn(left["out"], [b"old", self.finished["out"]])
                if ".out.shard.unroll-part" in left:
                    stopped = left
                self.succeed(*self.score)
                self.assertEqual(self.content(), self.finished)
        return stopped

    def test_training(self):
        self.train = ["train", self.folder / "text", "--save", self.folder / "m", *SMALL, "--steps", "5",
                      "--save-every", "2", "--validate-every", "3", "--log", self.folder / "log", "--threads", "1",
                      "--quiet"]
        begun = {"text": self.text.read_bytes()[:2000], "m": self.make_model("old").read_bytes()}
        self.restore(begun)
        self.succeed(*self.train, "--overwrite")
        self.finished = self.content()
        self.finished_log = self.steps_in_log()
        self.assertEqual(set(self.finished), {"text", "m", "log"})
        stopped = self.check_training(begun, "--overwrite")
        self.check_training(stopped, "--resume")
        self.assertEqual(self.reached, set(CALLS))

    def check_training(self, start, flag):
        """Fails a run and resumes it, again and again; returns the last files from which it was resumed."""
        stopped = None
        models = {start["m"], self.finished["m"]}
        for call, done, left in self.failures(start, *self.train, flag):
            with self.subTest(call):
                if done.status == 0:
                    # The last line of the log, which is written once more when the model is safe.
                    self.assertEqual(left["m"], self.finished["m"])
                else:
                    self.check_failure(done)
                self.assertLessEqual(set(left), {"text", "m", "m.resume", "log"})
                if left["m"] not in models:
                    self.succeed("inspect", self.folder / "m")
                    models.add(left["m"])
                if "m.resume" in left:
                    stopped = left
                self.succeed(*self.train, "--resume" if "m.resume" in left or left["m"] != start["m"] else flag)
                self.assertEqual(set(self.content()), set(self.finished))
                self.assertEqual((self.folder / "m").read_bytes(), self.finished["m"])
                self.assertEqual(self.steps_in_log(), self.finished_log)
        return stopped

    def steps_in_log(self):
        lines = log_lines(self.folder / "log")
        for line in lines:
            del line["tokens_per_s"]
        return lines


if __name__ == "__main__":
    main()
