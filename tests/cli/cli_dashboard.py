#!/usr/bin/env python3
"""A training run in a browser: watched, stopped and continued by its page, with the same model in the end."""

import http.client
import json
import re
import subprocess
import time

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, log_lines, main


class Dashboard(CommandTest):
    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    def wait_for(self, state):
        deadline = time.monotonic() + PATIENCE
        while True:
            run = json.loads(self.ask("GET", "/v1/run")[1])
            if run["state"] == state and run["plan"]:
                return run
            self.assertLess(time.monotonic(), deadline, run)
            time.sleep(0.005)

    def start(self, *arguments):
        process = subprocess.Popen([UNROLL, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        line = process.stderr.readline().decode("utf-8")
        link = re.fullmatch(r"watch    http://127\.0\.0\.1:(\d+)/#learning\?token=([0-9a-f]{32})\n", line)
        self.assertTrue(link, line)
        self.port = int(link.group(1))
        return process, link.group(2)

    def test_a_run_is_stopped_continued_and_ends_as_if_nobody_had_looked(self):
        common = ["train", self.text, *SMALL, "--steps", "1500", "--sample-every", "50"]
        whole, parts = self.folder / "whole.safetensors", self.folder / "parts.safetensors"
        self.succeed(*common, "--save", whole, "--log", self.folder / "whole.jsonl", "--quiet")
        process, token = self.start(*common, "--save", parts, "--log", self.folder / "parts.jsonl", "--dashboard",
                                    "--beside", self.folder / "whole.jsonl")
        self.wait_for("running")
        self.assertEqual(self.ask("POST", "/v1/run/stop", {"token": "0" * 32})[0], 403)
        self.assertEqual(self.ask("POST", "/v1/run/stop", {"token": token})[0], 200)
        stopped = self.wait_for("stopped")
        self.assertLess(stopped["steps_done"], 1500)
        self.assertTrue((self.folder / "parts.safetensors.resume").exists())
        curves = json.loads(self.ask("POST", "/v1/run/curves", {"picture": "curves"})[1])
        self.assertEqual(curves["facts"].keys(), {"parts", "whole"})
        self.assertIn(b"<html", self.ask("GET", "/")[1])
        self.refuse(1, [str(self.port)], *common, "--save", self.folder / "m", f"--dashboard={self.port}")
        self.assertFalse((self.folder / "m").exists())
        status, answer = self.ask("POST", "/v1/run/continue", {"token": token})
        self.assertEqual((status, json.loads(answer)), (200, {"state": "running"}))
        self.assertEqual(self.ask("POST", "/v1/run/continue", {"token": token})[0], 409)
        self.assertEqual(self.wait_for("done")["steps_done"], 1500)
        self.assertEqual(self.ask("POST", "/v1/run/curves", {})[0], 200)  # now the page knows all
        said = process.stderr.read().decode("utf-8")
        self.assertEqual(process.wait(PATIENCE), 0, said)
        self.assertIn("stopped  by its page", said)
        self.assertEqual(parts.read_bytes(), whole.read_bytes())
        found, expected = (log_lines(self.folder / f"{name}.jsonl") for name in ("parts", "whole"))
        for line in found + expected:
            line.pop("tokens_per_s", None)
        self.assertEqual(found, expected)

    def test_a_signal_ends_a_run_that_its_page_stopped(self):
        process, token = self.start("train", self.text, *SMALL, "--steps", "1000000", "--save", self.folder / "m",
                                    "--dashboard")
        self.wait_for("running")
        self.assertEqual(self.ask("POST", "/v1/run/stop", {"token": token})[0], 200)
        self.wait_for("stopped")
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 130)
        self.assertIn(b"the run is saved", process.stderr.read())

    def test_flags_that_do_not_go_together(self):
        self.refuse(2, ["--beside", "--dashboard"], "train", self.text, "--save", "m", "--beside", "log")
        self.refuse(2, ["--dashboard", "70000"], "train", self.text, "--save", "m", "--dashboard=70000")


if __name__ == "__main__":
    main()
