#!/usr/bin/env python3
"""`unroll classify`: cli/cli_classify.py UNROLL"""

import json
import os
import pty
import subprocess

import command_line
from command_line import CommandTest, main, run

GOOD = ["great", "fine", "lovely"]
BAD = ["dull", "awful", "weak"]


NOUNS = ["film", "story", "cast", "music", "scene", "end", "hero", "plot", "start", "idea", "mood"]


def review(number):
    words = "the", NOUNS[number % 11], ["is", "was so"][number // 6 % 2], (GOOD + BAD)[number % 6]
    return ("good" if number % 6 < 3 else "bad"), " ".join(words)


def numbers(line):
    return [float(field) for field in line.split("\t")[1::2]]


class Classify(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.shared / "reviews.txt"
        rows = [review(number) for number in range(60)]
        cls.data.write_text("".join(f"__label__{label} {text}\n" for label, text in rows), encoding="utf-8")
        cls.model = cls.train("reviews.safetensors", cls.data, "--seed", "1")

    @classmethod
    def train(cls, name, data, *flags):
        model = cls.shared / name
        done = run("train", data, "--task", "classify", "--save", model, "--hidden", "4", "--embed", "8", "--lr", "0.1",
                   "--epochs", "10", "--dropout-input", "0.5", "--quiet", *flags)
        if done.status != 0:
            raise AssertionError(done.err)
        return model

    def test_each_line_gets_one_line_wherever_it_stands(self):
        text = b"the film is great\n\nthe plot was so dull\r\nxyzzy"
        done = self.succeed("classify", self.model, stdin=text)
        lines = done.out.split("\n")
        self.assertEqual(len(lines), 5)
        self.assertEqual([line.split("\t")[0] for line in lines[:3:2]], ["good", "bad"])
        self.assertIn("1 of 10 tokens are unknown", done.err)
        alone = [self.succeed("classify", self.model, "--quiet", stdin=line).out for line in (b"the plot was so dull", b"\n")]
        self.assertEqual(alone, [lines[2] + "\n", lines[1] + "\n"])
        self.assertEqual(self.succeed("classify", self.model, stdin=b"").out, "")

    def test_all_labels_add_to_one_and_come_by_falling_probability(self):
        path = self.write("lines", "".join(review(number)[1] + "\n" for number in range(40)))
        for line in self.succeed("classify", self.model, path, "--all").out.splitlines():
            self.assertAlmostEqual(sum(numbers(line)), 1, delta=1e-12)
            self.assertGreaterEqual(*numbers(line))
        top = self.succeed("classify", self.model, path, "--top-k", "1").out
        self.assertEqual(top, self.succeed("classify", self.model, path).out)

    def test_labels_of_a_training_file_are_no_part_of_its_texts(self):
        plain = self.write("plain", "".join(review(number)[1] + "\n" for number in range(60)))
        out = self.succeed("classify", self.model, plain).out
        self.assertEqual(self.succeed("classify", self.model, self.data).out, out)
        bare = self.write("bare", "".join(" ".join(review(number)) + "\n" for number in range(60)))
        self.assertEqual(self.succeed("classify", self.model, bare, "--bare-labels").out, out)

    def test_tables_and_json_lines_are_read_by_their_columns(self):
        table = self.write("t.csv", 'id,body,label\n1,"the film is great, fine",x\n2,,y\n')
        out = self.succeed("classify", self.model, table, "--text-column", "body").out
        self.assertEqual(out, self.succeed("classify", self.model, stdin=b"the film is great, fine\n\n").out)
        rows = b'{"text": "the film is great, fine", "label": {"odd": 1}}\n{"text": ""}\n'
        self.assertEqual(self.succeed("classify", self.model, "--format", "jsonl", stdin=rows).out, out)
        self.refuse(1, ["t.csv', line 1", "text", "(--text-column)"], "classify", self.model, table)

    def test_json_has_text_answer_and_probabilities(self):
        done = self.succeed("classify", self.model, "--json", "--quiet", stdin="the film is great\nnaïve\n".encode())
        first, second = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual((first["text"], first["label"], first["tokens"]), ("the film is great", "good", 4))
        self.assertEqual(list(first["probabilities"]), ["good", "bad"])
        self.assertEqual((second["text"], second["unknown_tokens"]), ("naïve", 1))

    def test_thresholds_leave_texts_without_an_answer(self):
        text = b"the film is great\nthe film is awful\n"
        lines = self.succeed("classify", self.model, "--threshold", "good=1", stdin=text).out.split("\n")
        self.assertEqual((lines[0], lines[1].split("\t")[0]), ("", "bad"))
        both = self.succeed("classify", self.model, "--threshold", "1", "--threshold", "good=0", "--json", stdin=text)
        self.assertEqual([json.loads(line)["label"] for line in both.out.splitlines()], ["good", None])
        self.refuse(2, ["--threshold", '"so"', '"good"'], "classify", self.model, "--threshold", "so=0.5")
        self.refuse(2, ["--threshold", "from 0 to 1"], "classify", self.model, "--threshold", "good=2")

    def test_probabilities_of_several_models_are_averaged(self):
        other = self.train("other.safetensors", self.data, "--seed", "2")
        text = b"the film is great\n"
        outs = [self.succeed("classify", *models, stdin=text).out
                for models in ((self.model, other), (self.model,), (other,))]
        mean, first, second = [numbers(out)[0] for out in outs]
        self.assertAlmostEqual(mean, (first + second) / 2, delta=1e-12)
        third = self.train("third.safetensors", self.write("d", "".join(f"{n % 2} word {n}\n" for n in range(40))), "--bare-labels")
        self.refuse(2, ["differ", '"0"', '"good"'], "classify", self.model, third, stdin=text)

    def test_any_number_of_labels_is_answered(self):
        rows = "".join(f"__label__{name} the {name} {n}\n" for n in range(20) for name in ("cat", "dog"))
        both = "".join(f"__label__cat __label__dog the cat dog {n}\nthe bird {n}\n" for n in range(20))
        model = self.train("several.safetensors", self.write("several", rows + both), "--multi-label")
        text = b"the bird\nthe cat dog\nthe dog\n"
        lines = self.succeed("classify", model, stdin=text).out.split("\n")
        self.assertEqual(lines[0], "")
        self.assertEqual(set(lines[1].split("\t")[::2]), {"cat", "dog"})
        found = json.loads(self.succeed("classify", model, "--json", stdin=b"the dog\n").out)
        self.assertEqual(found["labels"], ["dog"])

    def test_a_pipe_is_answered_line_by_line(self):
        with subprocess.Popen([command_line.UNROLL, "classify", self.model], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for line in (b"the film is great\n", b"\n"):
                process.stdin.write(line)
                process.stdin.flush()
                self.assertRegex(process.stdout.readline(), rb"^(good|bad)\t0\.\d+\n$")
            process.stdin.close()
            self.assertEqual(process.stdout.read(), b"")

    def test_tokens_speak_for_a_label_or_against_it(self):
        page = self.folder / "why.html"
        text = b"the plot was so dull\n"
        done = self.succeed("classify", self.model, "--explain", "--html", page, stdin=text + b"\nthe <b> is great\n")
        answer, *rows = done.out.split("\n\n")[0].split("\n")
        self.assertEqual(answer.split("\t")[0], "bad")
        fields = [row.split("\t") for row in rows]
        self.assertEqual([row[2] for row in fields], ["the", "plot", "was", "so", "dull", ""])
        strongest = max(fields[:-1], key=lambda row: float(row[0]))
        self.assertEqual(strongest[2], "dull")
        self.assertGreater(float(strongest[1]), 0)
        html = page.read_text(encoding="utf-8")
        self.assertIn(">dull</span>", html)
        self.assertIn(">&lt;</span>", html)
        why = json.loads(self.succeed("classify", self.model, "--explain", "--json", stdin=text).out)["explanation"]
        total = sum(token["attribution"] for token in why["tokens"]) + why["end_attribution"]
        change = why["score"] - why["baseline_score"]
        self.assertLessEqual(abs(total - change), 0.01 * abs(change))
        self.refuse(2, ["--html", "--overwrite"], "classify", self.model, "--html", page, stdin=text)
        self.refuse(2, ["one MODEL"], "classify", self.model, self.model, "--explain", stdin=text)
        self.refuse(2, ["--all"], "classify", self.model, "--explain", "--all", stdin=text)

    def test_a_terminal_shows_colours_unless_asked_not_to(self):
        def on_terminal(environment):
            ours, theirs = pty.openpty()
            with subprocess.Popen([command_line.UNROLL, "classify", self.model, "--explain", "--quiet"],
                                  stdin=subprocess.PIPE, stdout=theirs,
                                  env={**os.environ, "TERM": "xterm", **environment}) as process:
                process.stdin.write(b"the plot was so dull\n")
                process.stdin.close()
                os.close(theirs)
                shown = b""
                while chunk := self.read_terminal(ours):
                    shown += chunk
            os.close(ours)
            return shown

        self.assertRegex(on_terminal({"NO_COLOR": ""}), rb"48;5;\d+mdull\x1b\[0m\r\n")
        self.assertNotIn(b"\x1b", on_terminal({"NO_COLOR": "1"}))

    @staticmethod
    def read_terminal(descriptor):
        try:
            return os.read(descriptor, 4096)
        except OSError:  # the other side is closed
            return b""

    def test_errors_name_the_line_after_the_answers_before_it(self):
        done = run("classify", self.model, stdin=b"the film is great\n\xff\n")
        self.assertEqual((done.status, done.out.count("\n")), (1, 1))
        self.assertIn("standard input, line 2: byte 0", done.err)
        self.refuse(1, ["nowhere"], "classify", self.model, self.folder / "nowhere")
        self.refuse(2, ["--all", "--top-k"], "classify", self.model, "--all", "--top-k", "2")
        language = self.make_model("language.safetensors")
        self.refuse(2, ["language.safetensors' is a model of the task language, for unroll score"], "classify", language)

    def test_flags_of_models_that_write_are_told_apart_from_typos(self):
        save = self.folder / "m.safetensors"
        for flag in ("--sample-every", "--sample-prompt", "--sample-label"):
            self.refuse(2, [flag, "models that write", "--task classify"], "train", self.text, "--task", "classify", flag,
                        "1", "--save", save)
        self.refuse(2, ["--sample-label", "--task conditional"], "train", self.text, "--sample-label", "x", "--save", save)
        self.refuse(2, ["did you mean --sample-every"], "train", self.text, "--sampel-every", "5", "--save", save)



if __name__ == "__main__":
    main()
