#!/usr/bin/env python3
"""Shards: parts of a verb's work, killed and resumed, merged into the bytes of one process."""

import fcntl
import json
import math
import os
import pathlib
import signal
import struct
import subprocess
import time

from command_line import PATIENCE, UNROLL, CommandTest, main, rows, run, sentence_text

# Each of seven shards is two batches of 256 KiB or more, the least that a killed run keeps: of a line most bytes are one
# unknown word, which is scored as fast as a short one.
LINES = 30_000
LONG_WORD = "x" * 120

SLURM = {"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_STEP": "2",
         "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MAX": "7"}


def part(path):
    return path.parent / f".{path.name}.unroll-part"


def fnv1a(content, start=0xCBF29CE484222325):
    for byte in content:
        start = (start ^ byte) * 0x100000001B3 % (1 << 64)
    return start


def sealed(noted):
    """A side file with hashes of itself that agree with what was changed in it."""
    whole = b""
    for line in noted.splitlines():
        if line.startswith(b"{"):
            start = line[:line.rindex(b',"hash"')]
            line = start + b',"hash":"%016x"}' % fnv1a(start)
        elif line.startswith((b"mark ", b"end ")):
            start = line[:line.rindex(b" ")]
            line = start + b" %016x" % fnv1a(whole + start)
        whole += line + b"\n"
    return whole


def flipped(content, at):
    """One bit is another one: digits stay digits."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]


class Shards(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "word", "--min-count", "2")
        cls.other = cls.make_model("other.safetensors", "--tokenizer", "word", "--seed", "2")
        cls.short = cls.shared / "short.txt"
        cls.short.write_text(sentence_text(40, seed=3) + "the unseen words here\n")

    def score(self, number, of, *flags, text=None, output="s"):
        path = self.folder / f"{output}{number}"
        self.succeed("score", self.model, text or self.short, "--shard", f"{number}/{of}", "--output", path, *flags)
        return path

    def merge(self, paths, *flags):
        """The joined bytes and the totals."""
        whole = self.folder / "whole"
        done = self.succeed("merge", *paths, "--output", whole, "--overwrite", *flags)
        return whole.read_bytes(), done.out

    def expect_nothing_left(self):
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])


class Killed(Shards):
    def start_until_a_part(self, path, command):
        """The process, when it has kept something or ended."""
        process = subprocess.Popen([UNROLL, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        side = part(pathlib.Path(f"{path}.shard"))
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None:
            self.assertLess(time.monotonic(), deadline, "it hangs")
            try:
                if b"\nmark " in side.read_bytes():
                    break
            except FileNotFoundError:
                pass
            time.sleep(0.0005)
        return process

    def kill_with_a_part(self, path, command):
        """Kills the command as soon as it has kept something; whether it had not ended before."""
        process = self.start_until_a_part(path, command)
        process.kill()
        process.communicate(timeout=PATIENCE)
        return process.returncode == -signal.SIGKILL

    def test_a_text_that_changes_in_its_place_is_noticed(self):
        text = self.write("text.txt", sentence_text(LINES, seed=5).replace("\n", f" {LONG_WORD}\n"))
        path = self.folder / "s1"
        process = self.start_until_a_part(path, ["score", self.model, text, "--shard", "1/2", "--output", path])
        process.send_signal(signal.SIGSTOP)
        with open(text, "r+b") as there:
            there.write(b"T")
        process.send_signal(signal.SIGCONT)
        noted = process.communicate(timeout=PATIENCE)[1].decode()
        self.assertEqual(process.returncode, 1, noted)
        self.assertIn(f"'{text}' was changed while it was read", noted)
        self.assertEqual(sorted(left.name for left in self.folder.iterdir()), ["text.txt"])

    def test_seven_shards_two_of_them_killed_are_one_run(self):
        text = self.write("text.txt", sentence_text(LINES, seed=5).replace("\n", f" {LONG_WORD}\n"))
        one = self.folder / "one"
        self.succeed("score", self.model, text, "--output", one, "--quiet")
        killed = 0
        paths = []
        for number in range(1, 8):
            path = self.folder / f"s{number}"
            paths.append(path)
            command = ["score", self.model, text, "--shard", f"{number}/7", "--output", path]
            if number in (2, 5) and self.kill_with_a_part(path, command):
                killed += 1
                self.assertFalse(path.exists())
                self.refuse(2, ["interrupted run", "--resume", "--overwrite"], *command)
                self.assertIn("going on with", self.succeed(*command, "--resume").err)
            else:
                self.succeed(*command, "--resume", "--quiet")
        self.assertGreater(killed, 0)
        again = self.succeed("score", self.model, text, "--shard", "3/7", "--output", paths[2])
        self.assertIn("is there already", again.err)
        self.assertEqual(again.out, "")
        whole, totals = self.merge(paths[::-1], "--json")
        self.assertEqual(whole, one.read_bytes())
        self.assertEqual(totals, self.merge([one], "--json")[1])
        self.assertEqual(whole, run("score", self.model, text, "--quiet").raw)
        of_eval = json.loads(self.succeed("eval", self.model, text, "--state", "reset", "--json").out)
        for key, value in json.loads(totals).items():
            if key in of_eval:
                self.assertEqual(value, of_eval[key], key)
        self.expect_nothing_left()

    def test_a_part_may_end_anywhere(self):
        """What a killed run or a power cut left is cut back to what is whole."""
        path = self.score(1, 2, output="whole")
        side = pathlib.Path(f"{path}.shard")
        wanted, noted = path.read_bytes(), side.read_bytes()
        sealed = noted.rindex(b"end ")
        for kept in [0, 1, 100, len(wanted) - 1, len(wanted)]:
            for side_kept in [sealed, sealed - 3, sealed - 40, 500, 30, 0]:
                with self.subTest(kept=kept, side_kept=side_kept):
                    target = self.folder / "t1"
                    if side_kept > 30:
                        part(target).write_bytes(wanted[:kept])
                    part(pathlib.Path(f"{target}.shard")).write_bytes(noted[:side_kept])
                    self.assertEqual(self.score(1, 2, "--resume", output="t").read_bytes(), wanted)
                    target.unlink()
                    pathlib.Path(f"{target}.shard").unlink()
        with self.subTest("bytes that the disk lost"):
            part(self.folder / "t1").write_bytes(b"\0" * len(wanted))
            part(self.folder / "t1.shard").write_bytes(noted[:sealed])
            self.assertEqual(self.score(1, 2, "--resume", output="t").read_bytes(), wanted)
        self.expect_nothing_left()

    def test_a_kill_between_the_two_renamings_is_made_up_for(self):
        path = self.score(1, 2)
        side = pathlib.Path(f"{path}.shard")
        side.rename(part(side))
        self.refuse(2, ["exists", "--resume", "--overwrite"], "score", self.model, self.short, "--shard", "1/2", "--output",
                    path)
        self.score(1, 2, "--resume")
        self.assertTrue(side.exists())
        self.expect_nothing_left()

    def test_of_another_command_is_not_resumed(self):
        path = self.score(1, 2)
        part(path).write_bytes(path.read_bytes())
        path.unlink()
        side = pathlib.Path(f"{path}.shard")
        side.rename(part(side))
        command = ["score", self.model, self.short, "--output", path]
        self.refuse(2, ["the shard", "--overwrite"], *command, "--shard", "2/2", "--resume")
        self.refuse(2, ["the list of options, as given", "--overwrite"], *command, "--shard", "1/2", "--resume", "--no-end")
        self.succeed(*command, "--shard", "2/2", "--resume", "--overwrite")
        self.assertEqual(path.read_bytes(), self.score(2, 2, output="x").read_bytes())

    def test_the_path_is_written_by_one_process_at_a_time(self):
        path = self.folder / "s1"
        lock = self.write(".s1.unroll-lock", "unroll is writing the file of this name while this one is locked\n"
                                             "process 77 on host elsewhere\n")
        with open(lock, "rb+") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.refuse(1, ["process 77 on host elsewhere", "wait for it", f"remove '{lock}'"], "score", self.model,
                        self.short, "--output", path)
        self.score(1, 1)
        self.assertFalse(lock.exists())


class Merged(Shards):
    def test_totals_have_the_bits_of_sums_by_line(self):
        paths = [self.score(number, 3) for number in (1, 2, 3)]
        totals = json.loads(self.merge(paths, "--json")[1])
        shown = [row.split("\t") for row in rows(run("score", self.model, self.short, "--quiet").out)]
        nats = 0.0
        for row in shown:
            nats -= float(row[0])
        tokens = sum(int(row[1]) for row in shown)
        self.assertEqual(totals["nats_per_token"], nats / tokens)
        self.assertTrue(math.isclose(totals["perplexity"], math.exp(nats / tokens), rel_tol=1e-15))
        self.assertEqual(totals["lines"], 41)
        self.assertGreater(totals["unknown_tokens"], 0)
        self.assertNotEqual(totals["perplexity"], totals["perplexity_without_unknown"])

    def test_side_files_hold_the_bits_of_each_line(self):
        path = self.score(2, 3)
        lines = pathlib.Path(f"{path}.shard").read_text().splitlines()
        head = json.loads(lines[0])
        self.assertEqual([head["shard"], head["of"], head["lines_of_all"]], [2, 3, 41])
        sums = [struct.unpack(">d", bytes.fromhex(line.split()[1].split(",")[0]))[0] for line in lines[2:-2]]
        self.assertEqual([-float(row.split("\t")[0]) for row in rows(path.read_text())], sums)

    def test_summaries_are_those_of_the_whole(self):
        for form in ["srilm", "kenlm", "json", "tokens", "surprisal", "words", "rnnlm"]:
            with self.subTest(form):
                text = self.write("blanks.txt", "the cat sees the dog.\n\n  \nthe unseen king\nthe night\n\nthe dog\n")
                paths = [self.score(n, 3, "--format", form, text=text, output=form) for n in (3, 1, 2)]
                whole = run("score", self.model, text, "--format", form, "--quiet").raw
                self.assertEqual(self.merge(paths)[0], whole)

    def test_to_standard_output_totals_go_to_standard_error(self):
        paths = [self.score(number, 2) for number in (1, 2)]
        done = self.succeed("merge", *paths)
        self.assertEqual(done.raw, run("score", self.model, self.short, "--quiet").raw)
        self.assertIn("perplexity", done.err)
        self.assertEqual(self.merge(paths)[1].splitlines(), done.err.splitlines())

    def test_what_is_not_one_whole_is_refused(self):
        paths = [self.score(number, 3) for number in (1, 2, 3)]
        self.refuse(1, ["2 of 3 shards", "missing are 2/3"], "merge", paths[0], paths[2])
        self.refuse(1, ["both shard 2/3", "once"], "merge", *paths, paths[1])
        self.refuse(1, ["there is no", "--output"], "merge", self.short)
        self.refuse(2, ["which FILEs"], "merge")
        of_two = self.score(1, 2, output="two")
        self.refuse(1, ["the shard", "1/2"], "merge", paths[0], of_two)
        unlike = self.score(2, 3, "--no-end", output="unlike")
        self.refuse(1, ["the list of options", "with one command"], "merge", paths[0], unlike, paths[2])
        text = self.write("edited.txt", self.short.read_text().replace("king", "ring"))
        self.refuse(1, ["the text"], "merge", paths[0], self.score(2, 3, text=text, output="e"), paths[2])
        self.succeed("score", self.other, self.short, "--shard", "2/3", "--output", self.folder / "o")
        self.refuse(1, ["the model"], "merge", paths[0], self.folder / "o", paths[2])

    def test_damaged_shards_are_refused(self):
        paths = [self.score(number, 2) for number in (1, 2)]
        side = pathlib.Path(f"{paths[1]}.shard")
        noted = side.read_bytes()
        for wrong, words in [(noted[:-20], ["cut short"]), (noted[:200], ["not the side file"]), (b"", ["not the side file"]),
                             (noted.replace(b"\nhead ", b"\nhaed "), ["in line 2"]), (noted + noted[-40:], ["was damaged"]),
                             (noted + b"1", ["goes on after its end"]),
                             (sealed(noted.replace(b'"unroll_shard":1', b'"unroll_shard":9')), ["format 9"]),
                             (sealed(noted.replace(b'"verb":"score"', b'"verb":"sing"')), ["the verb"])]:
            with self.subTest(words):
                side.write_bytes(wrong)
                self.refuse(1, words, "merge", *paths)
        side.write_bytes(noted)
        paths[1].write_bytes(paths[1].read_bytes().replace(b"the", b"teh", 1))
        self.refuse(1, ["does not have the", "was it changed"], "merge", *paths)
        self.refuse(1, ["was it changed"], "score", self.model, self.short, "--shard", "2/2", "--output", paths[1])
        self.score(2, 2, "--overwrite")
        self.succeed("merge", *paths)


    def test_no_byte_of_a_side_file_changes_unnoticed(self):
        paths = [self.score(number, 2) for number in (1, 2)]
        side = pathlib.Path(f"{paths[1]}.shard")
        noted = side.read_bytes()
        self.assertEqual(sealed(noted), noted)
        score = ["score", self.model, self.short, "--shard", "2/2", "--output", paths[1]]
        for at in [*range(0, len(noted), 17), noted.index(b"\nhead"), len(noted) - 2]:
            with self.subTest(at=at, byte=noted[at:at + 1]):
                side.write_bytes(flipped(noted, at))
                self.refuse(1, [str(side), "--overwrite"], "merge", *paths)
        side.write_bytes(flipped(noted, len(noted) // 2))
        self.refuse(1, [str(side), "was damaged", "--overwrite"], *score)
        self.refuse(1, [str(side), "was damaged", "--overwrite"], *score, "--resume")
        self.succeed(*score, "--overwrite")
        self.assertEqual(side.read_bytes(), noted)

    def test_no_byte_of_the_part_of_a_side_file_changes_unnoticed(self):
        path = self.score(2, 2)
        side = pathlib.Path(f"{path}.shard")
        wanted, noted = path.read_bytes(), side.read_bytes()
        score = ["score", self.model, self.short, "--shard", "2/2", "--output", path, "--resume"]
        left = noted[:noted.rindex(b"end ")]
        side.unlink()
        for at in [*range(20, len(left), 67), left.index(b"\nhead"), len(left) - 2]:
            with self.subTest(at=at, byte=left[at:at + 1]):
                path.unlink(missing_ok=True)
                part(path).write_bytes(wanted)
                part(side).write_bytes(flipped(left, at))
                self.refuse(1, [str(part(side)), "was damaged", "--overwrite"], *score)
        self.succeed(*score, "--overwrite")
        self.assertEqual((path.read_bytes(), side.read_bytes()), (wanted, noted))
        side.unlink()
        for at in [100, len(noted) // 2]:
            with self.subTest("between the renamings", at=at):
                part(side).write_bytes(flipped(noted, at))
                self.refuse(1, [str(part(side)), "was damaged", "--overwrite"], *score)
        self.succeed(*score, "--overwrite")
        self.assertEqual((path.read_bytes(), side.read_bytes()), (wanted, noted))
        self.expect_nothing_left()

    def test_side_files_that_agree_with_themselves_alone_are_refused(self):
        paths = [self.score(number, 2) for number in (1, 2)]
        sides = [pathlib.Path(f"{path}.shard") for path in paths]
        noted = [side.read_bytes() for side in sides]
        unit = noted[0].splitlines()[2]
        for old, new, words in [(b'"lines_of_all":41', b'"lines_of_all":99', ["has 20 lines", "1/2 of 99 has 49"]),
                                (unit, unit[:unit.rindex(b",")], ["is damaged", "2 and 5 numbers", "2 and 6"]),
                                (b'"parameters":', b'"perimeters":', ["was damaged, in line 1:"]),
                                (b'"format":', b'"fromat":', ["is damaged", "parameters are not those of score"])]:
            with self.subTest(words):
                for side, content in zip(sides, noted):
                    side.write_bytes(sealed(content.replace(old, new)))
                self.refuse(1, [f"'{sides[0]}'", "--overwrite", *words], "merge", *paths)


class Cuts(Shards):
    def check(self, content, of):
        text = self.write("odd.txt", content)
        paths = [self.score(number, of, text=text, output="o") for number in range(1, of + 1)]
        whole, _ = self.merge(paths)
        self.assertEqual(whole, run("score", self.model, text, "--quiet").raw)
        self.assertEqual([len(rows(path.read_text())) for path in paths],
                         [(i + 1) * len(rows(whole.decode())) // of - i * len(rows(whole.decode())) // of for i in range(of)])
        for path in paths:
            path.unlink()
            pathlib.Path(f"{path}.shard").unlink()

    def test_odd_texts_are_cut_between_lines(self):
        for content, of in [(b"", 3), (b"the cat\n", 3), (b"the cat", 2), (b"the cat\nthe dog", 2), (b"\n\n\n", 2),
                            (b"\xef\xbb\xbfthe cat\nthe dog\n", 2), (b"the cat\r\nthe dog\r\nthe king\r\n", 2),
                            (b"the cat\n" * 5, 7), (b"the cat \xc3\xa4\n" * 11, 4)]:
            with self.subTest(content=content, of=of):
                self.check(content, of)

    def test_without_output_a_shard_goes_to_standard_output(self):
        whole = rows(run("score", self.model, self.short, "--quiet").out)
        parts = [rows(self.succeed("score", self.model, self.short, "--shard", f"{i}/3").out) for i in (1, 2, 3)]
        self.assertEqual(parts[0] + parts[1] + parts[2], whole)
        self.assertEqual(list(map(len, parts)), [13, 14, 14])

    def test_numbers_of_lines_are_those_of_the_text(self):
        done = self.succeed("score", self.model, self.short, "--shard", "2/3", "--format", "surprisal")
        self.assertEqual(rows(done.out)[1].split("\t")[0], "14")
        text = self.write("bad.txt", "a the cat\nb the dog\nc the king\n\n")
        self.refuse_with_output("line 4", "score", self.model, text, "--format", "kaldi", "--shard", "2/2")

    def refuse_with_output(self, words, *arguments):
        done = run(*arguments)
        self.assertEqual(done.status, 1)
        self.assertIn(words, done.err)

    def test_wrong_shards_are_refused(self):
        for wrong in ["0/3", "4/3", "1/0", "a/b", "1", "1/", "/3", "", "-1/3", "01/3", "1/3/4", "1/2000000", "1.5/3"]:
            with self.subTest(wrong):
                self.refuse(2, ["--shard", "I/N"], "score", self.model, self.short, f"--shard={wrong}")

    def test_what_depends_on_lines_before_is_refused(self):
        for flags in [["--state", "carry"], ["--cache"], ["--dynamic"]]:
            with self.subTest(flags):
                self.refuse(2, ["--shard", flags[0], "all lines before"], "score", self.model, self.short, "--shard", "1/2",
                            *flags)
        self.refuse(2, ["--output", "--cache"], "score", self.model, self.short, "--output", self.folder / "x", "--cache")

    def test_what_cannot_be_read_twice_is_refused(self):
        self.refuse(2, ["standard input", "only once"], "score", self.model, "-", "--shard", "1/2", stdin=b"the cat\n")
        self.refuse(2, ["standard input", "only once"], "score", self.model, "--output", self.folder / "x", stdin=b"a\n")
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        self.refuse(2, ["only once"], "score", self.model, fifo, "--shard", "1/2")

    def test_slurm_tells_which_shard_it_is(self):
        slurm = ["score", self.model, self.short, "--shard", "slurm"]
        here = {**SLURM}
        self.assertEqual(self.succeed(*slurm, environment=here).out,
                         self.succeed("score", self.model, self.short, "--shard", "2/3").out)
        self.assertEqual(self.succeed("score", self.model, self.short, environment=here).out,
                         self.succeed("score", self.model, self.short).out)
        for name in ["ID", "MIN", "STEP", "COUNT"]:
            with self.subTest(name):
                left = {key: value for key, value in here.items() if not key.endswith(name)}
                self.refuse(2, [f"SLURM_ARRAY_TASK_{name} is not set"], *slurm, environment=left)
        for wrong in [{"ID": "4"}, {"ID": "9"}, {"STEP": "1"}, {"COUNT": "2"}, {"MAX": "9"}, {"MAX": "8"}, {"STEP": "0"},
                      {"MIN": "9"}, {"COUNT": "0"}]:
            with self.subTest(wrong):
                changed = {**here, **{f"SLURM_ARRAY_TASK_{key}": value for key, value in wrong.items()}}
                self.refuse(2, ["gaps", "--array=1-"], *slurm, environment=changed)
        self.refuse(2, ["SLURM_ARRAY_TASK_ID", "whole number"], *slurm, environment={**here, "SLURM_ARRAY_TASK_ID": "x"})


class Outputs(Shards):
    def test_an_existing_file_is_replaced_where_that_is_asked_for(self):
        path = self.write("s1", "somebody's")
        command = ["score", self.model, self.short, "--shard", "1/1", "--output", path]
        self.refuse(2, ["exists", "--overwrite"], *command)
        self.assertEqual(path.read_text(), "somebody's")
        self.succeed(*command, "--overwrite")
        self.refuse(2, ["the list of options, as given", "differs", "--overwrite"], *command, "--no-end")
        self.succeed(*command, "--threads", "1")
        self.succeed(*command, "--no-end", "--overwrite")
        self.assertNotEqual(path.read_bytes(), run("score", self.model, self.short).raw)
        path.unlink()
        pathlib.Path(f"{path}.shard").write_text("somebody's")
        self.refuse(2, ["s1.shard' exists"], *command)

    def test_no_input_is_replaced(self):
        self.refuse(2, ["which is read"], "score", self.model, self.short, "--output", self.short, "--overwrite")
        self.refuse(2, ["which is read"], "score", self.model, self.short, "--output", self.model, "--overwrite")
        self.refuse(2, ["standard output"], "score", self.model, self.short, "--output", "-")
        self.refuse(2, ["--resume", "--output"], "score", self.model, self.short, "--resume")
        path = self.score(1, 1)
        self.refuse(2, ["which is read"], "merge", path, "--output", path, "--overwrite")

    def test_somebodys_part_is_not_touched(self):
        path = self.folder / "s1"
        part(path).write_text("somebody's")
        self.refuse(2, ["was not left by", "move it away"], "score", self.model, self.short, "--output", path, "--overwrite")
        self.assertEqual(part(path).read_text(), "somebody's")

    def test_a_folder_that_cannot_be_written_and_a_full_disk_are_errors(self):
        self.refuse(1, ["absent"], "score", self.model, self.short, "--output", self.folder / "absent" / "x")
        path = self.write("s1", "old")
        done = subprocess.run(["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', UNROLL, "score", self.model, self.short, "--tokens",
                               "--output", path, "--overwrite"], capture_output=True, check=False, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write", done.stderr)
        self.assertEqual(path.read_text(), "old")
        self.succeed("score", self.model, self.short, "--tokens", "--output", path, "--overwrite", "--resume")
        self.assertEqual(path.read_bytes(), run("score", self.model, self.short, "--tokens", "--quiet").raw)


if __name__ == "__main__":
    main()
