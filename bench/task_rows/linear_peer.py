"""scikit-learn's NBSVM and log-linear tagger, as linear_models.py trains them."""

import json
import pathlib
import subprocess

from task_rows import timed

PROGRAM = pathlib.Path(__file__).resolve().parent / "linear_models.py"


def train(data, files, folder, python):
    answers, model, said = folder / "answers.linear", folder / "model.pickle", folder / "said.linear"
    timed.run([python, "-B", PROGRAM, data.units, files.train, files.judged, answers, model], said,
              {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    told = json.loads(said.read_text(encoding="utf-8"))
    name = "log-linear tagger" if data.task == "tag" else "NBSVM"
    return {"answers": json.loads(answers.read_text(encoding="utf-8")), "seconds": told["seconds"],
            "processor_seconds": told["processor_seconds"], "threads": 1, "texts_per_s": told["texts_per_s"],
            "bytes": model.stat().st_size, "command": f"{name}, C = {told['penalty']:g}"}


def available(python):
    return subprocess.run([python, "-c", "import sklearn"], stderr=subprocess.DEVNULL, check=False).returncode == 0
