#!/usr/bin/env python3
"""Reads and checks a model file of unroll with nothing but Python's standard library (the format: docs/format.md).

    tools/read_model.py MODEL.safetensors [--no-checksum] [--score TEXT | --classify TEXT | --tag TEXT]

Prints configuration, tokenizer, tensors and training history. With --score it prints, for each line of TEXT by itself,
log-probability (nats), number of predictions and text instead, as `unroll score` does; with --classify the probability
of each label; with --tag a line "word TAB tag" per word, and a blank line: second opinions in plain loops.
Status 1 when the file is not a whole model, or when a line has a symbol that the vocabulary lacks.
"""

import argparse
import array
import json
import math
import operator
import struct
import sys

FORMATS = ("unroll/1", "unroll/2", "unroll/3")  # the second: matrices in bf16 or int8; the third: has a policy
DTYPES = {"f32": "F32", "bf16": "BF16", "int8": "I8"}
MASK = 2**64 - 1
PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


class Damaged(Exception):
    """The file is not a model, or is damaged."""


class Unreadable(Exception):
    """This model cannot read that text, or this program cannot run that model."""


def rotate(x, bits):
    return (x << bits | x >> 64 - bits) & MASK


def xxh64(data):
    """XXH64 with seed 0 (Yann Collet's xxHash, doc/xxhash_spec.md): about 20 MB per second."""
    p1, p2, p3, p4, p5 = PRIMES
    whole = len(data) // 32 * 32
    if whole:
        a, b, c, d = (p1 + p2) & MASK, p2, 0, -p1 & MASK
        for w, x, y, z in struct.iter_unpack("<4Q", data[:whole]):
            a = (a + w * p2) & MASK
            a = (a << 31 | a >> 33) * p1 & MASK
            b = (b + x * p2) & MASK
            b = (b << 31 | b >> 33) * p1 & MASK
            c = (c + y * p2) & MASK
            c = (c << 31 | c >> 33) * p1 & MASK
            d = (d + z * p2) & MASK
            d = (d << 31 | d >> 33) * p1 & MASK
        h = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18) & MASK
        for lane in (a, b, c, d):
            h = ((h ^ rotate(lane * p2 & MASK, 31) * p1 & MASK) * p1 + p4) & MASK
    else:
        h = p5
    h = (h + len(data)) & MASK
    rest = data[whole:]
    eights = len(rest) // 8 * 8
    for (word,) in struct.iter_unpack("<Q", rest[:eights]):
        h = (rotate(h ^ rotate(word * p2 & MASK, 31) * p1 & MASK, 27) * p1 + p4) & MASK
    rest = rest[eights:]
    if len(rest) >= 4:
        h = (rotate(h ^ int.from_bytes(rest[:4], "little") * p1 & MASK, 23) * p2 + p3) & MASK
        rest = rest[4:]
    for byte in rest:
        h = rotate(h ^ byte * p5 & MASK, 11) * p1 & MASK
    h = (h ^ h >> 33) * p2 & MASK
    h = (h ^ h >> 29) * p3 & MASK
    return h ^ h >> 32


def distinct(pairs):
    """A JSON object, each of its keys once."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Damaged("a key stands twice in an object")
    return result


def expected_tensors(config):
    """Names and shapes that follow from a configuration, in the order of the file."""
    vocabulary, embed, hidden = config["vocabulary"], config["embed"], config["hidden"]
    gates = {"rnn-tanh": 1, "rnn-relu": 1, "lstm": 4, "gru": 3, "gru-reset-before": 3, "min-gru": 2, "min-lstm": 3}
    rows = hidden * gates[config["cell"]]
    recurrent = config["cell"] not in ("min-gru", "min-lstm")
    both = 2 if config.get("bidirectional") else 1
    outputs, inside = config.get("outputs", 0), config.get("character_hidden", 0)

    def layer_tensors(prefix, suffix, inputs, units, normal):
        size = units * rows // hidden
        yield f"{prefix}weight_ih{suffix}", [size, inputs]
        if recurrent:
            yield f"{prefix}weight_hh{suffix}", [size, units]
        yield f"{prefix}bias_ih{suffix}", [size]
        if recurrent:
            yield f"{prefix}bias_hh{suffix}", [size]
        if normal:
            yield f"{prefix}norm_ih{suffix}", [size]
            yield f"{prefix}norm_hh{suffix}", [size]
            if config["cell"] == "lstm":
                yield f"{prefix}norm_c{suffix}", [units]
                yield f"{prefix}bias_c{suffix}", [units]

    if vocabulary:
        yield "encoder.weight", [vocabulary, embed]
    if inside:
        yield "chars.encoder.weight", [config["characters"], inside]
        for direction in ("", "_reverse"):
            yield from layer_tensors("chars.rnn.", "_l0" + direction, inside, inside, False)
    for layer in range(config["layers"]):
        for direction in ("", "_reverse")[:both]:
            inputs = both * hidden if layer else embed + 2 * inside
            yield from layer_tensors("rnn.", f"_l{layer}{direction}", inputs, hidden, config.get("layer_norm"))
    if config.get("conditions"):
        for layer in range(config["layers"]):
            for state in "hc" if config["cell"] == "lstm" else "h":
                yield f"condition.{state}_l{layer}", [config["conditions"] * hidden]
    if outputs:
        if config["readout"] == "attention":
            yield "attention.weight", [both * hidden]
        yield "decoder.weight", [outputs, (3 if config["readout"] == "concat" else 1) * both * hidden]
        yield "decoder.bias", [outputs]
        if config["loss"] == "crf":
            yield "crf.transitions", [outputs * outputs]
            yield "crf.start_transitions", [outputs]
            yield "crf.end_transitions", [outputs]
        return
    if config["tied"] and embed != hidden:
        yield "projection.weight", [embed, hidden]
    if "cutoffs" in config:
        cutoffs = config["cutoffs"]
        yield "decoder.head.weight", [cutoffs[0] + len(cutoffs), hidden]
        yield "decoder.head.bias", [cutoffs[0] + len(cutoffs)]
        for i, (first, end) in enumerate(zip(cutoffs, cutoffs[1:] + [vocabulary])):
            width = hidden // 4 ** (i + 1)
            yield f"decoder.tail.{i}.0.weight", [width, hidden]
            yield f"decoder.tail.{i}.1.weight", [end - first, width]
        return
    if not config["tied"]:
        yield "decoder.weight", [vocabulary, hidden]
    yield "decoder.bias", [vocabulary]


def stored_tensors(config, precision):
    """Names, types and shapes in a file of that precision, in any order."""
    for name, shape in expected_tensors(config):
        yield name, DTYPES[precision] if len(shape) == 2 else "F32", shape
        if precision == "int8" and len(shape) == 2:
            yield name + ".scale", "F32", shape[:1]


def numbers(dtype, data):
    """The numbers of a tensor as floats (bf16 is the upper half of a float)."""
    if dtype == "BF16":
        data = b"".join(b"\0\0" + data[i : i + 2] for i in range(0, len(data), 2))
    values = array.array("b" if dtype == "I8" else "f", data)
    if sys.byteorder == "big" and dtype != "I8":
        values.byteswap()
    return array.array("f", values) if dtype == "I8" else values


def special_symbols(tokenizer):
    """The ids of the line end and of <unk>, None where the vocabulary lacks them."""
    if tokenizer["kind"] == "byte":
        return 10, None
    symbols = tokenizer["symbols"]
    end = "\n" if tokenizer["kind"] == "char" else "<eos>"
    return tuple(symbols.index(symbol) if symbol in symbols else None for symbol in (end, "<unk>"))


def check_policy(metadata, policed):
    """Raises unless the policy fits the vocabulary."""
    policy, tokenizer = metadata["policy"], metadata["tokenizer"]
    if list(policy) != ["begin"] or policy["begin"] not in ("boundary", "none"):
        raise Damaged(f"policy is {policy}")
    if "symbols" not in tokenizer:
        return
    boundary, unknown = special_symbols(tokenizer)
    if not policed and None in (boundary, unknown):
        raise Damaged(f"the vocabulary lacks its line end or <unk>, which only {FORMATS[2]} may")
    if boundary is None and policy["begin"] == "boundary":
        raise Damaged("begin is boundary, but the vocabulary has none")


def read_model(path, with_checksum=True):
    """Metadata (JSON parsed) and tensors {name: (shape, array of floats)}, those of int8 multiplied by their scales."""
    with open(path, "rb") as file:
        content = file.read()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 10 or length > min(len(content) - 8, 100_000_000):
        raise Damaged("not a safetensors file, or cut short")
    header, data = content[8 : 8 + length], content[8 + length :]
    entries = json.loads(header.decode("utf-8"), object_pairs_hook=distinct)
    metadata = entries.pop("__metadata__", {})
    if metadata.get("format") not in FORMATS:
        raise Damaged(f"format is {metadata.get('format')!r}, expected one of {FORMATS}")
    policed = metadata["format"] == FORMATS[2]
    if policed != ("policy" in metadata) or (policed and "precision" not in metadata):
        raise Damaged(f"format {metadata['format']!r} with the metadata {sorted(metadata)}")
    precision = metadata.setdefault("precision", "f32")
    if precision not in DTYPES or (not policed and (precision == "f32") != (metadata["format"] == FORMATS[0])):
        raise Damaged(f"precision is {precision!r} in format {metadata['format']!r}")
    metadata.setdefault("policy", '{"begin":"boundary"}')
    if with_checksum:
        stored = metadata["checksum"]
        before, field, after = header.partition(b'"checksum":"')
        actual = f"{xxh64(before + field + b'0' * 16 + after[16:] + data):016x}"
        if after[:16].decode("ascii") != stored or actual != stored:
            raise Damaged(f"changed after it was written: checksum {actual}, it says {stored}")
    for key in ("config", "tokenizer", "training", "history", "policy", "task"):
        if key in metadata or key != "task":
            metadata[key] = json.loads(metadata[key], object_pairs_hook=distinct)
    check_policy(metadata, policed)
    labels = metadata["config"].get("outputs") or metadata["config"].get("conditions") or 0
    if ("task" in metadata) != (labels > 0) or (labels and len(set(metadata["task"]["labels"])) != labels):
        raise Damaged("the task does not fit the network")

    stored, ranges = {}, []
    for name, dtype, shape in stored_tensors(metadata["config"], precision):
        entry = entries.pop(name)
        first, last = entry["data_offsets"]
        size = {"F32": 4, "BF16": 2, "I8": 1}[dtype]
        for dimension in shape:
            size *= dimension
        if entry["dtype"] != dtype or entry["shape"] != shape or last - first != size or last > len(data):
            raise Damaged(f"tensor {name} is {entry}, expected {dtype} of shape {shape}")
        stored[name] = shape, numbers(dtype, data[first:last])
        ranges.append((first, last))
    ends = [0]
    for first, last in sorted(ranges):
        if first != ends[-1]:
            raise Damaged(f"tensors overlap or leave a hole at byte {first} of the data")
        ends.append(last)
    if entries or ends[-1] != len(data):
        raise Damaged(f"holds more than its configuration needs: tensors {list(entries)}, {len(data) - ends[-1]} bytes")

    tensors = {}
    for name, shape in expected_tensors(metadata["config"]):
        values = stored[name][1]
        if name + ".scale" in stored:
            scales = stored[name + ".scale"][1]
            values = array.array("f", (scales[i // shape[1]] * value for i, value in enumerate(values)))
        tensors[name] = shape, values
    return metadata, tensors


def show(metadata, tensors):
    tokenizer, training, history = metadata["tokenizer"], metadata["training"], metadata["history"]
    print("config    ", json.dumps(metadata["config"]))
    print("precision ", metadata["precision"])
    print("tokenizer ", tokenizer["kind"], metadata["config"]["vocabulary"], "symbols")
    print("begin     ", metadata["policy"]["begin"])
    if "task" in metadata:
        print("task      ", json.dumps(metadata["task"], ensure_ascii=False))
    print("training  ", "complete" if training["complete"] else "not complete", json.dumps(training["options"]))
    print(f"\n{'tensor':<20} {'shape':>14} {'min':>10} {'max':>10} {'mean':>10}")
    for name, (shape, values) in tensors.items():
        size = " x ".join(map(str, shape))
        print(f"{name:<20} {size:>14} {min(values):10.5f} {max(values):10.5f} {sum(values) / len(values):10.5f}")
    print(f"{sum(len(values) for _, values in tensors.values())} parameters")
    print(f"\n{'step':>8} {'tokens':>12} {'lr':>10} {'nats/token':>10} {'validation':>10}")
    for point in history:
        valid = point.get("valid_nats_per_token")
        valid = "" if valid is None else f"{valid:.4f}"
        print(f"{point['step']:8} {point['tokens']:12} {point['lr']:10.3g} {point['nats_per_token']:10.4f} {valid:>10}")


# ---- scoring


def times(tensor, vector):
    """A matrix times a vector."""
    (rows, columns), values = tensor
    return [sum(map(operator.mul, values[row * columns : (row + 1) * columns], vector)) for row in range(rows)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def parts(values, count):
    """The gates of a layer, each a list of H numbers."""
    size = len(values) // count
    return [values[i * size : (i + 1) * size] for i in range(count)]


def step(cell, tensors, layer, x, h, c, prefix="rnn."):
    """One step of a layer, as 0 or "0_reverse": (h', c')."""
    def weight(name):
        return tensors[f"{prefix}{name}_l{layer}"]

    read = [a + b for a, b in zip(times(weight("weight_ih"), x), weight("bias_ih")[1])]
    if cell in ("min-gru", "min-lstm"):
        candidate = [a + 0.5 if a >= 0 else sigmoid(a) for a in parts(read, 2 if cell == "min-gru" else 3)[-1]]
        gates = [[sigmoid(a) for a in gate] for gate in parts(read, 2 if cell == "min-gru" else 3)[:-1]]
        if cell == "min-gru":
            return [(1 - z) * before + z * n for z, before, n in zip(gates[0], h, candidate)], c
        return [(f * before + i * n) / (f + i) for f, i, before, n in zip(*gates, h, candidate)], c
    kept = [a + b for a, b in zip(times(weight("weight_hh"), h), weight("bias_hh")[1])]
    if cell in ("rnn-tanh", "rnn-relu"):
        return [math.tanh(a + b) if cell == "rnn-tanh" else max(0.0, a + b) for a, b in zip(read, kept)], c
    if cell == "lstm":
        i, f, g, o = parts([a + b for a, b in zip(read, kept)], 4)
        c = [sigmoid(f) * before + sigmoid(i) * math.tanh(g) for f, before, i, g in zip(f, c, i, g)]
        return [sigmoid(o) * math.tanh(after) for o, after in zip(o, c)], c
    r, z = ([sigmoid(a + b) for a, b in zip(*both)] for both in list(zip(parts(read, 3), parts(kept, 3)))[:2])
    if cell == "gru":
        n = [math.tanh(a + gate * b) for a, gate, b in zip(parts(read, 3)[2], r, parts(kept, 3)[2])]
    else:  # gru-reset-before
        shape, values = weight("weight_hh")
        size = len(h)
        last = (size, size), values[2 * size * size :]
        products = times(last, [gate * before for gate, before in zip(r, h)])
        bias = weight("bias_hh")[1][2 * size :]
        n = [math.tanh(sum(terms)) for terms in zip(parts(read, 3)[2], products, bias)]
    return [(1 - gate) * new + gate * before for gate, new, before in zip(z, n, h)], c


class Reader:
    """Reads symbols from the zero state on."""

    def __init__(self, metadata, tensors):
        self.config, self.tensors = metadata["config"], tensors
        if self.config.get("layer_norm") or "cutoffs" in self.config:
            raise Unreadable("models with layer normalisation or an adaptive softmax are not run here")
        self.state = [([0.0] * self.config["hidden"], [0.0] * self.config["hidden"])] * self.config["layers"]

    def read(self, symbol):
        """Reads a symbol; returns the log-probabilities of those that may follow."""
        (_, columns), values = self.tensors["encoder.weight"]
        x = values[symbol * columns : (symbol + 1) * columns]
        for layer, (h, c) in enumerate(self.state):
            self.state[layer] = step(self.config["cell"], self.tensors, layer, x, h, c)
            h = self.state[layer][0]
            x = [a + b for a, b in zip(x, h)] if self.config.get("residual") and layer else h
        if "projection.weight" in self.tensors:
            x = times(self.tensors["projection.weight"], x)
        decoder = self.tensors["encoder.weight" if self.config["tied"] else "decoder.weight"]
        logits = [a + b for a, b in zip(times(decoder, x), self.tensors["decoder.bias"][1])]
        most = max(logits)
        total = most + math.log(sum(math.exp(a - most) for a in logits))
        return [a - total for a in logits]


def ids_of(tokenizer, line):
    """The symbols of a line without its end."""
    if tokenizer["kind"] == "byte":
        return list(line.encode("utf-8"))
    if tokenizer["kind"] not in ("char", "whitespace"):
        raise Unreadable(f"the tokenizer {tokenizer['kind']} is not known here")
    ids = {symbol: i for i, symbol in enumerate(tokenizer["symbols"])}
    line = line.lower() if tokenizer["lowercase"] else line
    pieces = list(line) if tokenizer["kind"] == "char" else line.split()
    if tokenizer["kind"] == "char":
        ids = {symbol: i for symbol, i in ids.items() if symbol != "<unk>"}
    unknown = special_symbols(tokenizer)[1]
    for piece in pieces:
        if piece not in ids and unknown is None:
            raise Unreadable(f"{piece!r} is not in the vocabulary, which has no <unk>")
    return [ids.get(piece, unknown) for piece in pieces]


def score_line(metadata, tensors, line):
    """Log-probability of a line by itself, its end included where there is one, and the number of its predictions."""
    boundary = special_symbols(metadata["tokenizer"])[0]
    ids = ids_of(metadata["tokenizer"], line) + ([] if boundary is None else [boundary])
    if metadata["policy"]["begin"] == "boundary":
        ids.insert(0, boundary)  # read, and not predicted; with none that is the line's own first symbol
    reader = Reader(metadata, tensors)
    return sum(reader.read(before)[after] for before, after in zip(ids, ids[1:])), max(0, len(ids) - 1)


def score(metadata, tensors, path):
    with open(path, encoding="utf-8", newline="\n") as text:
        for number, line in enumerate(text, 1):
            line = line.rstrip("\n")
            try:
                log_prob, predictions = score_line(metadata, tensors, line)
            except Unreadable as error:
                raise Unreadable(f"line {number}: {error}") from None
            print(f"{log_prob:.6f}\t{predictions}\t{line}")


# ---- labels


PIECE, MOST_SYMBOLS, WORD = 256, 4096, 32  # steps of a piece; symbols that are read of a text, characters of a word


def pieces_of(length):
    """The pieces in which a text is read: as few as have at most PIECE steps, of about equal length."""
    count, first = -(-length // PIECE), 0
    for i in range(count):
        size = length // count + (i < length % count)
        yield first, first + size
        first += size


def row_of(tensor, row):
    (_, columns), values = tensor
    return list(values[row * columns : (row + 1) * columns])


def sweep(cell, tensors, layer, inputs, prefix):
    """The outputs of a layer over a piece, from a zero state."""
    units = tensors[f"{prefix}weight_hh_l{layer}"][0][1] if cell[:3] != "min" else None
    if units is None:
        units = tensors[f"{prefix}bias_ih_l{layer}"][0][0] // (2 if cell == "min-gru" else 3)
    h, c, outputs = [0.0] * units, [0.0] * units, []
    for x in inputs:
        h, c = step(cell, tensors, layer, x, h, c, prefix)
        outputs.append(h)
    return outputs


def run_levels(config, tensors, inputs):
    """The outputs of the last level over a text, piece by piece."""
    if config.get("layer_norm"):
        raise Unreadable("models with layer normalisation are not run here")
    outputs = []
    for first, last in pieces_of(len(inputs)):
        x = inputs[first:last]
        for layer in range(config["layers"]):
            y = sweep(config["cell"], tensors, layer, x, "rnn.")
            if config.get("bidirectional"):
                back = sweep(config["cell"], tensors, f"{layer}_reverse", x[::-1], "rnn.")[::-1]
                y = [h + k for h, k in zip(y, back)]
            if config.get("residual") and layer:
                y = [[a + b for a, b in zip(*rows)] for rows in zip(x, y)]
            x = y
        outputs += x
    return outputs


def readout(config, tensors, outputs):
    """One vector of a text."""
    half = config["hidden"]
    last = outputs[-1][:half] + (outputs[0][half:] if config.get("bidirectional") else [])
    greatest = [max(column) for column in zip(*outputs)]
    mean = [sum(column) / len(outputs) for column in zip(*outputs)]
    if config["readout"] == "attention":
        weight = tensors["attention.weight"][1]
        scores = [sum(w * math.tanh(a) for w, a in zip(weight, h)) for h in outputs]
        shares = [math.exp(score - max(scores)) for score in scores]
        return [sum(map(operator.mul, shares, column)) / sum(shares) for column in zip(*outputs)]
    return {"last": last, "max": greatest, "mean": mean, "concat": last + greatest + mean}[config["readout"]]


def label_scores(tensors, vector):
    return [a + b for a, b in zip(times(tensors["decoder.weight"], vector), tensors["decoder.bias"][1])]


def probabilities(metadata, tensors, line):
    """Of each label of a line."""
    task, boundary = metadata["task"], special_symbols(metadata["tokenizer"])[0]
    ids = ids_of(metadata["tokenizer"], line)[:MOST_SYMBOLS] + [boundary]
    inputs = [row_of(tensors["encoder.weight"], i) for i in ids]
    if metadata["config"].get("characters"):
        inputs = [x + characters_vector(metadata, tensors, word) for x, word in zip(inputs, line.split()[:MOST_SYMBOLS])]
        inputs.append(row_of(tensors["encoder.weight"], boundary) + [0.0] * 2 * metadata["config"]["character_hidden"])
    outputs = run_levels(metadata["config"], tensors, inputs)
    scores = label_scores(tensors, readout(metadata["config"], tensors, outputs))
    scores = [score / task.get("temperature", 1) for score in scores]
    if task.get("multi_label"):
        return [sigmoid(score) for score in scores]
    shares = [math.exp(score - max(scores)) for score in scores]
    return [share / sum(shares) for share in shares]


def characters_vector(metadata, tensors, word):
    """The last outputs of both directions over the characters of a word as it is written."""
    cell, characters = metadata["config"]["cell"], metadata["task"]["characters"]
    letters = word if len(word) <= WORD else word[: WORD // 2] + word[-WORD // 2 :]
    rows = [row_of(tensors["chars.encoder.weight"], characters.index(z) + 1 if z in characters else 0) for z in letters]
    forward = sweep(cell, tensors, 0, rows, "chars.rnn.")[-1]
    return forward + sweep(cell, tensors, "0_reverse", rows[::-1], "chars.rnn.")[-1]


def word_vector(metadata, tensors, word):
    """The input of a word that is to be tagged: its embedding, and its vector from characters."""
    symbols = metadata["tokenizer"]["symbols"]
    known = word.lower() if metadata["tokenizer"]["lowercase"] else word
    unknown = special_symbols(metadata["tokenizer"])[1]
    x = row_of(tensors["encoder.weight"], symbols.index(known) if known in symbols[2:] else unknown)
    return x + characters_vector(metadata, tensors, word) if metadata["config"].get("characters") else x


def best_tags(metadata, tensors, words):
    """The labels of the best sequence: Viterbi; without transitions the best label of each word."""
    labels = metadata["task"]["labels"]
    count = len(labels)
    zeros = [0.0] * count * count
    between, start, end = (tensors.get(f"crf.{name}", (None, zeros))[1]
                           for name in ("transitions", "start_transitions", "end_transitions"))
    outputs = run_levels(metadata["config"], tensors, [word_vector(metadata, tensors, word) for word in words])
    best, back = [], []
    for t, scores in enumerate(label_scores(tensors, h) for h in outputs):
        if t == 0:
            best = [a + b for a, b in zip(start, scores)]
            continue
        came = [max(range(count), key=lambda i: best[i] + between[i * count + k]) for k in range(count)]
        best = [best[i] + between[i * count + k] + scores[k] for k, i in enumerate(came)]
        back.append(came)
    tags = [max(range(count), key=lambda k: best[k] + end[k])]
    for came in reversed(back):
        tags.append(came[tags[-1]])
    return [labels[k] for k in reversed(tags)]


def answer(metadata, tensors, path, tag):
    with open(path, encoding="utf-8", newline="\n") as text:
        for line in text:
            line = line.rstrip("\n")
            if not tag:
                shares = probabilities(metadata, tensors, line)
                print("\t".join(f"{label} {p:.8f}" for label, p in zip(metadata["task"]["labels"], shares)))
                continue
            words = line.split()
            for word, label in zip(words, best_tags(metadata, tensors, words) if words else []):
                print(f"{word}\t{label}")
            print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--no-checksum", action="store_true", help="skip the slowest check")
    parser.add_argument("--score", metavar="TEXT", help="print the log-probability of each line of TEXT")
    parser.add_argument("--classify", metavar="TEXT", help="print the probabilities of labels for each line of TEXT")
    parser.add_argument("--tag", metavar="TEXT", help="print the labels of the words of each line of TEXT")
    arguments = parser.parse_args()
    try:
        metadata, tensors = read_model(arguments.model, not arguments.no_checksum)
        if arguments.score:
            score(metadata, tensors, arguments.score)
        elif arguments.classify or arguments.tag:
            answer(metadata, tensors, arguments.classify or arguments.tag, bool(arguments.tag))
        else:
            show(metadata, tensors)
    except (Damaged, Unreadable, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        print(f"{arguments.model}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
