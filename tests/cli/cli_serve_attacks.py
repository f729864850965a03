#!/usr/bin/env python3
"""`unroll serve` under attack: cli/cli_serve_attacks.py UNROLL

Each attack checks /health meanwhile and memory afterwards (serve_attacks.py). It should run alone: on a machine that is
busy otherwise, /health waits for a processor.
"""

import os

import serve_attacks
from command_line import CommandTest, main
from http_client import Server

SANITIZED = "UNROLL_SANITIZED" in os.environ  # memory is the sanitizer's then, and everything slow
GARBAGE = 10_000


class ServeAttacks(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        model = cls.make_model("m.safetensors")
        cls.server = cls.enterClassContext(Server(model, "--drain", "0.5"))
        serve_attacks.warm_up(cls.server.port)

    def survive(self, attack, **options):
        if SANITIZED:
            options["most_kib"] = None
        attack(self.server.port, self.server.process.pid, **options)
        self.assertEqual(self.server.get("/health").status, 200)


def add_test(attack):
    options = {}
    if attack.__name__ == "garbage_requests":
        options = {"count": 500 if SANITIZED else GARBAGE}
    if attack.__name__ == "many_bodies" and SANITIZED:
        options = {"clients": 30, "most_kib_meanwhile": None}
    setattr(ServeAttacks, f"test_{attack.__name__}", lambda self: self.survive(attack, **options))


for each in serve_attacks.ATTACKS:
    add_test(each)


class ServeEnds(CommandTest):
    def test_a_server_under_attack_ends_when_it_is_told_to(self):
        with Server(self.make_model("m.safetensors"), "--drain", "0.5") as server:
            serve_attacks.warm_up(server.port)
            serve_attacks.terminate(server.port, server.process.pid)


if __name__ == "__main__":
    main()
