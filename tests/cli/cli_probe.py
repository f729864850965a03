#!/usr/bin/env python3
"""`unroll probe`: cli/cli_probe.py UNROLL"""

import array
import json

from command_line import CommandTest, main

WORDS = {"cat": "N", "dog": "N", "king": "N", "sees": "V", "finds": "V", "holds": "V", "the": "D"}


def npy(rows):
    """A .npy file of these rows, as double."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}".ljust(117) + "\n"
    numbers = array.array("d", [number for row in rows for number in row])
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + numbers.tobytes()


class Probe(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("words.safetensors", "--tokenizer", "whitespace")
        names = sorted(WORDS)
        sentences = [[names[(5 * i // 7**k + k) % 7] for k in range(4)] for i in range(120)]
        cls.tagged = cls.shared / "tagged.conllu"
        rest = "\t_" * 6 + "\n"
        cls.tagged.write_text("".join("".join(f"{k}\t{word}\t_\t{WORDS[word]}{rest}"
                                              for k, word in enumerate(words, 1)) + "\n" for words in sentences))
        cls.labelled = cls.shared / "labelled.txt"
        cls.labelled.write_text("".join(f"__label__{WORDS[words[-1]]} {' '.join(words)} {i}\n"
                                        for i, words in enumerate(sentences)))

    def test_tagged_words_are_probed_under_a_language_model(self):
        done = self.succeed("probe", self.model, self.tagged, "--control", "--threads", "1")
        lines = [line.split() for line in done.out.splitlines()]
        self.assertEqual(lines[0], ["layer", "numbers", "L2", "accuracy", "95%", "interval", "nats", "control",
                                    "selectivity"])
        self.assertEqual([line[0] for line in lines[1:]], ["0", "1", "majority"])
        self.assertGreater(float(lines[1][3]), 0.9)  # the embedding of a word tells its tag
        self.assertIn("fitted to 388 rows; L2 chosen on 44, tested on 48", done.err)
        told = json.loads(self.succeed("probe", self.model, self.tagged, "--control", "--json", "--quiet").out)
        self.assertEqual([f"{layer['accuracy']['share']:.4f}" for layer in told["layers"]],
                         [line[3] for line in lines[1:3]])
        self.assertEqual([f"{layer['selectivity']:.4f}" for layer in told["layers"]], [line[-1] for line in lines[1:3]])
        self.assertEqual((told["train"], told["test"], told["labels"]), (388, 48, ["D", "N", "V"]))

    def test_labelled_texts_are_probed_and_tested_on_a_file(self):
        valid = self.write("valid.txt", "__label__N the king\n__label__X the dog\n__label__V king sees\n")
        done = self.succeed("probe", self.model, self.labelled, "--valid", valid, "--readout", "last")
        self.assertIn("the labels of 1 rows to test on do not occur in training", done.err)
        told = json.loads(self.succeed("probe", self.model, self.labelled, "--valid", valid, "--readout", "last",
                                       "--json", "--quiet", "--threads", "1").out)
        self.assertEqual((told["test"], told["unknown"], told["layers"][0]["accuracy"]["of"]), (3, 1, 3))
        self.assertLessEqual(told["layers"][0]["accuracy"]["hits"], 2)

    def test_rows_of_other_programs_are_probed_with_a_label_for_each(self):
        rows = self.write("rows.npy", npy([[i % 5, i, 7] for i in range(60)]))
        labels = ["low" if i % 5 < 2 else "high" for i in range(60)]
        table = "text\tlabel\r\n" + "".join(f"{i}\t{label}\r\n" for i, label in enumerate(labels))
        files = [self.write("labels.txt", "\n".join(labels)), self.write("labels.tsv", table)]
        told = [json.loads(self.succeed("probe", rows, file, "--json", "--quiet").out) for file in files]
        self.assertEqual(told[0], told[1])
        self.assertEqual((told[0]["layers"][0]["accuracy"]["share"], told[0]["layers"][0]["numbers"]), (1.0, 3))
        self.refuse(1, ["2 labels for 60 rows"], "probe", rows, self.write("few.txt", "a\nb\n"))
        self.refuse(1, ["few.txt', line 2: no label"], "probe", rows, self.write("few.txt", "a\n\nb\n"))
        self.refuse(1, ["is no .npy file"], "probe", self.write("no.npy", "numbers"), self.labelled)
        self.refuse(2, ["which FILE?"], "probe", self.model)


if __name__ == "__main__":
    main()
