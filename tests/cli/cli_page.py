#!/usr/bin/env python3
"""The page of `unroll serve`, its files and the models in the program: cli/cli_page.py UNROLL"""

import gzip
import json
import pathlib
import socket

from command_line import CommandTest, main
from http_client import Server

WEB = pathlib.Path(__file__).resolve().parents[2] / "web"
TWINS = ["tanh-twin", "gru-twin", "lstm-twin", "testament-twin"]


def raw_request(port, head):
    """The answer to the bytes of a request, as they come."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(head)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer


class PageOfTwins(CommandTest):
    """Served without a model."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server("--tour", "3"))

    def test_the_models_in_the_program_are_served(self):
        listed = self.server.get("/v1/models").json["data"]
        self.assertEqual([model["id"] for model in listed], TWINS)
        for model, cell, gates in zip(listed, ["rnn-tanh", "gru", "lstm"], ["", "rzn", "ifgo"]):
            facts = model["unroll"]
            self.assertEqual((facts["cell"], facts["gates"], facts["twin"]), (cell, gates, True))
            self.assertEqual((facts["begin"], facts["symbols"]), ("boundary", list("ABCDEFGH")))
            file = WEB / "twins" / model["id"].replace("-twin", ".safetensors")
            inspected = json.loads(self.succeed("inspect", file, "--json").out)
            self.assertEqual(facts["parameters"], inspected["parameters"])
            self.assertEqual(sum(facts["numbers"].values()), facts["parameters"])
            self.assertEqual(str(facts["bptt"]), inspected["training"]["options"]["bptt"])
            gate_count = max(1, len(gates))
            self.assertEqual(facts["numbers"]["W"], gate_count * facts["hidden"] ** 2)
            self.assertEqual(facts["numbers"]["U"], gate_count * facts["hidden"] * facts["embed"])
            self.assertEqual(facts["numbers"]["V"], facts["hidden"] * facts["vocabulary"])

    def test_a_twin_answers_as_its_file_does(self):
        written = self.server.complete(prompt="In the ", max_tokens=20, seed=3)[0]["text"]
        out = self.succeed("generate", WEB / "twins" / "tanh.safetensors", "--prompt", "In the ", "--length", "20",
                           "--seed", "3").out
        self.assertEqual("In the " + written, out.removesuffix("\n"))

    def test_files_of_the_page_are_answered_with_what_keeps_it_safe(self):
        for path, file in ("/", "index.html"), ("/index.html", "index.html"):
            answer = self.server.get(path)
            self.assertEqual((answer.status, answer.raw), (200, (WEB / file).read_bytes()))
            self.assertIn("default-src 'self'", answer.headers["content-security-policy"])
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
            head = self.server.ask("HEAD", path)
            self.assertEqual((head.status, head.raw), (200, b""))
            for name in "content-length", "etag", "content-type", "content-security-policy":
                self.assertEqual(head.headers[name], answer.headers[name])
            packed = self.server.get(path, Accept_Encoding="gzip")
            self.assertEqual((packed.headers["content-encoding"], gzip.decompress(packed.raw)), ("gzip", answer.raw))
            known = self.server.get(path, If_None_Match=answer.headers["etag"])
            self.assertEqual((known.status, known.raw), (304, b""))
            part = self.server.get(path, Range="bytes=0-3")
            self.assertEqual((part.status, part.raw), (200, answer.raw))
            with_query = self.server.get(path + "?a=../../x")
            self.assertEqual(with_query.raw, answer.raw)

    def test_other_files_and_methods_are_refused(self):
        for path in ("/twins/tanh.safetensors", "/twins/README.md", "/web/index.html", "/../web/index.html", "/%2e%2e/README.md",
                     "/..%2fREADME.md", "//index.html", "/index.html/", "/index.html%00", "/etc/passwd", "/recipes/ptb-hour.toml"):
            self.assertIn(self.server.get(path).status, (400, 404), path)
        self.assertEqual(self.server.get("/" + "a" * 15000 + ".js").status, 404)
        self.assertEqual(self.server.get("/" + "a" * 20000 + ".js").status, 431)
        for method in "POST", "PUT", "DELETE":
            answer = self.server.ask(method, "/index.html", b"")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))
        answer = raw_request(self.server.port, b"GET /../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer)
        self.assertNotIn(b"root:", answer)

    def test_pages_of_other_names_and_servers_are_refused(self):
        self.assertEqual(self.server.get("/", Host="rebound.example").status, 403)
        self.assertEqual(self.server.get("/", Origin="http://other.example").status, 403)

    def test_the_printed_link_opens_a_chapter(self):
        note = self.server.process.stderr.readline().decode("utf-8")
        self.assertEqual(note, f"open http://127.0.0.1:{self.server.port}/#unrolled?tour=3\n")


class PageOfModels(CommandTest):
    """Served with a model of one's own, a key, and files from disk."""

    def test_twins_come_after_the_models_that_are_given(self):
        mine = self.make_model("mine.safetensors")
        (self.folder / "index.html").write_text("mine", encoding="utf-8")
        (self.folder / "link.js").symlink_to(mine)
        with Server(mine, f"gru-twin={mine}", "--api-key", "secret", "--web-root", self.folder) as server:
            listed = server.get("/v1/models?twins=true", Authorization="Bearer secret").json["data"]
            self.assertEqual([(model["id"], model["unroll"]["twin"]) for model in listed],
                             [("mine", False), ("gru-twin", False), ("tanh-twin", True), ("lstm-twin", True), ("testament-twin", True)])
            # Programs that offer what is listed to people offer no twins.
            listed = server.get("/v1/models", Authorization="Bearer secret").json["data"]
            self.assertEqual([model["id"] for model in listed], ["mine", "gru-twin"])
            answer = server.ask("POST", "/v1/completions", {"max_tokens": 1}, Authorization="Bearer secret")
            self.assertEqual(answer.json["model"], "mine")
            # The files of the page are no secret; what it asks for is.
            self.assertEqual((server.get("/").status, server.get("/").raw), (200, b"mine"))
            (self.folder / "index.html").write_text("changed", encoding="utf-8")
            self.assertEqual(server.get("/").raw, b"changed")
            for path in "/v1/models", "/metrics", "/link.js":
                self.assertEqual(server.get(path).status, 404 if path == "/link.js" else 401, path)
            self.assertEqual(server.post("/v1/completions", max_tokens=1).status, 401)
            self.assertEqual(server.get("/").headers["cache-control"], "no-cache")
            self.assertEqual(server.process.stderr.readline(), f"open http://127.0.0.1:{server.port}/\n".encode())

    def test_what_is_no_page_is_refused_at_the_start(self):
        self.refuse(2, [str(self.folder), "index.html"], "serve", "--web-root", self.folder, "--port", "0")
        self.refuse(2, ["--tour"], "serve", "--tour", "6")


if __name__ == "__main__":
    main()
