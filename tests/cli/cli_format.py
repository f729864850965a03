#!/usr/bin/env python3
"""A model file that another program wrote by docs/format.md alone, with a vocabulary of neither <unk> nor line end.

The writer here shares nothing with unroll but that page, and XXH64. What unroll says of the model is compared with
tools/read_model.py, which runs it in plain loops.
"""

import array
import json
import pathlib
import random
import struct
import sys

from command_line import CommandTest, main, rows

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import read_model  # noqa: E402

LETTERS = "abcdeé"
SIZES = {"vocabulary": len(LETTERS), "embed": 4, "hidden": 5, "layers": 2}
TEXT = "abé\n\nd\nedcba\nabba\n"


def random_tensors(seed):
    """The tensors of a GRU, of random numbers."""
    dice = random.Random(seed)
    V, E, H = SIZES["vocabulary"], SIZES["embed"], SIZES["hidden"]
    shapes = {"encoder.weight": [V, E]}
    for layer in range(SIZES["layers"]):
        shapes[f"rnn.weight_ih_l{layer}"] = [3 * H, H if layer else E]
        shapes[f"rnn.weight_hh_l{layer}"] = [3 * H, H]
        shapes[f"rnn.bias_ih_l{layer}"] = [3 * H]
        shapes[f"rnn.bias_hh_l{layer}"] = [3 * H]
    shapes |= {"decoder.weight": [V, H], "decoder.bias": [V]}
    sizes = {name: shape[0] * (shape[1] if len(shape) == 2 else 1) for name, shape in shapes.items()}
    return {name: (shape, array.array("f", [dice.uniform(-0.9, 0.9) for _ in range(sizes[name])]))
            for name, shape in shapes.items()}


def file_of(tensors, metadata):
    """The bytes of a model file."""
    header, data = {"__metadata__": {**metadata, "checksum": "0" * 16}}, b""
    for name, (shape, values) in tensors.items():
        content = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    checksum = f"{read_model.xxh64(text + data):016x}".encode("ascii")
    return struct.pack("<Q", len(text)) + text.replace(b'"checksum":"' + b"0" * 16, b'"checksum":"' + checksum) + data


def metadata_of(**changed):
    return {"format": "unroll/3", "precision": "f32", "policy": '{"begin":"none"}',
            "config": json.dumps({"cell": "gru", "tied": False, **SIZES}),
            "tokenizer": json.dumps({"kind": "char", "lowercase": False, "symbols": list(LETTERS)}),
            "training": '{"options":{},"complete":true}', "history": "[]", **changed}


class WrittenByThePage(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.shared / "foreign.safetensors"
        cls.model.write_bytes(file_of(random_tensors(1), metadata_of()))
        cls.metadata, cls.tensors = read_model.read_model(cls.model)
        cls.text = cls.shared / "open.txt"
        cls.text.write_text(TEXT, encoding="utf-8")
        cls.scores = [read_model.score_line(cls.metadata, cls.tensors, line) for line in TEXT.splitlines()]

    def test_is_scored_as_plain_loops_score_it(self):
        done = self.succeed("score", self.model, self.text)
        self.assertIn("state reset; begin none (the first token is given); end none; unknown refused", done.out)
        found = [row.split("\t") for row in rows(done.out)]
        self.assertEqual([int(row[1]) for row in found], [2, 0, 0, 4, 3])
        for (log_prob, predictions), row in zip(self.scores, found, strict=True):
            self.assertAlmostEqual(float(row[0]), log_prob, 5)
            self.assertEqual(int(row[1]), predictions)

    def test_rows_of_given_tokens_have_no_numbers(self):
        for dialect, expected in [
            ("tokens", ["NA\tNA\tNA\ta", r"-\S+\t\d+\t\S+\tb", r"-\S+\t\d+\t\S+\té"]),
            ("surprisal", ["sentence_id\ttoken_id\ttoken\tsurprisal", "1\t1\ta\tNA", r"1\t2\tb\t\d+\.\S+"]),
            ("json", [r'\{"text":"abé",.*"tokens":\[\{"text":"a","log_prob":null,"rank":null,"entropy":null,'
                      r'"offset":0\},\{"text":"b","log_prob":-.*,"rank":\d,"entropy":\d.*\}\]\}']),
        ]:
            done = self.succeed("score", self.model, self.text, "--format", dialect, "--quiet")
            for row, pattern in zip(rows(done.out), expected):
                self.assertRegex(row, f"^{pattern}$")

    def test_is_evaluated_line_by_line(self):
        result = json.loads(self.succeed("eval", self.model, self.text, "--json").out)
        self.assertEqual((result["tokens"], result["state"], result["begin"]), (9, "reset", "none"))
        self.assertEqual((result["comparable"], result["end"]), (False, False))
        self.assertAlmostEqual(result["nats_per_token"], -sum(score for score, _ in self.scores) / 9, 5)

    def test_writes_the_most_probable_characters_from_the_zero_state(self):
        reader = read_model.Reader(self.metadata, self.tensors)
        expected = "ba"
        for read in LETTERS.index("b"), LETTERS.index("a"):
            log_probs = reader.read(read)
        for _ in range(30):
            best = max(range(len(LETTERS)), key=log_probs.__getitem__)
            expected += LETTERS[best]
            log_probs = reader.read(best)
        done = self.succeed("generate", self.model, "--prompt", "ba", "--temperature", "0", "--length", "30")
        self.assertEqual(done.out, expected + "\n")

    def test_refuses_what_it_cannot_do_and_says_where(self):
        other = self.write("other.txt", "abc\nabxa\n")
        for words, command in [
            (["line 2, column 3: the character \"x\" is not in the vocabulary"], ("eval", self.model, other)),
            (["--state is carry", "expected reset"], ("eval", self.model, self.text, "--state", "carry")),
            (["--begin is boundary", "expected none"], ("score", self.model, self.text, "--begin", "boundary")),
            (["the prompt is empty", "--begin"], ("generate", self.model)),
            (["the probability of words needs"], ("score", self.model, self.text, "--words")),
        ]:
            usage = any(flag in command for flag in ("--state", "--begin", "--words"))
            self.refuse(2 if usage else 1, words, *command)
        done = self.succeed("inspect", self.model)
        for part in "boundary      none", "unknown       none", "begin         none":
            self.assertIn(part, done.out)

    def test_stays_what_it_is_when_it_is_rounded(self):
        rounded = self.folder / "rounded.safetensors"
        self.succeed("convert", self.model, "--precision", "int8", "--save", rounded, "--quiet")
        metadata, tensors = read_model.read_model(rounded)
        self.assertEqual([metadata[key] for key in ("format", "precision", "policy")],
                         ["unroll/3", "int8", {"begin": "none"}])
        row = rows(self.succeed("score", rounded, self.text, "--quiet").out)[3]
        self.assertAlmostEqual(float(row.split("\t")[0]), read_model.score_line(metadata, tensors, "edcba")[0], 1)

    def test_must_say_what_its_format_requires(self):
        without_unk = json.dumps({"kind": "char", "lowercase": False, "symbols": list("\nabcde")})
        for words, changed in [
            (['"<unk>" is missing; only a file of format unroll/3 may lack it'],
             {"format": "unroll/1", "tokenizer": without_unk}),
            (['has begin "boundary", but the vocabulary has no symbol for the end of a line'],
             {"policy": '{"begin":"boundary"}'}),
        ]:
            metadata = metadata_of(**changed)
            if metadata["format"] == "unroll/1":
                del metadata["policy"], metadata["precision"]
            path = self.write("wrong.safetensors", file_of(random_tensors(1), metadata))
            self.refuse(1, words, "inspect", path)


class TrainedToBeginWithNothing(CommandTest):
    def test_is_kept_by_the_file_and_can_be_overridden(self):
        model = self.make_model("none.safetensors", "--begin", "none", "--state", "reset")
        metadata, tensors = read_model.read_model(model)
        self.assertEqual((metadata["format"], metadata["policy"]), ("unroll/3", {"begin": "none"}))
        self.assertEqual(metadata["training"]["options"]["begin"], "none")
        line = self.text.read_text(encoding="utf-8").splitlines()[0]
        text = self.write("line.txt", line + "\n")
        own = rows(self.succeed("score", model, text, "--quiet").out)[0].split("\t")
        log_prob, predictions = read_model.score_line(metadata, tensors, line)
        self.assertAlmostEqual(float(own[0]), log_prob, 4)
        self.assertEqual((int(own[1]), predictions), (len(line), len(line)))
        metadata["policy"] = {"begin": "boundary"}
        other = rows(self.succeed("score", model, text, "--begin", "boundary", "--quiet").out)[0].split("\t")
        self.assertAlmostEqual(float(other[0]), read_model.score_line(metadata, tensors, line)[0], 4)
        self.assertEqual(int(other[1]), len(line) + 1)

    def test_writes_the_files_of_before_where_nothing_is_needed(self):
        plain = self.make_model("plain.safetensors")
        said = self.make_model("said.safetensors", "--begin", "boundary")
        self.assertEqual(plain.read_bytes(), said.read_bytes())
        content = plain.read_bytes()
        header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])["__metadata__"]
        self.assertEqual((header["format"], sorted(header)),
                         ("unroll/1", ["checksum", "config", "format", "history", "tokenizer", "training"]))


if __name__ == "__main__":
    main()
