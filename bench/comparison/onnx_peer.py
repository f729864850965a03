"""ONNX Runtime, from the npm package onnxruntime-node."""

import os
import shutil
import subprocess

from .context import BUILD, ROOT
from .failed import Failed
from .side import Side, progress

FOLDER = BUILD / "onnx"
SOURCE = ROOT / "bench" / "onnx"  # package.json and package-lock.json: one exact version of everything


def install():
    """Puts the packages into build/bench/onnx, unless they are there; afterwards no network is needed."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    done = FOLDER / "installed-lock.json"
    if done.exists() and done.read_bytes() == lock:
        return
    progress("installing onnxruntime-node with npm into build/bench/onnx")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCE / name, FOLDER / name)
    # The package's own script would fetch libraries for graphics processors.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    shown = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if shown.returncode:
        progress(shown.stdout + shown.stderr)
        raise Failed("npm could not install onnxruntime-node; its messages are above (--no-onnx does without it)")
    done.write_bytes(lock)


def write_model(weights, B, T, model, ids):
    """Makes an ONNX model of the file of infer_step --write."""
    script = ROOT / "bench" / "infer_step_onnx.py"
    subprocess.run(["/usr/bin/python3", "-B", script, weights, str(B), str(T), model, ids], check=True)


def side(model, ids, B, T, threads):
    environment = {**os.environ, "NODE_PATH": str(FOLDER / "node_modules")}
    return Side(["node", ROOT / "bench" / "infer_step_onnx.cjs", model, ids, B, T, threads], environment)
