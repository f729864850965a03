#!/usr/bin/env python3
"""`unroll data`: cli/cli_data.py UNROLL"""

import json

from command_line import CommandTest, main

REVIEWS = """id,text,stars
1,"a fine film, really",5
2,dull,1
3,dull,2
4,,5
5,"a fine film, really",5
6,so,1
"""


class Data(CommandTest):
    def test_the_table_counts_labels_lengths_and_repeated_texts(self):
        path = self.write("reviews.csv", REVIEWS)
        lines = self.succeed("data", path, "--label-column", "stars").out.splitlines()
        rows = {line.rsplit("  ", 1)[0].strip(): line.split()[-1] for line in lines if line[:1].isalpha()}
        self.assertEqual((rows["texts"], rows["labels"], rows["empty"]), ("6", "3", "1"))
        self.assertEqual((rows["repeated"], rows["repeated, other label"]), ("1", "1"))
        at = lines.index(next(line for line in lines if line.startswith("label ")))
        self.assertEqual([line.split() for line in lines[at + 1:at + 4]],
                         [["5", "3", "50.0%"], ["1", "2", "33.3%"], ["2", "1", "16.7%"]])
        self.assertIn("note: 1 label occurs once: \"2\"", lines)
        self.assertIn(f"note: 1 text repeats an earlier one but not its labels, such as '{path}', line 4, which "
                      f"equals '{path}', line 3", lines)

    def test_a_file_to_test_on_is_compared_and_json_holds_it_all(self):
        train = self.write("train.txt", "__label__a one\n__label__b two\n__label__b three\n")
        test = self.write("test.txt", "__label__a two\n__label__c four\n")
        out = json.loads(self.succeed("data", train, "--test", test, "--json").out)
        self.assertEqual([(label["label"], label["texts"], label["test_texts"]) for label in out["labels"]],
                         [("b", 2, 0), ("a", 1, 1), ("c", 0, 1)])
        self.assertEqual((out["in_both"], out["in_both_with_other_labels"]), (1, 1))
        self.assertEqual(out["in_both_examples"], [[f"'{train}', line 2", f"'{test}', line 1"]])
        self.assertEqual(out["test"]["characters"], {"min": 3, "median": 3.5, "mean": 3.5, "p95": 4, "max": 4})
        table = self.succeed("data", train, "--test", test).out
        self.assertRegex(table, "\nin training too +- +1\n")
        self.assertIn("note: the texts to test on have 1 label that training lacks: \"c\"\n", table)

    def test_standard_input_takes_every_flag_of_the_format(self):
        flags = ["--format", "tsv", "--text-column", "2", "--label-column", "1", "--weight-column", "3",
                 "--multi-label", "--label-separator", "|", "--encoding", "latin1", "--json"]
        out = json.loads(self.succeed("data", "-", *flags, stdin=b"a|b\tcaf\xe9\t2\nb\tx\t0.5\n").out)
        self.assertEqual({label["label"]: label["weight"] for label in out["labels"]}, {"a": 2.0, "b": 2.5})
        self.assertEqual(out["train"]["characters"]["max"], 4)
        out = json.loads(self.succeed("data", "-", "--bare-labels", "--json", stdin=b"0 x\n1 y\n1 z\n").out)
        self.assertEqual(len(out["labels"]), 2)
        out = json.loads(self.succeed("data", "-", "--label-prefix", "#", "--json", stdin=b"#x a\n#y b\n").out)
        self.assertEqual(out["train"]["texts"], 2)

    def test_errors_name_place_and_flag(self):
        path = self.write("reviews.csv", REVIEWS)
        self.refuse(1, ["reviews.csv', line 1:", "(--label-column)", '"stars"'], "data", path)
        self.refuse(1, ["(--format)", "(--bare-labels)"], "data", "-", stdin=b"0 x\n")
        self.refuse(1, ["line 1, column 16", "(--encoding)"], "data", "-", stdin=b"__label__a cafe\xe9\n")
        self.refuse(2, ["--format", "'foo'", "jsonl"], "data", path, "--format", "foo")
        self.refuse(2, ["FILE"], "data")
        self.refuse(1, ["standard input holds no texts"], "data", "-")


if __name__ == "__main__":
    main()
