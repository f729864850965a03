"""Commands, with what they take."""

import os
import subprocess
import time
from dataclasses import dataclass

from comparison.failed import Failed


@dataclass(frozen=True)
class Taken:
    seconds: float
    processor_seconds: float


def run(command, out=None, environment=None):
    """Runs a command to its end; what it writes goes to the file `out`."""
    words = [os.fspath(word) for word in command]
    start = time.monotonic()
    with open(out or os.devnull, "wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.PIPE, env=os.environ | (environment or {}))
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        end = said.decode(errors="replace")[-800:]
        raise Failed(f"{' '.join(words)} ended with status {os.waitstatus_to_exitcode(status)}: {end}")
    return Taken(time.monotonic() - start, usage.ru_utime + usage.ru_stime)


def texts_per_second(answer, texts, folder, least=20_000):
    """Of a command that answers a file of texts, `answer(path)`: what it takes longer for many texts than for one. None
    where that is less than a tenth of what one text takes, which is mostly the start."""
    many, one = folder / "many.txt", folder / "one.txt"
    copies = max(1, -(-least // len(texts)))
    many.write_text("".join(texts) * copies, encoding="utf-8")
    one.write_text(texts[0], encoding="utf-8")
    start = min(answer(one).seconds for _ in range(2))
    more = answer(many).seconds - start
    many.unlink()
    one.unlink()
    return len(texts) * copies / more if more > 0.1 * start else None
