"""The data sets: where they come from, how they are split, and how they are written for every contender alike.

Texts with labels become `__label__LABEL TEXT`, a line each; tagged words become `WORD TAB TAG`, a line each, with a
blank line after each sentence.
"""

import gzip
import hashlib
import pathlib
import subprocess
from dataclasses import dataclass
from typing import Callable

from comparison.failed import Failed


@dataclass(frozen=True)
class DataSet:
    name: str
    what: str
    paths: str  # what --data NAME= takes
    units: str  # words, characters or tags: what a linear peer makes features of
    measure: str  # accuracy, or F1 of spans
    parts: Callable  # paths -> what to train on, what to judge on
    flags: tuple = ()  # of unroll train, beyond --task: what the data are, not how to learn them
    recipe: str = ""
    unlabelled_recipe: str = ""
    fasttext: tuple = ("-wordNgrams", "2")
    sentences: bool = False  # fastText's tutorial sets punctuation apart and folds to lower case

    @property
    def task(self):
        return "tag" if self.units == "tags" else "classify"


def lines_of(path):
    raw = pathlib.Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return [line.rstrip("\r") for line in text.split("\n")]


def label_first(path):
    """Lines of a label, with or without fastText's prefix or a finer class after a colon, and a text."""
    pairs = []
    for line in lines_of(path):
        label, _, text = line.strip().partition(" ")
        if text.strip():
            pairs.append((label.removeprefix("__label__").partition(":")[0], text.strip()))
    return pairs


def two_files(read):
    def parts(paths):
        if len(paths) != 2:
            raise Failed(f"two paths are needed, found {len(paths)}: what to train on, and what to judge on")
        return read(paths[0]), read(paths[1])
    return parts


def held_out(pairs, share):
    """Distinct pairs, of which those are judged whose MD5 of `label TAB text`, a number, divides by `share`."""
    sides = ([], [])
    for label, text in dict.fromkeys(pairs):
        digest = hashlib.md5(f"{label}\t{text}".encode()).hexdigest()
        sides[int(digest, 16) % share == 0].append((label, text))
    return sides


def names(paths):
    files = sorted(pathlib.Path(paths[0]).glob("*.txt")) if len(paths) == 1 else []
    if not files:
        raise Failed(f"a folder with a file of names per language is needed, found {' '.join(map(str, paths))}")
    return held_out([(file.stem, line.strip()) for file in files for line in lines_of(file) if line.strip()], 5)


def packages(paths):
    """Section without the area before a slash, and synopsis, of each paragraph of `apt-cache dumpavail`."""
    if paths:
        text = "\n".join(lines_of(paths[0]))
    else:
        text = subprocess.run(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")
    pairs = []
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.split("\n") if ": " in line and line[0] != " ")
        synopsis = fields.get("Description", fields.get("Description-en", "")).strip()
        if synopsis and fields.get("Section"):
            pairs.append((fields["Section"].rpartition("/")[2].strip(), synopsis))
    return held_out(pairs, 10)


def sentences(word_and_tag):
    def read(path):
        found, sentence = [], []
        for line in lines_of(path) + [""]:
            if line.strip() == "" and sentence:
                found.append(sentence)
                sentence = []
            elif pair := word_and_tag(line):
                sentence.append(pair)
        return found
    return read


def chunk(line):
    columns = line.split()
    return (columns[0], columns[-1]) if columns else None


def upos(line):
    columns = line.split("\t")
    return (columns[1], columns[3]) if len(columns) == 10 and columns[0].isdigit() else None


TWO = "TRAIN,JUDGED"
DATA_SETS = {data.name: data for data in [
    DataSet("sst2", "SST-2, sentences", TWO, "words", "accuracy", two_files(label_first),
            recipe="classify-words", unlabelled_recipe="classify-unlabelled", fasttext=("-wordNgrams", "2")),
    DataSet("phrases", "SST-2, phrases", TWO, "words", "accuracy", two_files(label_first), recipe="classify-words"),
    DataSet("trec", "TREC, 6 classes", TWO, "words", "accuracy", two_files(label_first), recipe="classify-words",
            sentences=True),
    DataSet("names", "names, 18 languages", "FOLDER", "characters", "accuracy", names, flags=("--tokenizer", "char"),
            recipe="classify-characters", fasttext=("-minn", "1", "-maxn", "4")),
    DataSet("conll2000", "CoNLL-2000, chunks, words only", TWO, "tags", "F1", two_files(sentences(chunk)),
            recipe="tag-words"),
    DataSet("ewt", "UD English EWT, UPOS", TWO, "tags", "accuracy", two_files(sentences(upos)), recipe="tag-words"),
    DataSet("packages", "Debian packages, 58 sections", "DUMPAVAIL", "words", "accuracy", packages,
            recipe="classify-many", sentences=True),
]}


@dataclass(frozen=True)
class Files:
    """Both parts as every contender reads them, and those to be judged without their labels."""
    train: pathlib.Path
    judged: pathlib.Path
    unlabelled: pathlib.Path
    digest: str


def write_part(data, part, path):
    """Labels in front of texts, so that tabs within texts do not matter."""
    if data.task == "tag":
        text = "".join("".join(f"{word}\t{tag}\n" for word, tag in sentence) + "\n" for sentence in part)
    else:
        text = "".join(f"__label__{label} {text}\n" for label, text in part)
    path.write_text(text, encoding="utf-8")
    return text


def prepare(data, paths, folder):
    train, judged = data.parts(paths)
    if not train or not judged:
        raise Failed(f"{data.name}: {' '.join(map(str, paths))} has nothing to train on or to judge on")
    files = [folder / name for name in ("train.txt", "judged.txt", "unlabelled.txt")]
    texts = [write_part(data, part, path) for part, path in zip((train, judged), files)]
    if data.task == "tag":
        bare = "".join("".join(f"{word}\n" for word, _ in sentence) + "\n" for sentence in judged)
    else:
        bare = "".join(f"{text}\n" for _, text in judged)
    files[2].write_text(bare, encoding="utf-8")
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return Files(*files, digest)


def pairs_of(path):
    """What write_part wrote, read back: labels and texts."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    split = [line.removeprefix("__label__").split(" ", 1) for line in lines]
    return [label for label, _ in split], [text for _, text in split]


def sentences_of(path):
    """The same for tagged words: lists of words, lists of tags."""
    words, tags = [[]], [[]]
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        word, _, tag = line.partition("\t")
        if line:
            words[-1].append(word)
            tags[-1].append(tag)
        else:
            words.append([])
            tags.append([])
    return words[:-1], tags[:-1]
