#!/usr/bin/env python3
"""Reads every #include line and fails if a file includes what its place does not allow (docs/design.md, section 2).

    tools/check_includes.py [ROOT]

Rooms are the folders of src/. A room includes itself, the rooms on levels below its own, and the public headers that it
or one of these rooms owns: a public header belongs to the room that defines what it declares, and includes public headers
of its owner and of rooms below it. apps/X includes include/unroll and apps/X, and what APPS adds; python includes include/unroll and python,
examples include/unroll alone. Each third-party library has its rooms.
"""

import pathlib
import re
import sys

LEVELS = {
    "base": 0,
    "kernels": 1, "text": 1,
    "nn": 2, "ngram": 2, "judge": 2,
    "network": 3,
    "model": 4, "dist": 4,
    "infer": 5, "data": 5, "checkpoints": 5,
    "adapt": 6, "write": 6, "label": 6, "export": 6,
    "words": 7, "score": 7, "exchange": 7, "decide": 7, "probe": 7, "look": 7, "serve": 7,
    "suites": 8, "rescore": 8, "train": 8,
    "search": 9,
}

# The room that defines the functions of each public header.
OWNERS = {
    "unroll/character.h": "base",
    "unroll/error.h": "base",
    "unroll/fnv1a.h": "base",
    "unroll/growing_file.h": "base",
    "unroll/number_range.h": "base",
    "unroll/output_file.h": "base",
    "unroll/paths.h": "base",
    "unroll/warning.h": "base",
    "unroll/precision.h": "kernels",
    "unroll/version.h": "kernels",
    "unroll/begin_policy.h": "text",
    "unroll/character_layout.h": "text",
    "unroll/sentencepiece.h": "text",
    "unroll/state_policy.h": "text",
    "unroll/text.h": "text",
    "unroll/tokenizer.h": "text",
    "unroll/cell.h": "nn",
    "unroll/loss.h": "nn",
    "unroll/readout.h": "nn",
    "unroll/regularization.h": "nn",
    "unroll/ngram/ngram.h": "ngram",
    "unroll/judge/calibration.h": "judge",
    "unroll/judge/classification.h": "judge",
    "unroll/judge/confusion.h": "judge",
    "unroll/judge/cut_points.h": "judge",
    "unroll/judge/interval.h": "judge",
    "unroll/judge/paired.h": "judge",
    "unroll/judge/regression.h": "judge",
    "unroll/gradcheck.h": "network",
    "unroll/network.h": "network",
    "unroll/id_cache.h": "model",
    "unroll/ranks.h": "dist",
    "unroll/model.h": "model",
    "unroll/model_bytes.h": "model",
    "unroll/judge/spans.h": "judge",
    "unroll/judge/tag_scheme.h": "judge",
    "unroll/data/columns.h": "data",
    "unroll/task.h": "model",
    "unroll/data/data_report.h": "data",
    "unroll/data/dense.h": "data",
    "unroll/data/float_matrix.h": "data",
    "unroll/data/labelled_texts.h": "data",
    "unroll/label/tagger.h": "label",
    "unroll/data/tag_report.h": "data",
    "unroll/label/predictor.h": "label",
    "unroll/state.h": "infer",
    "unroll/score/accounting.h": "infer",
    "unroll/score/loss_sums.h": "infer",
    "unroll/label/answer_rule.h": "label",
    "unroll/label/classified_text.h": "label",
    "unroll/label/classifier.h": "label",
    "unroll/label/explanation.h": "label",
    "unroll/probe/probe.h": "probe",
    "unroll/probe/text_states.h": "probe",
    "unroll/look/answer_flow.h": "look",
    "unroll/look/answer_gradients.h": "look",
    "unroll/look/dynamics.h": "look",
    "unroll/look/gradient_flow.h": "look",
    "unroll/look/passages.h": "look",
    "unroll/look/pooled_steps.h": "look",
    "unroll/look/state_gradients.h": "look",
    "unroll/look/truncation.h": "look",
    "unroll/look/units.h": "look",
    "unroll/look/unrolled_text.h": "look",
    "unroll/look/untrained.h": "train",
    "unroll/adapt/adaptation.h": "adapt",
    "unroll/adapt/tune.h": "adapt",
    "unroll/generator.h": "write",
    "unroll/engine.h": "serve",
    "unroll/score/word_scorer.h": "words",
    "unroll/evaluate.h": "score",
    "unroll/scorer.h": "score",
    "unroll/score/odd_lines.h": "score",
    "unroll/label/answer_tuning.h": "decide",
    "unroll/export.h": "export",
    "unroll/import.h": "exchange",
    "unroll/exchange/convert.h": "exchange",
    "unroll/exchange/answers_saved.h": "exchange",
    "unroll/ngram/imitation.h": "exchange",
    "unroll/suites/minimal_pairs.h": "suites",
    "unroll/suites/syntax_suite.h": "suites",
    "unroll/nbest/combination.h": "rescore",
    "unroll/nbest/error_rate.h": "rescore",
    "unroll/nbest/hypothesis_scorer.h": "rescore",
    "unroll/nbest/nbest.h": "rescore",
    "unroll/nbest/references.h": "rescore",
    "unroll/auto_train.h": "search",
    "unroll/task_options.h": "train",
    "unroll/train.h": "train",
    "unroll/train_option.h": "train",
    "unroll/train_options.h": "train",
}

# Header prefix, then where it may be included: a prefix of the file's path.
THIRD_PARTY = [
    ("dnnl", []),
    ("oneapi/dnnl", []),
    ("hwy/", ["src/kernels/"]),
    ("unicode/", ["src/text/"]),
    ("zlib.h", ["src/text/", "src/checkpoints/", "apps/server/page/gzip.cc"]),
    ("sentencepiece_", ["src/text/"]),
    ("xxhash.h", ["src/model/"]),
    ("nlohmann/", ["src/model/strict_json.h", "apps/"]),
    ("CLI/", ["apps/cli/flags/parser.cc"]),
    ("toml++/", ["apps/cli/flags/toml.cc"]),
    ("boost/", ["apps/server/http/boost.h"]),
    ("mpi.h", ["apps/mpi/"]),
    ("fmt/", ["src/", "apps/"]),
    ("pybind11/", ["python/"]),
    ("Python.h", ["python/"]),
    ("omp.h", []),
    ("libxsmm", []),
    ("gtest/", []),
    ("gmock/", []),
    ("benchmark/", []),
]

# JSON is read above the model's room too, but only through this header, in rooms whose formats consist of it.
JSON_HEADER = "model/strict_json.h"
JSON_READERS = ("src/model/", "src/checkpoints/", "src/export/", "src/data/json_lines.cc", "src/suites/", "src/rescore/nbest_json.cc")

# What files of apps include of other folders there: a prefix of the file's path, then of the header's.
APPS = [
    ("apps/cli/verbs/serve.cc", "server/"),
    ("apps/cli/verbs/train", "server/"),
    ("apps/mpi/main.cc", "cli/"),
    ("apps/server/", "json/"),
    ("apps/cli/", "json/"),
    ("apps/cli/", "embedded/"),
    ("apps/server/", "embedded/"),
    ("apps/draw/", "json/"),
    ("apps/draw/", "embedded/"),
    ("apps/server/", "draw/"),
    ("apps/cli/", "draw/"),
]

# Headers of the system that are not C++'s own; like third parties, they stay out of the public headers.
SYSTEM = re.compile(
    r"(sys/\w+|arpa/inet|netinet/in|unistd|fcntl|poll|signal|sched|malloc|pthread|termios|dirent|immintrin|cpuid|errno|string|stdio|stdlib)\.h")
STANDARD = re.compile(r"[a-z_0-9]+")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def third_party(header):
    """The rooms of a third-party header, or None for other headers."""
    for prefix, rooms in THIRD_PARTY:
        if header.startswith(prefix):
            return rooms
    return None


def is_ours(root, header):
    return any((root / folder / header).is_file() for folder in ("include", "src", "apps", "tests", "fuzz", "bench", ""))


def public_fault(path, header):
    """Why `path` may not include the public `header`; None if it may."""
    owner = OWNERS.get(header)
    if owner is None:
        return f"{header} has no owner: name the room that defines it in tools/check_includes.py"
    parts = path.split("/")
    if parts[0] in ("apps", "examples", "python"):
        return None
    room = parts[1] if parts[0] == "src" else OWNERS.get(path.removeprefix("include/"))
    if room is None:
        return f"{path} has no owner: name the room that defines it in tools/check_includes.py"
    if owner != room and LEVELS[owner] >= LEVELS[room]:
        return f"{header} belongs to room {owner} (level {LEVELS[owner]}), which is not below {room} ({LEVELS[room]})"
    return None


def fault(root, path, header):
    """Why `path` (relative to root, with slashes) may not include `header`; None if it may."""
    parts = path.split("/")
    free = parts[0] in ("tests", "fuzz", "bench")
    if path.startswith("src/") and (len(parts) < 3 or parts[1] not in LEVELS):
        return f"{path} stands in no room; rooms are {', '.join(LEVELS)}"

    rooms = third_party(header)
    if rooms is not None:
        if header.startswith("fmt/") and not free and not path.endswith(".cc"):
            return "libfmt belongs in .cc files only"
        if free or any(path.startswith(room) for room in rooms):
            return None
        return f"<{header}> may be included by {' and '.join(rooms) or 'tests and bench'} only"
    if STANDARD.fullmatch(header):
        return None
    if SYSTEM.fullmatch(header):
        return "public headers include standard headers only" if parts[0] in ("include", "examples") else None
    if not is_ours(root, header):
        return "no such header here, and no third party that is known: give it a room in tools/check_includes.py"
    if free:
        return None
    if header == JSON_HEADER and not path.startswith(JSON_READERS):
        return f"JSON is read by {', '.join(JSON_READERS)} only; base/quote.h is for messages"
    if header.startswith("unroll/"):
        return public_fault(path, header)
    if parts[0] == "apps":
        allowed = header.startswith(parts[1] + "/") or any(
            path.startswith(file) and header.startswith(prefix) for file, prefix in APPS)
        return None if allowed else "apps include include/unroll and their own folder only"
    if parts[0] == "python":
        return None if header.startswith("python/") else "python includes include/unroll and its own folder only"
    if parts[0] == "src":
        target = header.split("/")[0]
        if target not in LEVELS:
            return f"src does not include '{target}'"
        if target != parts[1] and LEVELS[target] >= LEVELS[parts[1]]:
            return f"room {parts[1]} (level {LEVELS[parts[1]]}) is not above room {target} (level {LEVELS[target]})"
        return None
    return f"{parts[0]} includes standard headers and include/unroll only"


def check(root):
    """Every fault under root, one line each."""
    root = pathlib.Path(root)
    faults = []
    for folder in ("include", "src", "apps", "python", "tests", "fuzz", "bench", "examples"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cc"):
                continue
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                why = match and fault(root, path, match.group(2))
                if why:
                    faults.append(f"{path}:{number}: includes {match.group(2)}: {why}")
    return faults


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    faults = check(root)
    for line in faults:
        print(line, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
