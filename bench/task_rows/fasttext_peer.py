"""fastText, one thread: the settings of its tutorial, and its own search for settings."""

import random
import re
import shutil

from task_rows import timed
from task_rows.data_sets import pairs_of

TUTORIAL = ("-lr", "1.0", "-epoch", "25")
LEAST_SEARCH = 10  # seconds


def prepared(data, label, text):
    """Of sentences what the tutorial's `sed` and `tr` make; labels and names have no blanks."""
    if data.sentences:
        text = re.sub(r"([.!?,'/()])", r" \1 ", text).lower()
    return f"__label__{label} {text}\n"


def written(data, path, to):
    lines = [prepared(data, label, text) for label, text in zip(*pairs_of(path))]
    to.write_text("".join(lines), encoding="utf-8")
    return lines


def predict(model, path, out):
    return timed.run(["fasttext", "predict", model.with_suffix(".bin"), path], out)


def finish(data, files, folder, model, taken, command):
    texts = written(data, files.judged, folder / "judged.fasttext")
    out = folder / "answers.fasttext"
    predict(model, folder / "judged.fasttext", out)
    answers = [line.removeprefix("__label__") for line in out.read_text(encoding="utf-8").split("\n")[:-1]]
    speed = timed.texts_per_second(lambda path: predict(model, path, out), texts, folder)
    size = model.with_suffix(".bin").stat().st_size
    return {"answers": answers, "seconds": taken.seconds, "processor_seconds": taken.processor_seconds, "threads": 1,
            "texts_per_s": speed, "bytes": size, "command": command}


def train(data, files, folder, flags, lines):
    text, model = folder / "train.fasttext", folder / "model"
    text.write_text("".join(lines), encoding="utf-8")
    command = ["fasttext", "supervised", "-input", text, "-output", model, "-thread", "1", *flags]
    taken = timed.run(command)
    shown = " ".join(word.name if hasattr(word, "name") else word for word in command)
    return finish(data, files, folder, model, taken, shown)


def tutorial(data, files, folder):
    lines = written(data, files.train, folder / "train.fasttext")
    return train(data, files, folder, (*TUTORIAL, *data.fasttext), lines)


def autotune(data, files, folder, seconds):
    """Searches for `seconds`, on a tenth of the training part that it does not learn from."""
    lines = written(data, files.train, folder / "all.fasttext")
    random.Random(1).shuffle(lines)
    tenth = len(lines) // 10
    valid = folder / "valid.fasttext"
    valid.write_text("".join(lines[:tenth]), encoding="utf-8")
    seconds = max(LEAST_SEARCH, round(seconds))
    flags = ("-autotune-validation", valid, "-autotune-duration", str(seconds))
    return train(data, files, folder, flags, lines[tenth:])


def available():
    return shutil.which("fasttext") is not None
