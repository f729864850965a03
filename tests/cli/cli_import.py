#!/usr/bin/env python3
"""unroll import: networks in files of PyTorch score what plain Python computes from the same numbers."""

import json
import string
import struct

from command_line import CommandTest, main, run
from torch_files import (Call, Tensor, layer, legacy_file, log_probs, module, random_tensor, seeded,
                         torch_class, zip_file)


class Import(CommandTest):
    def imported(self, file, *flags):
        """The path of the model, and what was reported."""
        model = self.folder / "model.safetensors"
        done = self.succeed("import", file, *flags, "--save", model, "--overwrite")
        self.assertEqual(done.out, "")
        return model, done.err

    def assert_scores(self, model, text, expected, state="carry"):
        done = self.succeed("score", model, "-", "--json", "--state", state, "--quiet", stdin=text.encode())
        rows = [json.loads(line) for line in done.out.splitlines()]
        found = [token["log_prob"] for row in rows for token in row["tokens"]][-len(expected):]
        self.assertEqual(len(found), len(expected))
        for a, b in zip(found, expected):
            self.assertAlmostEqual(a, b, delta=2e-5)

    def test_a_whole_module_of_a_legacy_file_with_words_of_three_texts(self):
        dice = seeded(1)
        texts = [self.write("train.txt", "the cat sat\nthe dog sat\n"), self.write("valid.txt", "a cat ran\n"),
                 self.write("test.txt", "dogs\n")]
        words = ["the", "cat", "sat", "<eos>", "dog", "a", "ran", "dogs"]
        encoder, bias = random_tensor(dice, 8, 5), random_tensor(dice, 8)
        layers = [layer(dice, 5, 5, 4), layer(dice, 5, 5, 4)]
        named = {f"{name}_l{l}": tensor for l, tensors in enumerate(layers) for name, tensor in tensors.items()}
        rnn = module("torch.nn.modules.rnn.LSTM", named, mode="LSTM", num_layers=2, batch_first=False)
        network = module("model.RNNModel", {}, {
            "drop": module("torch.nn.modules.dropout.Dropout", p=0.2),
            "encoder": module("torch.nn.modules.sparse.Embedding", {"weight": encoder}), "rnn": rnn,
            "decoder": module("torch.nn.modules.linear.Linear", {"weight": encoder, "bias": bias})}, nhid=5)
        file = legacy_file(self.folder / "model.pt", network, {"RNNModel": "class RNNModel(nn.Module):\n    pass\n"})
        model, report = self.imported(file, *texts, "--vocab", "first-all")
        self.assertIn("encoder.weight and decoder.weight are the same: the weights are tied", report)
        self.assertIn("<eos> ends lines", report)
        ids = [words.index(word) for word in "<eos> the dog ran <eos> a cat <eos>".split()]
        self.assert_scores(model, "the dog ran\na cat\n", log_probs("lstm", encoder, layers, encoder, bias, ids))

        shown = self.succeed("import", file, "--show").out
        for words in ["object of model.RNNModel", "tensor [8, 5] float32 cuda:0", "# source text of model.RNNModel",
                      "class RNNModel(nn.Module):\n    pass\n"]:
            self.assertIn(words, shown)

    def test_a_checkpoint_of_an_archive_in_halves_with_its_vocabulary_beside_calls(self):
        dice = seeded(2)
        encoder, decoder, bias = (random_tensor(dice, *shape, kind="Half") for shape in ((4, 3), (4, 6), (4,)))
        layers = [layer(dice, 3, 6, 3, "Half")]
        state = {"module.embed.weight": encoder, "module.fc.weight": decoder, "module.fc.bias": bias}
        state.update({f"module.gru.{name}_l0": tensor for name, tensor in layers[0].items()})
        file = zip_file(self.folder / "model.pth", {
            "epoch": 3, "model_state_dict": state, "char2idx": {"\n": 0, "a": 1, "b": 2, "é": 3},
            "run": Call("posix.system", f"touch {self.folder / 'ran'}")})
        model, report = self.imported(file)
        self.assertIn("calls in the file that were not run: posix.system", report)
        self.assertFalse((self.folder / "ran").exists())
        self.assert_scores(model, "abé\na\n", log_probs("gru", encoder, layers, decoder, bias, [0, 1, 2, 3, 0, 1, 0]))

    def test_layers_of_different_widths_with_raw_weights_in_a_list(self):
        dice = seeded(3)
        encoder, bias = random_tensor(dice, 5, 4), random_tensor(dice, 5)
        layers = [layer(dice, 4, 7, 4), layer(dice, 7, 5, 4), layer(dice, 5, 4, 4)]
        rnns = {}
        for l, tensors in enumerate(layers):
            named = {f"{name}_l0": tensor for name, tensor in tensors.items()}
            named["weight_hh_l0_raw"] = named.pop("weight_hh_l0")
            stale = random_tensor(dice, *tensors["weight_hh"].shape)
            lstm = module("torch.nn.modules.rnn.LSTM", {**named, "weight_hh_l0": stale}, mode="LSTM",
                          flatten_parameters=Call("builtins.getattr", torch_class("builtins.object"), "widget"))
            rnns[str(l)] = module("weight_drop.WeightDrop", {}, {"module": lstm})
        network = module("model.RNNModel", {}, {
            "lockdrop": module("locked_dropout.LockedDropout"),
            "encoder": module("torch.nn.modules.sparse.Embedding", {"weight": encoder}),
            "rnns": module("torch.nn.modules.container.ModuleList", {}, rnns),
            "decoder": module("torch.nn.modules.linear.Linear", {"weight": encoder, "bias": bias})})
        file = legacy_file(self.folder / "model.pt", [network, Call("torch.optim.SGD"), None])
        vocabulary = self.write("vocab.txt", "<unk>\n<eos>\nthe\ncat\nsat\n")
        model, _ = self.imported(file, "--vocab", vocabulary)
        expected = log_probs("lstm", encoder, layers, encoder, bias, [1, 2, 3, 4, 1])
        self.assert_scores(model, "the cat sat\n", expected)

    def test_one_hot_inputs_over_printable_characters(self):
        dice = seeded(4)
        decoder, bias = random_tensor(dice, 100, 6), random_tensor(dice, 100)
        layers = [layer(dice, 100, 6, 1)]
        state = {f"rnn.{name}_l0": tensor for name, tensor in layers[0].items()}
        state.update({"linear.weight": decoder, "linear.bias": bias})
        file = zip_file(self.folder / "model.pt", {"args": {"nonlinearity": "relu"}, "state_dict": state})
        model, report = self.imported(file, "--vocab", "printable")
        self.assertIn("the identity, since inputs are one-hot", report)
        ids = [string.printable.index(c) for c in "\nHi, you\n"]
        self.assert_scores(model, "Hi, you\n", log_probs("relu", None, layers, decoder, bias, ids))

    def test_safetensors_of_a_cell_without_a_boundary(self):
        dice = seeded(5)
        encoder, decoder, bias = (random_tensor(dice, *shape, kind="BFloat16") for shape in ((3, 2), (3, 4), (3,)))
        layers = [layer(dice, 2, 4, 4, "Float")]
        tensors = {"embedding.weight": encoder, "head.weight": decoder, "head.bias": bias}
        for name, tensor in layers[0].items():
            rows = tensor.numbers()
            tensors[f"cell.{name}"] = Tensor.of(rows)
        header, data = {}, b""
        for name, tensor in tensors.items():
            stored = tensor.storage.bytes()
            header[name] = {"dtype": {"Float": "F32", "BFloat16": "BF16"}[tensor.storage.kind],
                            "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(stored)]}
            data += stored
        text = json.dumps(header).encode()
        file = self.folder / "x.safetensors"
        file.write_bytes(struct.pack("<Q", len(text)) + text + data)
        vocabulary = self.write("vocab.json", json.dumps({"a": 0, "b": 1, "c": 2}))
        model, report = self.imported(file, "--vocab", vocabulary)
        self.assertIn("no symbol ends lines", report)
        self.assert_scores(model, "abca", log_probs("lstm", encoder, layers, decoder, bias, [0, 1, 2, 0]), "reset")

        self.fail_with(2, "begin", "import", file, "--vocab", vocabulary, "--begin", "boundary", "--save", model,
                       "--overwrite")
        self.fail_with(2, "--overwrite", "import", file, "--vocab", vocabulary, "--save", model)
        self.fail_with(1, "give --vocab", "import", file, "--save", self.folder / "other")
        self.assertFalse((self.folder / "other").exists())

    def fail_with(self, status, words, *arguments):
        done = run(*arguments)
        self.assertEqual(done.status, status, done.err)
        self.assertIn(words, done.err)


if __name__ == "__main__":
    main()
