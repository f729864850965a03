#!/usr/bin/env python3
"""`unroll serve` from its start to its end: keys, origins, queues, signals: cli/cli_serve_running.py UNROLL"""

import http.client
import json
import os
import signal
import threading

from command_line import CommandTest, main
from http_client import Server, joined, wait_until

LONG = 1_500_000  # symbols, which no test waits for
LONGEST = "--max-symbols", "2000000"


class Reader:
    """Reads a stream on a thread of its own."""

    def __init__(self, stream):
        self.stream, self.events = stream, []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            for event in self.stream:
                self.events.append(event)
        except (OSError, http.client.HTTPException):
            pass  # the server ended, or leave() was called

    def wait_for(self, count):
        """Until so many further events have come."""
        wanted = len(self.events) + count
        wait_until(lambda: len(self.events) >= wanted)

    def wait(self):
        self.thread.join()
        return self.events

    def leave(self):
        self.stream.leave()
        self.thread.join()
        self.stream.close()


class ServeRunning(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Slow enough that a stream is still running when something else has happened.
        cls.first = cls.make_model("first.safetensors", "--seed", "1", "--layers", "3")
        cls.second = cls.make_model("second.safetensors", "--seed", "2", "--layers", "3")

    def put(self, source, name="live.safetensors"):
        """Gives the model in use another content, as the page says: by renaming."""
        new = self.folder / "new"
        new.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
        os.replace(new, self.folder / name)
        return self.folder / name

    def logged(self, server, *words):
        return any(all(word in json.dumps(line) for word in words) for line in server.log_lines())

    def test_a_replaced_file_is_taken_up_and_requests_in_progress_end_on_the_old_one(self):
        fields = {"prompt": "the ", "seed": 1}
        with Server(f"live={self.put(self.first)}", "--drain", "2", *LONGEST) as server:
            old = server.post("/v1/completions", **fields, max_tokens=400).json
            reader = Reader(server.stream(**fields, max_tokens=LONG))
            reader.wait_for(3)
            self.put(self.second)
            server.process.send_signal(signal.SIGHUP)
            fingerprint = old["system_fingerprint"]
            wait_until(lambda: server.get("/v1/models").json["data"][0]["unroll"]["checksum"] != fingerprint)
            new = server.post("/v1/completions", **fields, max_tokens=400).json
            self.assertNotEqual(new["system_fingerprint"], fingerprint)
            self.assertNotEqual(new["choices"][0]["text"], old["choices"][0]["text"])
            reader.wait_for(3)
            reader.leave()
            self.assertEqual({event["system_fingerprint"] for event in reader.events}, {fingerprint})
            self.assertTrue(joined(reader.events)[0]["text"].startswith(old["choices"][0]["text"][:100]))
            # What cannot be loaded changes nothing.
            self.put(b"no model")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.logged(server, '"error"', "the models of before"))
            self.assertEqual(server.post("/v1/completions", **fields, max_tokens=400).json["choices"], new["choices"])
            self.check_end(server)

    def check_end(self, server):
        """SIGTERM: what is in progress has a while, the rest is told; nobody else is let in."""
        reader = Reader(server.stream(prompt="the", max_tokens=LONG))
        reader.wait_for(1)
        answers = []
        asker = threading.Thread(target=lambda: answers.append(server.post("/v1/completions", prompt="a", max_tokens=100)))
        asker.start()
        wait_until(lambda: server.metric("unroll_texts_writing") == 2 or answers)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.logged(server, "stopping"))
        with self.assertRaises((OSError, http.client.HTTPException)):
            server.get("/health")
        asker.join()
        self.assertEqual(answers[0].status, 200)
        self.assertEqual(server.wait(), 0)
        last = reader.wait()[-1]
        self.assertEqual((last["error"]["code"], last["error"]["type"]), ("stopping", "server_error"))

    def test_keys_origins_hosts_queues_and_times(self):
        key = self.write("key.txt", "secret-1\r\nanother line\n")
        with Server(self.first, "--api-key-file", key, "--allow-origin", "https://page.example", "--texts", "1", "--queue",
                    "1", "--max-seconds", "1", "--log-texts", *LONGEST) as server:
            ours = {"Authorization": "Bearer secret-1"}
            self.check_key(server, ours)
            self.check_origins(server, ours)
            self.check_hosts(server, ours)
            self.check_time(server, ours)
            self.check_queue(server, ours)
            wait_until(lambda: self.logged(server, "the garden"))

    def ask(self, server, headers, **fields):
        return server.ask("POST", "/v1/completions", {"prompt": "the garden", "max_tokens": 1, **fields}, **headers)

    def check_key(self, server, ours):
        self.assertEqual(self.ask(server, ours).status, 200)
        self.assertEqual(server.get("/health").status, 200)
        for wrong in {}, {"Authorization": "Bearer secret-2"}, {"Authorization": "Bearer secret-"}, \
                {"Authorization": "secret-1"}, {"Authorization": "Bearer "}, {"Authorization": "Basic secret-1"}:
            for path in "/v1/completions", "/v1/models", "/metrics", "/nothing":
                answer = server.get(path, **wrong)
                self.assertEqual((answer.status, answer.error["code"]), (401, "invalid_api_key"))
                self.assertEqual(answer.headers["www-authenticate"], "Bearer")

    def check_origins(self, server, ours):
        page = {"Origin": "https://page.example"}
        self.assertEqual(self.ask(server, {**ours, **page}).headers["access-control-allow-origin"], page["Origin"])
        asked = server.ask("OPTIONS", "/v1/completions", **page, Access_Control_Request_Method="POST",
                           Access_Control_Request_Headers="authorization, content-type")
        self.assertEqual((asked.status, asked.headers["access-control-allow-headers"]), (204, "authorization, content-type"))
        for origin in "https://evil.example", "null", "http://localhost:1":
            for method, path in ("GET", "/health"), ("POST", "/v1/completions"), ("OPTIONS", "/v1/completions"):
                answer = server.ask(method, path, Origin=origin, **ours)
                self.assertEqual((answer.status, answer.error["code"]), (403, "wrong_origin"))
                self.assertNotIn("access-control-allow-origin", answer.headers)
        self.assertEqual(server.get("/health", Origin=f"http://127.0.0.1:{server.port}").status, 200)

    def check_hosts(self, server, ours):
        for host in "evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example":
            answer = server.get("/health", Host=host, **ours)
            self.assertEqual((answer.status, answer.error["code"]), (403, "wrong_host"))
        for host in "localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:80":
            self.assertEqual(server.get("/health", Host=host).status, 200)

    def check_time(self, server, ours):
        answer = self.ask(server, ours, max_tokens=LONG)
        self.assertEqual((answer.status, answer.error["code"]), (503, "time_limit"))
        self.assertEqual(answer.headers["x-should-retry"], "false")
        self.assertNotIn("retry-after", answer.headers)

    def check_queue(self, server, ours):
        """One text is written, one waits, and further ones are refused."""
        answers, enough = [], threading.Event()

        def keep_asking():
            while not enough.is_set():
                answers.append(self.ask(server, ours, max_tokens=LONG))

        clients = [threading.Thread(target=keep_asking) for _ in range(4)]
        for client in clients:
            client.start()
        wait_until(lambda: any(answer.status == 429 for answer in answers))
        enough.set()
        for client in clients:
            client.join()
        refused = next(answer for answer in answers if answer.status == 429)
        self.assertEqual((refused.error["type"], refused.headers["retry-after"]), ("rate_limit_error", "1"))
        self.assertNotIn("x-should-retry", refused.headers)

    def test_wrong_usage_is_refused(self):
        self.refuse(2, ["two models are called first"], "serve", self.first, self.first)
        self.refuse(1, ["missing"], "serve", self.folder / "missing.safetensors", "--port", "0")
        self.refuse(2, ["the key is empty"], "serve", self.first, "--api-key", "")
        self.refuse(1, ["cannot read a key"], "serve", self.first, "--api-key-file", self.folder / "none")
        with Server(self.first, *LONGEST) as server:
            self.refuse(1, [str(server.port), "in use"], "serve", self.second, "--port", str(server.port))
            self.check_second_signal(server)

    def check_second_signal(self, server):
        reader = Reader(server.stream(prompt="a", max_tokens=LONG))
        reader.wait_for(1)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.logged(server, "stopping"))
        self.assertEqual(server.stop(signal.SIGINT), 130)
        reader.wait()


if __name__ == "__main__":
    main()
