"""What the tests of the Python module share: the command's helpers, and models of every tokenizer.

Each python_*.py is run as `python3 tests/python/python_x.py PATH_OF_UNROLL`, with the module in PYTHONPATH.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

from command_line import UNROLL, CommandTest, main, run, sentence_text, sentences  # noqa: E402

ODD_LINES = ["", " ", "t", "the  cat\tsees", "\r", "the cat\r", "h\u00e9 \u4e2d\u6587 \U0001f600", "\ufeffthe dog.", "\x00\x01\x7f",
             "the cat sees the dog. " * 40, "<unk> zebra the", "\u2028 \u200f", "na\u0308ive \u1e9e\u0130", "the"]


def command_json(model, lines, *flags):
    """The objects that `unroll score --json` prints for lines of str or bytes."""
    raw = b"".join((line if isinstance(line, bytes) else line.encode("utf-8")) + b"\n" for line in lines)
    done = run("score", model, "--json", "--quiet", *flags, stdin=raw)
    if done.status != 0:
        raise AssertionError(done.err)
    return [json.loads(line) for line in done.raw.decode("utf-8").split("\n")[:-1]]


def text_of(entry):
    """The text of an object of JSON, with bytes that are not UTF-8 as the module has them."""
    return bytes(entry["bytes"]).decode("utf-8", "surrogateescape") if "bytes" in entry else entry["text"]


__all__ = ["ODD_LINES", "UNROLL", "CommandTest", "command_json", "main", "run", "sentence_text", "sentences", "text_of"]
