"""A server of the tests, and plain requests to it.

    with Server(model, "--queue", "4") as server:
        answer = server.post("/v1/completions", prompt="the ", max_tokens=3)
        text = answer.choices[0]["text"]
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from command_line import PATIENCE, UNROLL


class Answer:
    """Status, headers by their names in lower case, and the body."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.raw = response.read()

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def choices(self):
        assert self.status == 200, (self.status, self.raw)
        return self.json["choices"]

    @property
    def error(self):
        return self.json["error"]


class Stream:
    """Server-sent events as they come: JSON of each, "[DONE]" as it is. Closing it early leaves the server."""

    def __init__(self, connection, response):
        assert response.status == 200, (response.status, response.read())
        self.connection = connection
        self.socket = connection.sock
        self.response = response

    def __iter__(self):
        for line in self.response:
            if line.startswith(b"data: "):
                event = line[6:].decode("utf-8").rstrip("\n")
                yield event if event == "[DONE]" else json.loads(event)
            else:
                assert line == b"\n" or line.startswith(b":"), line
        self.close()

    def leave(self):
        """While another thread reads: its reading ends."""
        self.socket.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.response.close()
        self.connection.close()


class Server:
    """`unroll serve` at a free port, with a file for its log; is stopped at the end of the block."""

    def __init__(self, *arguments, patience=PATIENCE):
        self.patience = patience
        self.log = tempfile.TemporaryFile()
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([UNROLL, "serve", *map(os.fspath, arguments), "--port", "0"], stdout=self.log,
                                        stderr=subprocess.PIPE)
        self.status = None
        self.notes = []
        self.port = self.find_port()

    def find_port(self):
        for raw in self.process.stderr:
            self.notes.append(raw.decode("utf-8"))
            if self.notes[-1].startswith("listening on http://"):
                return int(self.notes[-1].rsplit(":", 1)[1])
        self.process.wait(self.patience)
        raise AssertionError("".join(self.notes))

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        try:
            if self.status is None:
                self.stop()
                assert failure[0] or self.status == 0, (self.status, self.notes)
        finally:
            self.log.close()

    def stop(self, with_signal=signal.SIGTERM):
        """Ends it, and returns its status."""
        self.process.send_signal(with_signal)
        return self.wait()

    def wait(self):
        try:
            self.status = self.process.wait(self.patience)
            self.notes += [raw.decode("utf-8") for raw in self.process.stderr]
        finally:
            self.process.kill()
            self.process.stderr.close()
        return self.status

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.patience)

    def ask(self, method, path, body=None, **headers):
        """Underscores in names of headers become hyphens; a body that is no bytes is sent as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode("utf-8")
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, raw, {name.replace("_", "-"): value for name, value in headers.items()})
            return Answer(connection.getresponse())

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, **fields):
        return self.ask("POST", path, fields)

    def complete(self, **fields):
        """The choices of a completion."""
        return self.post("/v1/completions", **fields).choices

    def stream(self, path="/v1/completions", **fields):
        connection = self.connect()
        connection.request("POST", path, json.dumps({**fields, "stream": True}).encode("utf-8"))
        return Stream(connection, connection.getresponse())

    def log_lines(self):
        """Those that are there so far; an answer comes before its line."""
        whole, _, _ = pathlib.Path(f"/proc/self/fd/{self.log.fileno()}").read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.splitlines()]

    def metric(self, name):
        """The value of a metric, the sum over its labels."""
        lines = self.get("/metrics").raw.decode("utf-8").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


def joined(events):
    """Texts and logprobs of the choices of a stream's events, by index, and the events' remaining parts."""
    choices = {}
    for event in events:
        for part in ([] if event == "[DONE]" else event["choices"]):
            choice = choices.setdefault(part["index"], {"text": "", "finish_reason": None, "logprobs": None, "unroll": {}})
            choice["text"] += part["text"]
            choice["finish_reason"] = part["finish_reason"] or choice["finish_reason"]
            choice["unroll"].update(part.get("unroll", {}))
            if part["logprobs"] is not None:
                lists = choice["logprobs"] or {name: [] for name in part["logprobs"]}
                choice["logprobs"] = {name: lists[name] + part["logprobs"][name] for name in lists}
    return [choices[index] for index in sorted(choices)]
