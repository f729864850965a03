#!/usr/bin/env python3
"""npm's openai asks unroll serve: clients/openai_client.py UNROLL FOLDER

Installs the package into FOLDER, in the version of package-lock.json. Status 77: node, npm or the registry cannot be had.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

FOLDER = pathlib.Path(sys.argv.pop(2)).resolve()

# pylint: disable=wrong-import-position
from command_line import PATIENCE, CommandTest, main  # noqa: E402
from http_client import Server  # noqa: E402
from npm_packages import install  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent


class OpenaiClient(CommandTest):
    def test_the_client_is_answered_as_it_expects(self):
        model = self.make_model("char.safetensors", "--layers", "3")
        with Server(model, "--api-key", "secret", "--texts", "1", "--queue", "1", "--max-seconds", "2", "--max-symbols",
                    "2000000") as server:
            done = subprocess.run(["node", "openai_client.mjs", f"http://127.0.0.1:{server.port}"], cwd=FOLDER,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


if __name__ == "__main__":
    install(SOURCE, FOLDER)
    main()
