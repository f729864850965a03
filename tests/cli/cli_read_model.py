#!/usr/bin/env python3
"""tools/read_model.py reads what `unroll train` writes, and refuses what is damaged: cli/cli_read_model.py UNROLL"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

UNROLL = sys.argv[1]
TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOOLS))
import read_model  # noqa: E402

TEXT = "the cat sat on the mat, the rat sat on the cat, and the mat lay flat\n" * 30


def train(folder, name, *flags):
    path = folder / name
    subprocess.run([UNROLL, "train", folder / "text", "--save", path, "--steps", "4", "--batch-size", "2", "--bptt", "8",
                    "--quiet", *flags], check=True, capture_output=True)
    return path


class ReadModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "text").write_text(TEXT, encoding="utf-8")
        cls.model = train(cls.folder, "lstm.safetensors", "--cell", "lstm", "--hidden", "7", "--embed", "5", "--layers", "2")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def run_script(self, path, *flags):
        return subprocess.run([sys.executable, "-B", TOOLS / "read_model.py", path, *flags], capture_output=True, text=True)

    def changed(self, change):
        content = bytearray(self.model.read_bytes())
        change(content)
        path = self.folder / "changed.safetensors"
        path.write_bytes(content)
        return path

    def test_checksum_agrees_with_published_values(self):
        for text, expected in ((b"", 0xEF46DB3751D8E999), (b"a", 0xD24EC4F1A98C6E5B), (b"abc", 0x44BC2CF5AD770999),
                               (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1)):
            self.assertEqual(read_model.xxh64(text), expected, text)

    def test_reads_what_inspect_says(self):
        inspected = subprocess.run([UNROLL, "inspect", self.model, "--json"], check=True, capture_output=True, text=True)
        inspected = json.loads(inspected.stdout)
        metadata, tensors = read_model.read_model(self.model)
        self.assertEqual(metadata["config"], inspected["config"])
        self.assertEqual(metadata["history"], inspected["training"]["history"])
        self.assertEqual(metadata["training"]["options"], inspected["training"]["options"])
        self.assertEqual(metadata["tokenizer"]["symbols"], inspected["tokenizer"]["vocabulary"])
        self.assertEqual([(name, shape) for name, (shape, _) in tensors.items()],
                         [(tensor["name"], tensor["shape"]) for tensor in inspected["tensors"]])
        self.assertEqual(sum(len(values) for _, values in tensors.values()), inspected["parameters"])

    def score(self, model, line):
        """What unroll says of a line: log-probability and predictions."""
        done = subprocess.run([UNROLL, "score", model, "--quiet"], input=line + "\n", check=True, capture_output=True,
                              text=True)
        log_prob, predictions = done.stdout.splitlines()[-1].split("\t")[:2]
        return float(log_prob), int(predictions)

    def test_reads_every_cell_tied_weights_and_bytes_and_scores_as_unroll_does(self):
        for cell in ("rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "min-gru", "min-lstm"):
            path = train(self.folder, cell + "-tied.safetensors", "--cell", cell, "--hidden", "6", "--tied",
                         "--tokenizer", "byte")
            metadata, tensors = read_model.read_model(path)
            self.assertEqual((metadata["config"]["cell"], metadata["config"]["vocabulary"]), (cell, 256))
            self.assertNotIn("decoder.weight", tensors)
            log_prob, predictions = self.score(path, "the c\u00e4t")
            found = read_model.score_line(metadata, tensors, "the c\u00e4t")
            self.assertAlmostEqual(found[0], log_prob, 4, cell)
            self.assertEqual(found[1], predictions)

    def test_reads_an_adaptive_softmax(self):
        path = train(self.folder, "adaptive.safetensors", "--hidden", "16", "--softmax", "adaptive", "--cutoffs", "4,9")
        inspected = subprocess.run([UNROLL, "inspect", path, "--json"], check=True, capture_output=True, text=True)
        inspected = json.loads(inspected.stdout)
        metadata, tensors = read_model.read_model(path)
        self.assertEqual(metadata["config"]["cutoffs"], [4, 9])
        self.assertEqual(metadata["config"], inspected["config"])
        self.assertEqual([(name, shape) for name, (shape, _) in tensors.items()],
                         [(tensor["name"], tensor["shape"]) for tensor in inspected["tensors"]])
        self.assertEqual(tensors["decoder.head.weight"][0], [6, 16])
        self.assertEqual(tensors["decoder.tail.1.0.weight"][0], [1, 16])

    def test_reads_normalised_models(self):
        for cell in ("rnn-tanh", "lstm", "gru"):
            path = train(self.folder, cell + "-norm.safetensors", "--cell", cell, "--hidden", "6", "--layer-norm")
            metadata, tensors = read_model.read_model(path)
            self.assertIs(metadata["config"]["layer_norm"], True)
            inspected = subprocess.run([UNROLL, "inspect", path, "--json"], check=True, capture_output=True, text=True)
            self.assertEqual(metadata["config"], json.loads(inspected.stdout)["config"])
            self.assertEqual([name for name in tensors if "_c_" in name],
                             ["rnn.norm_c_l0", "rnn.bias_c_l0"] if cell == "lstm" else [])

    def test_reads_rounded_models_as_the_numbers_that_they_stand_for(self):
        _, before = read_model.read_model(self.model)
        for precision, share in (("bf16", 1 / 256), ("int8", 1 / 254)):
            path = self.folder / f"{precision}.safetensors"
            subprocess.run([UNROLL, "convert", self.model, "--precision", precision, "--save", path], check=True,
                           capture_output=True)
            metadata, after = read_model.read_model(path)
            self.assertEqual(metadata["precision"], precision)
            self.assertEqual(list(after), list(before))
            for name, (shape, values) in after.items():
                self.assertEqual(shape, before[name][0])
                if len(shape) == 1:
                    self.assertEqual(values, before[name][1])
                    continue
                self.assertNotEqual(values, before[name][1])
                for row in range(shape[0]):
                    there = slice(row * shape[1], (row + 1) * shape[1])
                    largest = max(map(abs, before[name][1][there]))
                    for rounded, value in zip(values[there], before[name][1][there]):
                        self.assertLessEqual(abs(rounded - value), 1.001 * share * largest, name)
            self.assertIn(f"precision  {precision}", self.run_script(path).stdout)
            content = bytearray(path.read_bytes())
            content[-3] ^= 1
            path.write_bytes(content)
            self.assertEqual(self.run_script(path).returncode, 1)

    def test_scores_the_lines_of_a_text(self):
        path = train(self.folder, "deep.safetensors", "--layers", "3", "--residual", "--hidden", "6", "--embed", "5",
                     "--tied", "--tokenizer", "whitespace")
        text = self.folder / "lines"
        text.write_text("the cat flew\n\non the mat\n", encoding="utf-8")
        done = self.run_script(path, "--score", text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual([row[1:] for row in found], [["4", "the cat flew"], ["1", ""], ["4", "on the mat"]])
        self.assertAlmostEqual(float(found[0][0]), self.score(path, "the cat flew")[0], 4)

    def train_task(self, name, task, data, *flags):
        path = self.folder / name
        subprocess.run([UNROLL, "train", "--task", task, data, "--save", path, "--steps", "3", "--batch-size", "4",
                        "--hidden", "5", "--embed", "4", "--quiet", "--overwrite", *flags], check=True,
                       capture_output=True)
        return path

    def test_classifies_as_unroll_does(self):
        data, text = self.folder / "labelled", self.folder / "new"
        data.write_text("".join(f"__label__{'ab'[i % 2]} the {['cat', 'mat'][i % 2]} sat {i}\n" for i in range(24)))
        text.write_text("The cat sat\n\nnobody knows\n" + "mat the cat " * 150 + "\n")
        for i, readout in enumerate(("concat", "attention", "last", "max", "mean")):
            cell = ("lstm", "gru", "min-gru", "min-lstm", "rnn-tanh")[i]
            path = self.train_task("c.safetensors", "classify", data, "--readout", readout, "--cell", cell, "--layers",
                                   "2", "--residual", "--tokenizer", "whitespace",
                                   *(["--bidirectional=false", "--average", "none"] if cell == "min-gru" else []),
                                   *(["--chars", "3"] if cell in ("gru", "min-lstm") else []))
            self.assertEqual(b"_reverse" in path.read_bytes(), cell != "min-gru")
            lines = subprocess.run([UNROLL, "classify", path, text, "--all"], check=True, capture_output=True,
                                   text=True).stdout.splitlines()
            mine = self.run_script(path, "--no-checksum", "--classify", text).stdout.splitlines()
            self.assertEqual(len(mine), len(lines))
            for theirs, ours in zip(lines, mine):
                fields = theirs.split("\t")
                theirs = dict(zip(fields[::2], map(float, fields[1::2])))
                for label, p in (pair.split(" ") for pair in ours.split("\t")):
                    self.assertAlmostEqual(float(p), theirs[label], delta=2e-6, msg=f"{readout} {cell}")

    def test_tags_as_unroll_does(self):
        data, text = self.folder / "tagged", self.folder / "words"
        nouns = ("cat", "r\u00e4t", "mat")
        data.write_text("".join(f"the D\n{nouns[i % 3]} N\nsat{i} V\n\n" for i in range(24)), encoding="utf-8")
        text.write_text("the cat sat\nthe unheard-of r\u00e4t " + "mat sat the " * 100 + "\n",
                        encoding="utf-8")
        for cell, transitions in (("lstm", "crf"), ("gru", "none")):
            path = self.train_task("t.safetensors", "tag", data, "--cell", cell, "--transitions", transitions, "--chars",
                                   "3", "--lr", "0.05")
            theirs = subprocess.run([UNROLL, "tag", path, text, "--format", "text"], check=True, capture_output=True,
                                    text=True).stdout
            mine = self.run_script(path, "--no-checksum", "--tag", text).stdout
            self.assertEqual(mine, theirs)

    def test_prints_for_people(self):
        result = self.run_script(self.model)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for part in ('"cell": "lstm"', "rnn.weight_hh_l1", "28 x 7", "complete"):
            self.assertIn(part, result.stdout)

    def test_refuses_a_changed_weight_unless_told_to_skip_the_checksum(self):
        def change(content):
            content[-3] ^= 1

        path = self.changed(change)
        result = self.run_script(path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("changed after it was written", result.stderr)
        self.assertEqual(self.run_script(path, "--no-checksum").returncode, 0)

    def test_refuses_a_file_that_is_cut_short_or_holds_more_even_without_the_checksum(self):
        def cut(content):
            del content[-4:]

        def grow(content):
            content.extend(b"1234")

        def lengthen(content):
            content[:8] = struct.pack("<Q", len(content))

        for change in (cut, grow, lengthen, bytearray.clear):
            result = self.run_script(self.changed(change), "--no-checksum")
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_refuses_other_files(self):
        for path in (self.folder / "text", self.folder / "absent", self.folder):
            result = self.run_script(path)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
