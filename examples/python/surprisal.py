#!/usr/bin/env python3
"""Adds the surprisal of each word to a table of sentences: a row per word, with the columns of its sentence.

    surprisal.py MODEL TABLE.csv [--column sentence] > words.csv

TABLE.csv names its columns in its first row. Each row of the result has these, and then word, sentpos (place in the
sentence, from 0), wlen (characters), surp (bits), entropy (bits, before the word is read). With pandas tables are data
frames; without it they are read and written by Python's own csv.
"""

import argparse
import csv
import sys

import unroll

try:
    import pandas
except ImportError:
    pandas = None

COLUMNS = ["word", "sentpos", "wlen", "surp", "entropy"]


def surprisal_frame(scorer, frame, column):
    """A data frame with a row per word, of one with a row per sentence."""
    words = pandas.DataFrame(scorer.word_table(frame[column]))
    sentences = frame.iloc[words["sentid"]].reset_index(drop=True)
    return pandas.concat([sentences, words[COLUMNS]], axis=1)


def surprisal_rows(scorer, rows, column):
    """The same for rows that are dicts."""
    words = scorer.word_table(row[column] for row in rows)
    for i, sentence in enumerate(words["sentid"]):
        yield {**rows[sentence], **{name: words[name][i] for name in COLUMNS}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("table")
    parser.add_argument("--column", default="sentence")
    options = parser.parse_args()
    scorer = unroll.Scorer(unroll.Model.open(options.model))
    if pandas is not None:
        # A sentence is text, whatever it looks like: "NA" and "12" too.
        frame = pandas.read_csv(options.table, dtype={options.column: str}, keep_default_na=False)
        surprisal_frame(scorer, frame, options.column).to_csv(sys.stdout, index=False)
        return
    with open(options.table, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    writer = csv.DictWriter(sys.stdout, [*reader.fieldnames, *COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(surprisal_rows(scorer, rows, options.column))


if __name__ == "__main__":
    main()
