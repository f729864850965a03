"""Packages of npm's registry that tests install into the build folder, in the versions of a package-lock.json.

Where node, npm or the registry cannot be had, the test is skipped: its program ends with status 77.
"""

import shutil
import subprocess
import sys

SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def install(source, folder):
    """Puts what source/package.json names into folder, unless it is there; afterwards no network is needed."""
    for program in "node", "npm":
        if not shutil.which(program):
            skip(f"there is no {program} (tools/setup test installs it)")
    folder.mkdir(parents=True, exist_ok=True)
    for script in source.glob("*.mjs"):
        shutil.copyfile(script, folder / script.name)
    lock = (source / "package-lock.json").read_bytes()
    done = folder / "installed-lock.json"
    if done.exists() and done.read_bytes() == lock:
        return
    for name in "package.json", "package-lock.json":
        shutil.copyfile(source / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1"]
    try:
        shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        skip("npm ci did not end within 120 s")
    if shown.returncode:
        skip(f"npm ci ended with {shown.returncode}: {shown.stderr.strip()}")
    done.write_bytes(lock)
