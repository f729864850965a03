#!/usr/bin/env python3
"""Runs of several processes under mpirun: the bytes of one, refusals, and what happens when a process is lost.

    python3 tests/mpi/mpi_train.py PATH_OF_UNROLL PATH_OF_UNROLL_MPI
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
UNROLL_MPI = os.path.abspath(sys.argv.pop(2))

from command_line import PATIENCE, CommandTest, Done, log_lines, main, run  # noqa: E402

# mpirun asks for this where tests run as root, and binds ranks to cores of which there may be few.
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none"}
LONG = 100_000  # steps: more than a test waits for
NOT_ANSWERING = 3  # status


def start(ranks, *arguments, **options):
    return subprocess.Popen(["mpirun", "-n", str(ranks), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=ENVIRONMENT, **options)


def mpirun(ranks, *arguments):
    process = start(ranks, UNROLL_MPI, *arguments)
    out, err = process.communicate(timeout=PATIENCE)
    return Done(subprocess.CompletedProcess([], process.returncode, out, err))


def ranks_of(process):
    """The processes that mpirun started, in no order."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


class MpiTrain(CommandTest):
    def arguments(self, save, *flags, steps=60, replicas=8, threads=1, text=None):
        return ["train", str(text or self.text), "--save", str(self.folder / save), "--hidden", "8", "--bptt", "8",
                "--batch-size", "8", "--replicas", str(replicas), "--steps", str(steps), "--threads", str(threads),
                *flags]

    def setUp(self):
        super().setUp()
        self.log = self.folder / "log.jsonl"

    def bytes_of(self, save):
        return (self.folder / save).read_bytes()

    def alone(self, save="alone", *flags, **options):
        self.succeed(*self.arguments(save, "--quiet", *flags, **options))
        return self.bytes_of(save)

    def wait_for_steps(self, process, count=5):
        deadline = time.monotonic() + PATIENCE
        while not self.log.exists() or self.log.read_bytes().count(b"\n") < count:
            self.assertIsNone(process.poll(), "the run ended by itself")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def finish(self, process, within=PATIENCE):
        out, err = process.communicate(timeout=within)
        return Done(subprocess.CompletedProcess([], process.returncode, out, err))

    def test_any_number_of_processes_makes_the_same_file(self):
        flags = ["--layers", "2", "--dropout", "0.2", "--average", "ema"]
        wanted = self.alone("alone", *flags)
        for ranks in (1, 2, 3, 4, 8):
            done = mpirun(ranks, *self.arguments(f"m{ranks}", *flags))
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(self.bytes_of(f"m{ranks}"), wanted, f"{ranks} processes")
            self.assertEqual(done.err.count("trained  60 steps"), 1, done.err)

    def test_words_in_rows_and_other_threads(self):
        flags = ["--tokenizer", "word", "--softmax", "sampled", "--samples", "5"]
        wanted = self.alone("alone", *flags)
        for ranks, threads in ((2, 2), (5, 1)):
            done = mpirun(ranks, *self.arguments(f"m{ranks}", *flags, threads=threads))
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(self.bytes_of(f"m{ranks}"), wanted, f"{ranks} processes")

    def stop_with(self, number, ranks, save, *flags):
        """Stops the run of `save` with a signal to mpirun, and returns how it ended."""
        self.log.unlink(missing_ok=True)
        process = start(ranks, UNROLL_MPI,
                        *self.arguments(save, "--save-every", "10", "--log", str(self.log), *flags, steps=LONG))
        self.wait_for_steps(process, 25)
        process.send_signal(number)
        return self.finish(process)

    def test_stopped_and_resumed_by_other_numbers_is_never_stopped(self):
        """1 process, 3, then 2, by signals; its end is made near, so that the run can be compared with a whole one."""
        process = start(3, UNROLL_MPI, *self.arguments("m", "--save-every", "10", "--log", str(self.log), steps=4000))
        self.wait_for_steps(process, 25)
        process.send_signal(signal.SIGUSR1)
        done = self.finish(process)
        self.assertNotEqual(done.status, 0)
        saved = (self.folder / "m.resume").exists()
        self.assertTrue(saved, done.err)
        self.assertEqual(mpirun(2, *self.arguments("m", "--resume", "--dry-run", steps=4000)).status, 0)
        steps = len(log_lines(self.log))
        self.assertLess(steps, 4000)
        done = mpirun(2, *self.arguments("m", "--resume", steps=4000))
        self.assertEqual(done.status, 0, done.err)
        self.assertIn("resuming", done.err)
        self.assertEqual(self.bytes_of("m"), self.alone("alone", steps=4000))

    def test_sigterm_saves_too(self):
        done = self.stop_with(signal.SIGTERM, 2, "m")
        self.assertNotEqual(done.status, 0)
        last = log_lines(self.log)[-1]["step"]
        told = run(*self.arguments("m", "--resume", "--dry-run", steps=LONG))
        self.assertEqual(told.status, 0, told.err)
        self.assertIn(f"resuming '{self.folder / 'm'}' after step {last} of {LONG}", told.err)

    def test_a_process_that_is_killed_ends_the_run_and_the_file_is_whole(self):
        process = start(3, UNROLL_MPI, *self.arguments("m", "--save-every", "10", "--log", str(self.log), steps=3000))
        self.wait_for_steps(process, 25)
        os.kill(ranks_of(process)[-1], signal.SIGKILL)
        done = self.finish(process, 30)
        self.assertNotEqual(done.status, 0)
        done = mpirun(2, *self.arguments("m", "--resume", steps=3000))
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(self.bytes_of("m"), self.alone("alone", steps=3000))

    def test_a_process_that_stands_still_is_named(self):
        process = start(3, UNROLL_MPI, *self.arguments("m", "--save-every", "10", "--log", str(self.log), steps=LONG),
                        "--step-timeout", "3")
        self.wait_for_steps(process, 25)
        still = ranks_of(process)[-1]
        os.kill(still, signal.SIGSTOP)
        began = time.monotonic()
        done = self.finish(process, 60)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(done.status, NOT_ANSWERING, done.err)
        self.assertRegex(done.err, r"unroll: error: rank \d on \S+ waits for rank \d on \S+: nothing arrived for 3 seconds")
        deadline = time.monotonic() + 20
        while pathlib.Path(f"/proc/{still}").exists():
            self.assertLess(time.monotonic(), deadline, "it was left behind")
            time.sleep(0.1)
        told = run(*self.arguments("m", "--resume", "--dry-run", steps=LONG))
        self.assertEqual(told.status, 0, told.err)

    def test_a_dry_run_says_what_a_step_takes_and_writes_nothing(self):
        done = mpirun(4, *self.arguments("m", "--dry-run"))
        self.assertEqual(done.status, 0, done.err)
        self.assertRegex(done.err, r"ranks    4 on 1 host \(4 \S+\), 8 replicas; each sends [\d.,]+ KiB a step, which takes "
                                   r"\d+% of it")
        self.assertNotIn("trained", done.err)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_dry_run_leaves_the_log_of_another_run_alone(self):
        self.alone("m", "--log", str(self.log))
        before = self.log.read_bytes()
        self.assertEqual(mpirun(2, *self.arguments("m", "--log", str(self.log), "--overwrite", "--dry-run")).status, 0)
        self.succeed(*self.arguments("m", "--log", str(self.log), "--overwrite", "--dry-run"))
        self.assertEqual(self.log.read_bytes(), before)

    def test_threads_without_cores_are_told(self):
        process = start(1, "--bind-to", "core", UNROLL_MPI, *self.arguments("m", "--dry-run", threads=2))
        done = self.finish(process)
        self.assertEqual(done.status, 0, done.err)
        self.assertRegex(done.err, r"WARNING: --threads is 2, and rank 0 on \S+ may use 1 core: .*--map-by slot:PE=2")

    def refuse_all(self, status, words, ranks, *arguments):
        """All processes end with the status, and one of them says why."""
        done = mpirun(ranks, *arguments)
        self.assertEqual(done.status, status, done.err)
        errors = [line for line in done.err.splitlines() if line.startswith("unroll: error: ")]
        self.assertEqual(len(errors), 1, done.err)
        for word in words:
            self.assertIn(word, errors[0])

    def test_refusals(self):
        self.refuse_all(2, ["3 processes", "--replicas is 2"], 3, *self.arguments("m", replicas=2))
        self.refuse_all(2, ["--replicas is 3", "power of two"], 2, *self.arguments("m", replicas=3))
        self.refuse_all(2, ["--minutes is for one process"], 2, "train", str(self.text), "--save",
                        str(self.folder / "m"), "--replicas", "2", "--minutes", "1")
        self.refuse_all(2, ["--auto is for one process"], 2, "train", "--task", "classify", str(self.text), "--save",
                        str(self.folder / "m"), "--auto", "1")
        self.refuse_all(1, ["missing.txt"], 2, "train", str(self.folder / "missing.txt"), "--save",
                        str(self.folder / "m"), "--replicas", "2")
        self.refuse_all(2, ["standard input is for one process"], 2, *self.arguments("m", text="-"))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_processes_that_save_at_other_steps_are_named(self):
        both = ["-n", "1", UNROLL_MPI, *self.arguments("m", "--save-every", "10"), ":", "-n", "1", UNROLL_MPI,
                *self.arguments("m", "--save-every", "20")]
        process = subprocess.Popen(["mpirun", *both], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        done = self.finish(process)
        self.assertEqual(done.status, 2, done.err)
        self.assertIn('--save-every is "20", and "10" on rank 0', done.err)

    def test_processes_that_differ_are_named(self):
        """Copies of a text on two hosts that are not the same."""
        both = []
        for name in ("here", "there"):
            (self.folder / name).mkdir()
            (self.folder / name / "text").write_text(self.text.read_text() + name)
            both += [":", "-n", "1", "-wdir", str(self.folder / name), UNROLL_MPI, *self.arguments("m", text="text")]
        both = both[1:]
        process = subprocess.Popen(["mpirun", *both], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        done = self.finish(process)
        self.assertEqual(done.status, 2, done.err)
        self.assertIn("rank 1 on ", done.err)
        self.assertRegex(done.err, r"another run than rank 0 on \S+: (text|vocabulary) is ")

    def test_processors_that_round_otherwise_are_refused(self):
        version = run("--version").out
        if re.search(r"instruction set: AVX2$", version, re.M):
            self.skipTest("this processor has no instruction set above AVX2")
        both = ["-n", "1", UNROLL_MPI, *self.arguments("m"), ":", "-n", "1", "-x", "UNROLL_MAX_ISA=avx2", UNROLL_MPI,
                *self.arguments("m")]
        process = subprocess.Popen(["mpirun", *both], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        done = self.finish(process)
        self.assertEqual(done.status, 2, done.err)
        self.assertIn("UNROLL_MAX_ISA=avx2", done.err)

    def test_a_launcher_that_is_not_understood_is_refused(self):
        """Each process of `srun` without Open MPI's plugin, or of another MPI's mpirun, would train by itself."""
        for variable in ("SLURM_NTASKS", "PMI_SIZE"):
            process = subprocess.run([UNROLL_MPI, *self.arguments("m")], capture_output=True, timeout=PATIENCE,
                                     env={**ENVIRONMENT, variable: "4"}, check=False)
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertIn(f"{variable} is 4, and MPI knows of 1 process".encode(), process.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_help_and_wrong_usage(self):
        done = subprocess.run([UNROLL_MPI, "--help"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.assertIn("mpirun -n P unroll-mpi train", done.stdout)
        for arguments in ([], ["score"], ["train", "--step-timeout", "0"], ["train", "--step-timeout"]):
            done = subprocess.run([UNROLL_MPI, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith("unroll: error: "), done.stderr)


if __name__ == "__main__":
    main()
