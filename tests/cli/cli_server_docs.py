#!/usr/bin/env python3
"""docs/server.md shows requests that work: cli/cli_server_docs.py UNROLL

Each line that begins with curl, of which -d, -H and -N are understood, is asked of a server with the models that the page
speaks of. What a block of console shows after such a line must have the answer's fields; "..." ends it.
"""

import json
import pathlib
import re
import shlex

from command_line import CommandTest, main
from http_client import Server

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
ADDRESS = "localhost:8080"


def request(line):
    """(path, body, headers) of a line of curl."""
    words = iter(shlex.split(line)[1:])
    path, body, headers = None, None, {}
    for word in words:
        if word == "-d":
            body = next(words)
        elif word == "-H":
            name, value = next(words).split(": ", 1)
            headers[name] = value
        elif word != "-N":
            assert word.startswith(ADDRESS), word
            path = word.removeprefix(ADDRESS)
    return path, body, headers


def form(value):
    """JSON with the names of fields in their order, and the kinds of values."""
    if isinstance(value, dict):
        return {name: form(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [form(inner) for inner in value]
    return "number" if isinstance(value, (int, float)) else type(value).__name__


class ServerDocs(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        book = cls.shared / "book.txt"
        book.write_text("In the beginning was the text\n" + "InIn" * 200 + "\n", encoding="utf-8")
        reviews = cls.shared / "reviews.txt"
        reviews.write_text("__label__good a moving film\n__label__bad neither funny nor moving\n" * 9, encoding="utf-8")
        names = cls.shared / "names.txt"
        names.write_text("Anna B-PER\nsees O\nBonn B-LOC\n\n" * 9, encoding="utf-8")
        models = [cls.make_model("book.safetensors", "--lr", "0.03", text=book),
                  cls.make_model("reviews.safetensors", "--task", "classify", "--valid-split", "0", text=reviews),
                  cls.make_model("names.safetensors", "--task", "tag", "--valid-split", "0", text=names)]
        cls.server = cls.enterClassContext(Server(*models))

    def ask(self, line):
        path, body, headers = request(line)
        return path, self.server.ask("GET" if body is None else "POST", path, body and body.encode("utf-8"), **headers)

    def test_every_route_is_shown_and_answers(self):
        asked = set()
        for line in re.findall(r"(?m)^(curl .*)$", PAGE):
            with self.subTest(line=line):
                path, answer = self.ask(line)
                asked.add(path)
                self.assertEqual(answer.status, 200, answer.raw)
                if '"stream": true' in line:
                    self.assertTrue(answer.raw.endswith(b"data: [DONE]\n\n"))
                elif path != "/metrics":
                    self.assertTrue(answer.json)
        routes = re.findall(r"`(?:GET|POST) (/[^`]*)`", PAGE)
        self.assertGreater(len(routes), 10)
        of_runs = {route for route in routes if route.startswith("/v1/run")}  # cli_dashboard.py asks these
        self.assertEqual({route.replace("NAME", "book") for route in set(routes) - of_runs} - asked, set())

    def test_answers_have_the_form_that_is_shown(self):
        blocks = re.findall(r"(?ms)^```console\n\$ (curl [^\n]*)\n(.*?)^\.\.\.\n```$", PAGE)
        self.assertTrue(blocks)
        for line, shown in blocks:
            _, answer = self.ask(line)
            expected = form(json.loads(shown.rstrip().rstrip(",") + "}"))
            found = {name: value for name, value in form(answer.json).items() if name in expected}
            self.assertEqual(json.dumps(found), json.dumps(expected))


if __name__ == "__main__":
    main()
