#!/usr/bin/env python3
"""Labelled data that no task can be trained on: cli/cli_task_data.py UNROLL

A clear error that names file, line or label, status 1, and no model.
"""

import os

from command_line import CommandTest, main

GOOD = "".join(f"__label__{'good' if i % 2 else 'bad'} a {'fine' if i % 2 else 'dull'} film {i % 5}\n"
               for i in range(40))
TAGGED = "".join(f"a D\nfilm{i % 3} N\n\n" for i in range(20))


class TaskData(CommandTest):
    def refuse_data(self, words, content, *flags, task="classify", name="data.txt"):
        path = self.write(name, content)
        model = os.path.join(self.folder, "m.safetensors")
        self.refuse(1, words, "train", "--task", task, path, "--save", model, "--steps", "2", *flags)
        self.assertFalse(os.path.exists(model))
        self.assertFalse(os.path.exists(model + ".resume"))

    def test_texts_without_labels_or_with_one_label(self):
        self.refuse_data(["data.txt"], "a fine film\na dull one\n", "--format", "label")
        self.refuse_data(["label", "good"], "__label__good a film\n__label__good another\n")
        self.refuse_data(["data.txt', line 3"], "__label__good a\n__label__bad b\nno label\n")
        self.refuse_data(["data.txt', line 2"], "__label__good a\n__label__good __label__bad b\n__label__bad c\n")

    def test_empty_files_and_texts(self):
        self.refuse_data(["data.txt"], "")
        self.refuse_data(["data.txt"], "\n\n\n")
        self.refuse_data([], "__label__good\n__label__bad\n")  # texts without a word: no vocabulary

    def test_tables(self):
        self.refuse_data(["d.csv', line 1", "text", "review"], "review,stars\na,1\n", name="d.csv")
        self.refuse_data(["d.csv', line 2"], 'text,label\n"a film,good\nb,bad\n', name="d.csv")
        self.refuse_data(["d.csv', line 3"], "text,label\na,good\nb\n", name="d.csv")
        self.refuse_data(["d.jsonl', line 2"], '{"text":"a","label":"x"}\n{"text":"b"\n', name="d.jsonl")
        self.refuse_data(["d.csv', line 3", "weight"], "text,label,w\na,good,1\nb,bad,x\n", "--weight-column", "w",
                         name="d.csv")

    def test_too_many_labels_are_the_wrong_column(self):
        rows = "".join(f"{i},text {i % 7}\n" for i in range(20001))
        self.refuse_data(["20,001", "right column"], "label,text\n" + rows, name="d.csv")
        rows = "".join(f"word{i % 11}\t{i}\n" for i in range(5000))
        self.refuse_data(["5,000", "right column"], rows, task="tag")

    def test_two_encodings_in_one_file(self):
        self.refuse_data(["data.txt', line 2", "UTF-8"], b"__label__a caf\xc3\xa9\n__label__b caf\xe9\n")

    def test_labels_that_only_the_validation_text_has(self):
        valid = self.write("valid.txt", "__label__good fine\n__label__strange odd\n")
        self.refuse_data(["valid.txt', line 2", "strange"], GOOD, "--valid", valid)
        valid = self.write("valid.tags", "a D\nfilm N\n\na X\n")
        self.refuse_data(["valid.tags', line 4", "X"], TAGGED, "--valid", valid, task="tag")

    def test_columns_that_are_not_there(self):
        self.refuse_data(["data.txt', line 3"], "a D\nfilm N\nlost\n\n", task="tag")
        self.refuse_data([], "a D\nfilm D\n\n", task="tag")  # one tag

    def test_flags_of_another_task_are_refused(self):
        path = self.write("data.txt", GOOD)
        for flags in (["--chars", "3"], ["--task", "classify", "--transitions", "crf"], ["--task", "tag", "--folds", "3"],
                      ["--task", "nonsense"], ["--task", "classify", "--readout", "steps"]):
            self.refuse(2, [], "train", path, "--save", os.path.join(self.folder, "x.safetensors"), *flags)

    def test_odd_bytes_marks_and_line_ends_are_read(self):
        content = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode() + b"__label__bad " + b"x" * 20000 + b"\r\n"
        path = self.write("data.txt", content)
        model = os.path.join(self.folder, "m.safetensors")
        self.succeed("train", "--task", "classify", path, "--save", model, "--steps", "2", "--quiet", "--overwrite")
        self.succeed("inspect", model)

    def test_folds_report_their_mean(self):
        path = self.write("data.txt", GOOD)
        model = os.path.join(self.folder, "f.safetensors")
        done = self.succeed("train", "--task", "classify", path, "--save", model, "--steps", "2", "--folds", "2",
                            "--hidden", "4", "--embed", "4")
        self.assertRegex(done.err, r"folds +2: accuracy [0-9.]+%, standard deviation")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "f.fold2.safetensors")))


if __name__ == "__main__":
    main()
