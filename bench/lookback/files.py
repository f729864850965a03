"""What training reads: sequences as arrays of NumPy, written without it, and Fashion-MNIST's images as IDX."""

import array
import collections
import gzip
import math
import operator
import pathlib
import random

from lookback import tasks

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
FASHION_HELD_OUT = 5000  # of the 60,000 images to learn from, the last ones
PERMUTATION_SEED = 784
PIXELS = 28 * 28

Files = collections.namedtuple("Files", "train train_targets valid valid_targets")


def write_whole(path, parts):
    """Writes a file that is there as a whole or not at all; its size."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as out:
        size = sum(out.write(part) for part in parts)
    unfinished.replace(path)
    return size


def write_array(path, kind, shape, parts):
    """`parts`, bytes or arrays in row-major order, as an array of type `kind` ("|u1", "<f4"), format 1.0."""
    words = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    words += " " * (-(len(words) + 11) % 64) + "\n"
    head = b"\x93NUMPY\x01\x00" + len(words).to_bytes(2, "little") + words.encode("ascii")
    size = write_whole(path, [head, *parts]) - len(head)
    if size != math.prod(shape) * int(kind[-1]):
        raise ValueError(f"{path}: {size} bytes are no array of {shape}")


def write_sequences(task, lag, sequences, inputs, targets):
    shape = (len(sequences.inputs), task.steps(lag), task.width)
    write_array(inputs, "<f4" if task.kind == "numbers" else "|u1", shape, sequences.inputs)
    if task.kind == "numbers":
        write_array(targets, "<f4", shape[:1], [array.array("f", target) for target in sequences.targets])
    else:
        write_array(targets, "|u1", shape[:2] if task.kind == "labels of steps" else shape[:1],
                    [bytes(target) for target in sequences.targets])


def names_for(folder, task, lag, seed, count):
    stem = f"{task.name.replace(' ', '-')}-{lag}-{seed}-{count}"
    return Files(*(folder / f"{stem}.{part}.npy" for part in ("train", "train-targets", "valid", "valid-targets")))


def remove(files):
    for path in files:
        path.unlink(missing_ok=True)


def task_files(folder, task, lag, seed, count, judged_count):
    """The four files of a task; made where they are not there."""
    files = names_for(folder, task, lag, seed, count)
    if not all(path.exists() for path in files):
        judged = tasks.held_out(task, lag, seed, judged_count)
        learned = tasks.to_learn_from(task, lag, seed, count, judged)
        write_sequences(task, lag, learned, files.train, files.train_targets)
        write_sequences(task, lag, judged, files.valid, files.valid_targets)
    return files


def permutation():
    """Where the permuted task reads its pixels, in order."""
    order = list(range(PIXELS))
    random.Random(PERMUTATION_SEED).shuffle(order)
    return order


def read_idx(path):
    """Bytes, whatever the shape."""
    with gzip.open(path) as file:
        content = file.read()
    return content[4 + 4 * content[3]:]


def write_idx(path, shape, content):
    head = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
    write_whole(path, [head, content])


def fashion_files(folder, permuted):
    """Images, a pixel a step: Files to learn from and to validate on, and the pair to test on."""
    name = "permuted" if permuted else "sequential"
    parts = {part: (folder / f"fashion-{name}.{part}.idx", folder / f"fashion-{name}.{part}-labels.idx")
             for part in ("train", "valid", "test")}
    if not all(path.exists() for pair in parts.values() for path in pair):
        pick = operator.itemgetter(*(permutation() if permuted else range(PIXELS)))
        for stem, cuts in (("train", {"train": (0, -FASHION_HELD_OUT), "valid": (-FASHION_HELD_OUT, None)}),
                           ("t10k", {"test": (0, None)})):
            pixels = read_idx(FASHION / f"{stem}-images-idx3-ubyte.gz")
            labels = read_idx(FASHION / f"{stem}-labels-idx1-ubyte.gz")
            images = [bytes(pick(pixels[i:i + PIXELS])) for i in range(0, len(pixels), PIXELS)]
            for part, (first, end) in cuts.items():
                write_idx(parts[part][0], (len(images[first:end]), PIXELS, 1), b"".join(images[first:end]))
                write_idx(parts[part][1], (len(labels[first:end]),), labels[first:end])
    return Files(*parts["train"], *parts["valid"]), parts["test"]
