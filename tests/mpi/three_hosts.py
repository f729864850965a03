#!/usr/bin/env python3
"""Three hosts on one machine, made of network namespaces and a bridge, on which unroll-mpi trains and loses processes.

    sudo python3 tests/mpi/three_hosts.py [--unroll PROGRAM] [--mpi PROGRAM] [--rate RATE] [--keep]

Each host has a name, an address and a network of its own, and they share the file system. mpirun starts its daemons there
through a script that stands in for ssh. Trains on them, compares the file with that of one process, and then kills a
process, stops one, and cuts a host off: each has to end in time with an error that names the host, and leave a run
behind that --resume finishes with the same bytes. Needs root, iproute2 and Open MPI. Not a part of ./test.

--rate limits what a host sends, as tc writes it (1gbit), and prints how long a step takes there.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HOSTS = ["unroll-a", "unroll-b", "unroll-c"]
BRIDGE = "unroll-br"
NETWORK = "10.213.77"
TIMEOUT = 4  # seconds: --step-timeout
PATIENCE = 60
NOT_ANSWERING = 3
SMALL = ["--hidden", "8", "--bptt", "8", "--batch-size", "8", "--replicas", "8", "--threads", "1", "--save-every", "50"]


def ip(*arguments, check=True):
    subprocess.run(["ip", *arguments], check=check, stderr=None if check else subprocess.DEVNULL)


def address(host):
    return f"{NETWORK}.{HOSTS.index(host) + 1}"


class ThreeHosts:
    """The hosts, while a `with` lasts."""

    def __init__(self, folder, rate):
        self.folder = folder
        self.rate = rate

    def __enter__(self):
        self.remove()
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("link", "set", BRIDGE, "up")
        for host in HOSTS:
            link = self.link(host)
            ip("netns", "add", host)
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", link, "master", BRIDGE, "up")
            ip("-n", host, "address", "add", address(host) + "/24", "dev", "eth0")
            ip("-n", host, "link", "set", "lo", "up")
            ip("-n", host, "link", "set", "eth0", "up")
            self.limit(host, self.rate)
            # `ip netns exec` puts these in the place of /etc.
            etc = pathlib.Path("/etc/netns") / host
            etc.mkdir(parents=True)
            names = "".join(f"{address(other)} {other}\n" for other in HOSTS)
            (etc / "hosts").write_text("127.0.0.1 localhost\n" + names)
        agent = self.folder / "agent"
        agent.write_text("#!/bin/sh\n# What mpirun calls in the place of ssh: agent HOST COMMAND...\n"
                         "host=$1; shift\n"
                         'exec ip netns exec "$host" unshare --uts sh -c "hostname $host; exec $*"\n')
        agent.chmod(0o755)
        return self

    def __exit__(self, *_):
        self.remove()

    def limit(self, host, rate):
        if not rate:
            return
        subprocess.run(["ip", "netns", "exec", host, "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate,
                        "burst", "1mb", "latency", "50ms"], check=True)

    @staticmethod
    def link(host):
        return "un-" + host[-1]

    def cut(self, host):
        ip("link", "set", self.link(host), "down")

    def mend(self, host):
        ip("link", "set", self.link(host), "up")

    def remove(self):
        for host in HOSTS:
            ip("netns", "delete", host, check=False)
            ip("link", "delete", self.link(host), check=False)
            shutil.rmtree(pathlib.Path("/etc/netns") / host, ignore_errors=True)
        ip("link", "delete", BRIDGE, check=False)

    @staticmethod
    def pids(host):
        return subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True, check=True).stdout.split()

    def running(self):
        """What runs on the hosts, as text."""
        commands = []
        for host in HOSTS:
            for pid in self.pids(host):
                commands.append(f"{host}: {pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().decode()[:60]}")
        return commands

    def kill_all(self):
        for host in HOSTS:
            for pid in self.pids(host):
                os.kill(int(pid), signal.SIGKILL)

    def mpirun(self, ranks, *command):
        """Starts a program, ranks dealt to the hosts in turns, from the first host."""
        slots = ",".join(f"{host}:{8}" for host in HOSTS)
        mpirun = ["mpirun", "--host", slots, "--map-by", "node", "-n", str(ranks), "--bind-to", "none",
                  "--mca", "plm_rsh_agent", str(self.folder / "agent"), "--mca", "btl", "tcp,self",
                  "--mca", "btl_tcp_if_include", f"{NETWORK}.0/24", "--mca", "oob_tcp_if_include", f"{NETWORK}.0/24"]
        script = f"hostname {HOSTS[0]}; exec \"$@\""
        return subprocess.Popen(["ip", "netns", "exec", HOSTS[0], "unshare", "--uts", "sh", "-c", script, "sh", *mpirun,
                                 *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1",
                                     "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})


class Trial:
    def __init__(self, hosts, asked, folder):
        self.hosts = hosts
        self.asked = asked
        self.folder = folder
        self.text = folder / "text"
        dice = random.Random(1)
        self.text.write_text("".join(dice.choices("abcdefgh \n", k=20_000)))
        self.failures = 0

    def train(self, save, steps, *flags):
        return ["train", self.text, "--save", self.folder / save, *SMALL, "--steps", str(steps), *flags]

    def alone(self, save, steps):
        subprocess.run([self.asked.unroll, *map(str, self.train(save, steps, "--quiet"))], check=True)
        return (self.folder / save).read_bytes()

    def tell(self, what, fine, more=""):
        self.failures += 0 if fine else 1
        print(f"{'ok    ' if fine else 'FAILED'}  {what}{more}", flush=True)

    def finished(self, process, within=PATIENCE):
        began = time.monotonic()
        try:
            _, err = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.hosts.kill_all()
            _, err = process.communicate()
            return None, err, time.monotonic() - began
        return process.returncode, err, time.monotonic() - began

    def same_bytes(self):
        wanted = self.alone("alone", 300)
        for ranks in (1, 3, 5, 8):
            status, err, seconds = self.finished(self.hosts.mpirun(ranks, self.asked.mpi, *self.train(f"m{ranks}", 300)))
            fine = status == 0 and (self.folder / f"m{ranks}").read_bytes() == wanted
            self.tell(f"{ranks} processes on three hosts make the file of one", fine, f" ({seconds:.1f} s)")
            if not fine:
                print(err)

    def lose(self, what, act, undo=lambda: None, statuses=None):
        """Starts a run, lets `act` do its worst to it, and looks at how it ends."""
        save = what.replace(" ", "-")
        log = self.folder / (save + ".jsonl")
        steps = 4000
        process = self.hosts.mpirun(3, self.asked.mpi, *self.train(save, steps, "--log", log), "--step-timeout", TIMEOUT)
        while not log.exists() or log.read_bytes().count(b"\n") < 120:
            if process.poll() is not None:
                self.tell(what, False, ": ended by itself: " + process.stderr.read())
                return
            time.sleep(0.02)
        act()
        status, err, seconds = self.finished(process)
        undo()
        named = [line for line in err.splitlines() if "unroll: error: rank" in line or "exited on signal" in line]
        fine = status is not None and status != 0 and (statuses is None or status in statuses) and named
        self.tell(what, bool(fine), f": status {status} after {seconds:.1f} s: {named[:1]}")
        if not fine:
            print(err)
        deadline = time.monotonic() + 3 * TIMEOUT
        while self.hosts.running() and time.monotonic() < deadline:
            time.sleep(0.5)
        self.tell(f"{what}: no process is left behind", not self.hosts.running(), " ".join(self.hosts.running()))
        self.hosts.kill_all()
        status, err, _ = self.finished(self.hosts.mpirun(2, self.asked.mpi, *self.train(save, steps, "--resume")))
        fine = status == 0 and (self.folder / save).read_bytes() == self.whole(steps)
        self.tell(f"{what}: two processes finish it with the bytes of a whole run", fine)
        if not fine:
            print(err)

    def whole(self, steps):
        if not (self.folder / "whole").exists():
            self.alone("whole", steps)
        return (self.folder / "whole").read_bytes()

    def process_on(self, host):
        """The process of the training program that runs in the host's network."""
        for pid in self.hosts.pids(host):
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if command[0] == str(self.asked.mpi).encode():
                return int(pid)
        raise RuntimeError(f"no process on {host}")

    def time_steps(self):
        """How long a step takes with what the hosts may send."""
        log = self.folder / "rate.jsonl"
        flags = ["--layers", "2", "--hidden", "512", "--bptt", "50", "--batch-size", "50", "--replicas", "2", "--steps",
                 "12", "--threads", "1", "--schedule", "constant", "--valid-split", "0", "--log", log, "--overwrite"]
        for ranks in (1, 2):
            status, err, _ = self.finished(self.hosts.mpirun(
                ranks, self.asked.mpi, "train", self.text, "--save", self.folder / "rate", *flags), 300)
            if status != 0:
                self.tell("timed run", False, err)
                return
            steps = [json.loads(line) for line in log.read_text().splitlines()]
            speeds = [step["tokens_per_s"] for step in steps if "tokens_per_s" in step][2:]
            seconds = 2500 / statistics.median(speeds)
            print(f"        {ranks} processes, {self.asked.rate or 'no limit'}: {seconds:.3f} s a step")
            for line in err.splitlines():
                if line.startswith("ranks"):
                    print("        " + line)


def main():
    build = pathlib.Path(__file__).resolve().parent.parent.parent / "build" / "release"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unroll", default=build / "unroll")
    parser.add_argument("--mpi", default=build / "unroll-mpi")
    parser.add_argument("--rate", help="what a host may send, as tc writes it: 1gbit")
    parser.add_argument("--only-rate", action="store_true", help="time steps, and lose no process")
    asked = parser.parse_args()
    asked.mpi = pathlib.Path(asked.mpi).resolve()
    if os.geteuid() != 0:
        sys.exit("three_hosts.py makes network namespaces: run it as root")
    with tempfile.TemporaryDirectory(prefix="unroll-hosts-") as made, ThreeHosts(pathlib.Path(made), asked.rate) as hosts:
        trial = Trial(hosts, asked, pathlib.Path(made))
        if asked.rate or asked.only_rate:
            trial.time_steps()
        if not asked.only_rate:
            third = HOSTS[2]
            trial.same_bytes()
            trial.lose("a process is killed", lambda: os.kill(trial.process_on(third), signal.SIGKILL))
            trial.lose("a process stands still", lambda: os.kill(trial.process_on(third), signal.SIGSTOP),
                       statuses=[NOT_ANSWERING])
            trial.lose("a host is cut off", lambda: hosts.cut(third), lambda: hosts.mend(third))
        sys.exit(1 if trial.failures else 0)


if __name__ == "__main__":
    main()
