#!/usr/bin/env python3
"""npm's openai asks unroll serve: clients/openai_client.py UNROLL FOLDER

Installs the package into FOLDER, in the version of package-lock.json. Status 77: node, npm or the registry cannot be had.
"""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

FOLDER = pathlib.Path(sys.argv.pop(2)).resolve()

# pylint: disable=wrong-import-position
from command_line import PATIENCE, CommandTest, main  # noqa: E402
from http_client import Server  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def install():
    """Puts the package into FOLDER, unless it is there; afterwards no network is needed."""
    for program in "node", "npm":
        if not shutil.which(program):
            skip(f"there is no {program} (tools/setup test installs it)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SOURCE / "openai_client.mjs", FOLDER / "openai_client.mjs")
    lock = (SOURCE / "package-lock.json").read_bytes()
    done = FOLDER / "installed-lock.json"
    if done.exists() and done.read_bytes() == lock:
        return
    for name in "package.json", "package-lock.json":
        shutil.copyfile(SOURCE / name, FOLDER / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1"]
    try:
        shown = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        skip("npm ci did not end within 120 s")
    if shown.returncode:
        skip(f"npm ci ended with {shown.returncode}: {shown.stderr.strip()}")
    done.write_bytes(lock)


class OpenaiClient(CommandTest):
    def test_the_client_is_answered_as_it_expects(self):
        model = self.make_model("char.safetensors", "--layers", "3")
        with Server(model, "--api-key", "secret", "--texts", "1", "--queue", "1", "--max-seconds", "2", "--max-symbols",
                    "2000000") as server:
            done = subprocess.run(["node", "openai_client.mjs", f"http://127.0.0.1:{server.port}"], cwd=FOLDER,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


if __name__ == "__main__":
    install()
    main()
