"""Ours: the default with three seeds, and a recipe."""

import json
import subprocess

from task_rows import timed

SEEDS = (1, 2, 3)


def answer(data, options, model, path, out):
    if data.task == "tag":
        command = ["tag", model, path, "--column", "new"]
    else:
        command = ["classify", model, path, "--json"]
    return timed.run([options.unroll, *command, "--threads", str(options.threads), "--quiet"], out)


def answers_in(data, path):
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    if data.task == "classify":
        return [json.loads(line)["label"] for line in lines]
    found = [[]]
    for line in lines:
        if line:
            found[-1].append(line.rpartition("\t")[2])
        else:
            found.append([])
    return found[:-1]


def texts_in(data, path):
    text = path.read_text(encoding="utf-8")
    return [part + "\n\n" for part in text.split("\n\n") if part] if data.task == "tag" else text.splitlines(True)


def train(data, files, folder, options, flags):
    """Its validation is a tenth of the training part, which the command holds out by itself."""
    model, out = folder / "model.safetensors", folder / "answers"
    command = ["train", files.train, "--task", data.task, *data.flags, *map(str, flags)]
    taken = timed.run([options.unroll, *command, "--threads", str(options.threads), "--save", model, "--overwrite",
                       "--quiet"])
    question = files.judged if data.task == "tag" else files.unlabelled
    answer(data, options, model, question, out)
    answers = answers_in(data, out)
    texts = texts_in(data, question)
    speed = timed.texts_per_second(lambda path: answer(data, options, model, path, out), texts, folder)
    shown = "unroll " + " ".join(word.name if hasattr(word, "name") else str(word) for word in command)
    return {"answers": answers, "seconds": taken.seconds, "processor_seconds": taken.processor_seconds,
            "threads": options.threads, "texts_per_s": speed, "bytes": model.stat().st_size, "command": shown}


def recipes(options):
    """The names of those that the program has."""
    shown = subprocess.run([options.unroll, "recipes", "--json"], stdout=subprocess.PIPE, check=True).stdout
    return {recipe["name"] for recipe in json.loads(shown)["recipes"]}
