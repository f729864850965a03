"""Writes files as PyTorch writes them, with the standard library alone, and computes what networks in them predict.

Sources: torch/serialization.py (containers), torch/_utils.py (tensors), the equations of torch.nn.LSTM, GRU and RNN.
"""

import collections
import io
import math
import operator
import pickle
import random
import struct
import sys
import types
import zipfile


def torch_class(name):
    """A class that pickles under a dotted name, which nothing needs to have."""
    module, _, short = name.rpartition(".")
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
    if not hasattr(sys.modules[module], short):
        setattr(sys.modules[module], short, type(short, (), {"__module__": module, "__qualname__": short}))
    return getattr(sys.modules[module], short)


class Storage:
    """Numbers of one type, under a key."""

    CODES = {"Float": "f", "Double": "d", "Half": "e", "BFloat16": None}

    def __init__(self, numbers, kind="Float"):
        self.numbers, self.kind, self.key = list(numbers), kind, str(id(self))

    def bytes(self):
        if self.kind == "BFloat16":
            return b"".join(struct.pack("<f", number)[2:] for number in self.numbers)
        return struct.pack(f"<{len(self.numbers)}{self.CODES[self.kind]}", *self.numbers)


class Tensor:
    """A view of a storage."""

    def __init__(self, storage, shape, offset=0, strides=None):
        self.storage, self.shape, self.offset = storage, tuple(shape), offset
        self.strides = strides or tuple(math.prod(shape[d + 1:]) for d in range(len(shape)))

    @staticmethod
    def of(rows, kind="Float"):
        """A matrix or vector of these numbers."""
        if not isinstance(rows[0], list):
            return Tensor(Storage(rows, kind), (len(rows),))
        return Tensor(Storage([number for row in rows for number in row], kind), (len(rows), len(rows[0])))

    def numbers(self):
        """Its numbers as they are stored: a list, or a list of rows."""
        code = Storage.CODES[self.storage.kind]
        data = self.storage.bytes()
        if code is None:
            all_numbers = [struct.unpack("<f", b"\0\0" + data[at:at + 2])[0] for at in range(0, len(data), 2)]
        else:
            all_numbers = list(struct.unpack(f"<{len(self.storage.numbers)}{code}", data))
        if len(self.shape) == 1:
            return [all_numbers[self.offset + i * self.strides[0]] for i in range(self.shape[0])]
        return [[all_numbers[self.offset + i * self.strides[0] + j * self.strides[1]] for j in range(self.shape[1])]
                for i in range(self.shape[0])]


class Pickler(pickle.Pickler):
    """As torch.save() pickles: storages by persistent ids, in legacy files classes with their source text."""

    def __init__(self, file, legacy, sources):
        super().__init__(file, protocol=2)
        self.legacy, self.sources, self.storages = legacy, sources, {}

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            self.storages[obj.key] = obj
            kind = torch_class(f"torch.{obj.kind}Storage")
            return ("storage", kind, obj.key, "cuda:0", len(obj.numbers)) + ((None,) if self.legacy else ())
        if self.legacy and isinstance(obj, type) and obj.__name__ in self.sources:
            return ("module", obj, "model.py", self.sources.pop(obj.__name__))
        return None

    def reducer_override(self, obj):
        if isinstance(obj, Tensor):
            rebuild = torch_class("torch._utils._rebuild_tensor_v2")
            return rebuild, (obj.storage, obj.offset, obj.shape, obj.strides, False, collections.OrderedDict())
        if isinstance(obj, Call):
            return torch_class(obj.name), obj.arguments
        return NotImplemented


class Call:
    """A call of a function by name, which Python would make when it loads the file."""

    def __init__(self, name, *arguments):
        self.name, self.arguments = name, arguments


def module(name, parameters=None, children=None, **attributes):
    """An instance of a module's class."""
    made = object.__new__(torch_class(name))
    made.__dict__.update(training=False, **attributes, _parameters=collections.OrderedDict(parameters or {}),
                         _modules=collections.OrderedDict(children or {}))
    return made


def legacy_file(path, obj, sources=None):
    """As PyTorch 0.2 to 1.5 wrote."""
    with open(path, "wb") as file:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}):
            pickle.dump(head, file, protocol=2)
        pickler = Pickler(file, True, dict(sources or {}))
        pickler.dump(obj)
        keys = sorted(pickler.storages)
        pickle.dump(keys, file, protocol=2)
        for key in keys:
            file.write(struct.pack("<q", len(pickler.storages[key].numbers)) + pickler.storages[key].bytes())
    return path


def zip_file(path, obj):
    """As PyTorch from 1.6 on writes."""
    data = io.BytesIO()
    pickler = Pickler(data, False, {})
    pickler.dump(obj)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/data.pkl", data.getvalue())
        archive.writestr("model/byteorder", "little")
        for key, storage in pickler.storages.items():
            archive.writestr(f"model/data/{key}", storage.bytes())
        archive.writestr("model/version", "3\n")
    return path


def random_tensor(dice, *shape, kind="Float"):
    """A tensor of numbers that do not fit into few bits."""
    return Tensor(Storage([dice.uniform(-1, 1) for _ in range(math.prod(shape))], kind), shape)


def layer(dice, inputs, width, gates, kind="Float"):
    """weight_ih, weight_hh, bias_ih and bias_hh as views with offsets into one storage, as CUDA leaves them."""
    rows = gates * width
    storage = Storage([dice.uniform(-1, 1) for _ in range(rows * (inputs + width + 2))], kind)
    hh, ih = rows * inputs, rows * (inputs + width)
    return {"weight_ih": Tensor(storage, (rows, inputs)), "weight_hh": Tensor(storage, (rows, width), hh),
            "bias_ih": Tensor(storage, (rows,), ih), "bias_hh": Tensor(storage, (rows,), ih + rows)}


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def times(matrix, vector, bias=None):
    products = [math.fsum(map(operator.mul, row, vector)) for row in matrix]
    return [a + b for a, b in zip(products, bias)] if bias else products


def step(cell, tensors, x, h, c):
    """The state of one layer after one step, in double precision."""
    u = times(tensors["weight_ih"], x, tensors.get("bias_ih"))
    w = times(tensors["weight_hh"], h, tensors.get("bias_hh"))
    H = len(h)
    if cell == "gru":
        r = [sigmoid(u[i] + w[i]) for i in range(H)]
        z = [sigmoid(u[H + i] + w[H + i]) for i in range(H)]
        n = [math.tanh(u[2 * H + i] + r[i] * w[2 * H + i]) for i in range(H)]
        return [(1 - z[i]) * n[i] + z[i] * h[i] for i in range(H)], c
    if cell == "lstm":
        i, f, g, o = ([u[k * H + j] + w[k * H + j] for j in range(H)] for k in range(4))
        c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(H)]
        return [sigmoid(o[j]) * math.tanh(c[j]) for j in range(H)], c
    f = math.tanh if cell == "tanh" else (lambda a: max(a, 0))
    return [f(a + b) for a, b in zip(u, w)], c


def log_probs(cell, encoder, layers, decoder, bias, ids):
    """ln p of each id but the first, from a zero state; encoder None: inputs are one-hot."""
    layers = [{name: tensor.numbers() for name, tensor in tensors.items()} for tensors in layers]
    encoder = encoder.numbers() if encoder else None
    decoder, bias = decoder.numbers(), bias.numbers()
    states = [([0.0] * len(tensors["weight_hh"][0]),) * 2 for tensors in layers]
    results = []
    for given, target in zip(ids, ids[1:]):
        x = encoder[given] if encoder else [1.0 if i == given else 0.0 for i in range(len(decoder))]
        for l, tensors in enumerate(layers):
            states[l] = step(cell, tensors, x, *states[l])
            x = states[l][0]
        logits = times(decoder, x, bias)
        most = max(logits)
        results.append(logits[target] - most - math.log(math.fsum(math.exp(v - most) for v in logits)))
    return results


def seeded(seed):
    return random.Random(seed)
