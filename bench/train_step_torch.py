#!/usr/bin/python3
"""Training steps of one network, timed on request: the side of bench/compare that is PyTorch.

    train_step_torch.py CELL V E H L B T THREADS FILE

FILE holds the first weights and the symbols, from train_step --write. Prints and answers as train_step does.
"""

import ctypes
import json
import sys
import time

try:
    import torch
except ModuleNotFoundError as missing:
    sys.exit(f"bench/train_step_torch.py: {missing}: tools/setup torch installs it")

# Both sides: bench/train_step.cc has the same numbers.
CLIP = 0.02  # below the norms at the start, so that clipping is compared too
RATE = 10.0
COMPARED_STEPS = 3  # all on the first window: there an update shows
FEWEST = 2


class LanguageModel(torch.nn.Module):
    """Embedding, recurrent layers, linear output: what PyTorch's own word language model example builds."""

    def __init__(self, cell, vocabulary, embed, hidden, layers):
        super().__init__()
        self.encoder = torch.nn.Embedding(vocabulary, embed)
        recurrent = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn-tanh": torch.nn.RNN}[cell]
        self.rnn = recurrent(embed, hidden, layers)
        self.decoder = torch.nn.Linear(hidden, vocabulary)

    def forward(self, inputs, state):
        outputs, state = self.rnn(self.encoder(inputs), state)
        return self.decoder(outputs.flatten(0, 1)), state


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


class TrainingSteps:
    def __init__(self, model, ids, steps_per_window):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
        T = steps_per_window
        windows = [(ids[first : first + T], ids[first + 1 : first + T + 1]) for first in range(0, len(ids) - 1, T)]
        self.windows = [(inputs, targets.flatten()) for inputs, targets in windows]
        self.state = None

    def step(self, window_number):
        inputs, targets = self.windows[window_number % len(self.windows)]
        self.optimizer.zero_grad(set_to_none=True)
        logits, state = self.model(inputs, self.state)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.state = detached(state)
        return loss, norm


def read_tensors(path):
    """Yields name and tensor, one in memory at a time, so that reading does not raise the peak of memory."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            first, last = entry["data_offsets"]
            file.seek(start + first)
            values = torch.frombuffer(bytearray(file.read(last - first)), dtype=torch.float32)
            yield name, values.view(entry["shape"])


def load(path, model):
    """Gives the model its first weights; returns the symbols."""
    parameters = dict(model.named_parameters())
    ids = None
    with torch.no_grad():
        for name, tensor in read_tensors(path):
            if name == "ids":
                ids = tensor.long()
            else:
                parameters.pop(name).copy_(tensor)
    if parameters or ids is None:
        raise ValueError(f"{path} lacks {list(parameters) or 'ids'}")
    return ids


def blas():
    library = ctypes.CDLL("libblas.so.3")
    if not hasattr(library, "openblas_get_config"):
        return "BLAS that is not OpenBLAS"
    library.openblas_get_config.restype = ctypes.c_char_p
    words = library.openblas_get_config().decode().split()
    library.openblas_get_corename.restype = ctypes.c_char_p
    return f"{words[0]} {words[1]} (kernels {library.openblas_get_corename().decode()})"


def time_on_request(steps):
    for line in sys.stdin:
        wanted, made, seconds = float(line), 0, 0.0
        start = time.perf_counter()
        while made < FEWEST or seconds < wanted:
            steps.step(made)
            made += 1
            seconds = time.perf_counter() - start
        print(made, seconds, flush=True)


def main():
    if len(sys.argv) != 10:
        print("usage: train_step_torch.py CELL V E H L B T THREADS FILE", file=sys.stderr)
        return 2
    cell, sizes, path = sys.argv[1], [int(word) for word in sys.argv[2:9]], sys.argv[9]
    vocabulary, embed, hidden, layers, _, steps_per_window, threads = sizes
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    model = LanguageModel(cell, vocabulary, embed, hidden, layers)
    steps = TrainingSteps(model, load(path, model), steps_per_window)
    outcomes = [[number.item() for number in steps.step(0)] for _ in range(COMPARED_STEPS)]
    print(f"about {blas()}")
    print("losses", *(loss for loss, _ in outcomes))
    print("norms", *(norm for _, norm in outcomes))
    print("ready", flush=True)
    time_on_request(steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
