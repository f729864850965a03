#!/usr/bin/env python3
"""`unroll features`: cli/cli_features.py UNROLL"""

import array
import ast
import gzip
import json
import pathlib
import sys

from command_line import SMALL, CommandTest, main, run

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import read_model  # noqa: E402


def read_npy(content):
    """The rows of a .npy file of float32, by the format's description."""
    if content[:8] != b"\x93NUMPY\x01\x00":
        raise AssertionError(f"a file begins with {content[:8]}")
    end = 10 + int.from_bytes(content[8:10], "little")
    if end % 64 != 0 or content[end - 1 : end] != b"\n":
        raise AssertionError(f"the header ends at byte {end}")
    header = ast.literal_eval(content[10:end].decode("ascii"))
    if set(header) != {"descr", "fortran_order", "shape"} or header["fortran_order"]:
        raise AssertionError(f"the header is {header}")
    rows, columns = header["shape"]
    numbers = array.array("f", content[end:])
    if (header["descr"][0] == "<") != (sys.byteorder == "little"):
        numbers.byteswap()
    if header["descr"][1:] != "f4" or len(numbers) != rows * columns:
        raise AssertionError(f"{len(numbers)} numbers of {header}")
    return [list(numbers[r * columns : (r + 1) * columns]) for r in range(rows)]


def as_floats(numbers):
    return array.array("f", numbers).tolist()


def table_rows(text):
    """(fields, numbers) of each row of a table, and its names."""
    lines = [line.split("\t") for line in text.splitlines()]
    count = lines[0].index("h1")
    return lines[0], [(line[:count], [float(field) for field in line[count:]]) for line in lines[1:]]


class Features(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.language = cls.make_model("language.safetensors", "--layers", "2", "--residual", "--embed", "5",
                                      "--tokenizer", "whitespace")
        labelled, tagged = cls.shared / "labelled", cls.shared / "tagged.conllu"
        labelled.write_text("".join(f"__label__{'ab'[i % 2]} the {['cat', 'mat'][i % 2]} sat {i}\n"
                                    for i in range(24)))
        rest = "\t_" * 6 + "\n"
        tagged.write_text("".join(f"1\tthe\t_\tD{rest}2\tr\u00e4t\t_\tN{rest}3\tsat{i}\t_\tV{rest}\n"
                                  for i in range(24)), encoding="utf-8")
        cls.classifier = cls.train("classify", labelled, "--readout", "concat", "--tokenizer", "whitespace",
                                   "--layers", "2")
        cls.tagger = cls.train("tag", tagged, "--chars", "3")
        cls.tagged = tagged

    @classmethod
    def train(cls, task, data, *flags):
        model = cls.shared / f"{task}.safetensors"
        done = run("train", "--task", task, data, "--save", model, "--steps", "3", "--batch-size", "4", "--hidden", "5",
                   "--embed", "4", "--quiet", *flags)
        if done.status != 0:
            raise AssertionError(f"training ended with {done.status}: {done.err}")
        return model

    def expect_near(self, rows, expected):
        self.assertEqual([len(row) for row in rows], [len(row) for row in expected])
        for row, wanted in zip(rows, expected):
            for a, b in zip(row, wanted):
                self.assertAlmostEqual(a, b, delta=2e-6)

    def test_states_of_a_language_model_are_those_of_plain_loops_in_every_form(self):
        metadata, tensors = read_model.read_model(self.language)
        lines = ["the cat sees the night.", "", "no such word", "the king"]
        text = self.write("lines.txt.gz", gzip.compress("\n".join(lines).encode()))
        expected = []
        for line in lines:
            ids = read_model.ids_of(metadata["tokenizer"], line)
            reader = read_model.Reader(metadata, tensors)
            for symbol in [read_model.special_symbols(metadata["tokenizer"])[0], *ids][: len(ids) + 1]:
                reader.read(symbol)
                expected.append([a + b for a, b in zip(reader.state[0][0], reader.state[1][0])])
            del expected[-len(ids) - 1]
        save, about = self.folder / "states.npy", self.folder / "about.tsv"
        done = self.succeed("features", self.language, text, "--save", save, "--rows", about)
        self.assertEqual(done.out, "")
        self.assertIn("layer 2 of 2: 10 rows of 8 numbers, of 4 texts", done.err)
        rows = read_npy(save.read_bytes())
        self.expect_near(rows, expected)

        table = self.succeed("features", self.language, "-", "--quiet", stdin="\n".join(lines).encode()).out
        names, numbers = table_rows(table)
        self.assertEqual(names, ["text", "place", "symbol", *[f"h{i}" for i in range(1, 9)]])
        self.assertEqual([as_floats(row) for _, row in numbers], rows)
        words = [[str(i), str(k), word] for i, line in enumerate(lines, 1) for k, word in enumerate(line.split(), 1)]
        self.assertEqual([fields for fields, _ in numbers], words)
        self.assertEqual([line.split("\t") for line in about.read_text().splitlines()[1:]], words)

        array_at_once = self.succeed("features", self.language, text, "--save", "-").raw
        self.assertEqual(array_at_once, save.read_bytes())
        objects = [json.loads(line) for line in
                   self.succeed("features", self.language, text, "--json", "--threads", "1").out.splitlines()]
        self.assertEqual([[str(row["text"]), str(row["place"]), row["symbol"]] for row in objects], words)
        self.assertEqual([row["state"] for row in objects], [row for _, row in numbers])

    def test_layer_zero_is_the_embedding_and_a_table_is_saved_too(self):
        metadata, tensors = read_model.read_model(self.language)
        save = self.folder / "embedded.tsv"
        self.succeed("features", self.language, "--layer", "0", "--save", save, "--quiet", stdin=b"the cat\n")
        _, rows = table_rows(save.read_text())
        ids = read_model.ids_of(metadata["tokenizer"], "the cat")
        self.expect_near([row for _, row in rows], [read_model.row_of(tensors["encoder.weight"], i) for i in ids])

    def test_vectors_of_texts_are_what_a_classifier_answers_from(self):
        metadata, tensors = read_model.read_model(self.classifier)
        texts = ["the cat sat", "", "mat " * 300]
        boundary = read_model.special_symbols(metadata["tokenizer"])[0]
        outputs = [read_model.run_levels(metadata["config"], tensors, [
            read_model.row_of(tensors["encoder.weight"], i)
            for i in [*read_model.ids_of(metadata["tokenizer"], text), boundary]]) for text in texts]
        data = self.write("texts.csv", "body\n" + "".join(f'"{text}"\n' for text in texts))
        flags = ["--text-column", "body", "--per", "text", "--quiet"]
        own = self.succeed("features", self.classifier, data, *flags, "--save", "-")
        self.expect_near(read_npy(own.raw), [read_model.readout(metadata["config"], tensors, rows) for rows in outputs])
        names, rows = table_rows(self.succeed("features", self.classifier, data, *flags, "--readout", "mean").out)
        self.assertEqual((names[0], len(names), [fields for fields, _ in rows]), ("text", 11, [["1"], ["2"], ["3"]]))
        mean = read_model.readout({**metadata["config"], "readout": "mean"}, tensors, outputs[2])
        self.expect_near([rows[2][1]], [mean])

    def test_states_of_a_tagger_are_rows_of_words(self):
        metadata, tensors = read_model.read_model(self.tagger)
        save, about = self.folder / "words.npy", self.folder / "words.tsv"
        self.succeed("features", self.tagger, self.tagged, "--save", save, "--rows", about, "--layer", "0", "--quiet")
        rows = read_npy(save.read_bytes())
        self.assertEqual(len(rows), 72)
        self.expect_near(rows[:2], [read_model.word_vector(metadata, tensors, word) for word in ("the", "r\u00e4t")])
        self.assertEqual(about.read_text(encoding="utf-8").splitlines()[:3], ["text\tplace\tsymbol", "1\t1\tthe",
                                                                           "1\t2\tr\u00e4t"])
        _, printed = table_rows(self.succeed("features", self.tagger, stdin="the r\u00e4t\n\nsat\n".encode()).out)
        self.assertEqual([fields for fields, _ in printed],
                         [["1", "1", "the"], ["1", "2", "r\u00e4t"], ["3", "1", "sat"]])
        outputs = read_model.run_levels(metadata["config"], tensors,
                                        [read_model.word_vector(metadata, tensors, word) for word in ("the", "r\u00e4t")])
        self.expect_near([row for _, row in printed[:2]], outputs)

    def test_an_array_of_no_rows_and_what_cannot_be_written(self):
        self.assertEqual(read_npy(self.succeed("features", self.language, "--save", "-", stdin=b"").raw), [])
        save = self.write("there.npy", "x")
        bad = self.write("bad.txt", b"the cat\n\xff\n")
        self.refuse(2, ["exists", "--overwrite"], "features", self.language, bad, "--save", save)
        self.refuse(1, ["'", "bad.txt', line 2"], "features", self.language, bad, "--save", save, "--overwrite")
        self.assertEqual(save.read_text(), "x")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["bad.txt", "there.npy"])
        self.refuse(2, ["--layer is 3: expected 0"], "features", self.language, bad, "--layer", "3")
        self.refuse(2, [".npy or .tsv"], "features", self.language, bad, "--save", "states.txt")
        self.refuse(2, ["--rows is for --save"], "features", self.language, bad, "--rows", "rows")


if __name__ == "__main__":
    main()
