#!/usr/bin/env python3
"""Which sentence of each pair is more probable, with the calls that users of minicons know.

    pairs.py MODEL PAIRS.tsv

PAIRS.tsv has two sentences a line, separated by a tab, the acceptable one first. Prints for each pair the difference of
their log-probabilities in bits and the word after which they part, and at the end the share of pairs of which the first
is more probable. From minicons, only the first two lines of main() change:

    from minicons import scorer                                  import unroll
    model = scorer.IncrementalLMScorer("gpt2", "cpu")            model = unroll.Scorer(unroll.Model.open(path))
"""

import sys

import unroll


def common_prefix(first, second):
    """The words with which both sentences begin."""
    shared = []
    for one, other in zip(first.split(), second.split()):
        if one != other:
            break
        shared.append(one)
    return " ".join(shared)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model = unroll.Scorer(unroll.Model.open(sys.argv[1]))
    with open(sys.argv[2], encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    good = model.sequence_score([pair[0] for pair in pairs], reduction=lambda x: x.sum(0).item(), base_two=True)
    bad = model.sequence_score([pair[1] for pair in pairs], reduction=lambda x: x.sum(0).item(), base_two=True)
    for (first, second), better, worse in zip(pairs, good, bad):
        print(f"{better - worse:+.2f}\t{common_prefix(first, second) or '-'}\t{first}\t{second}")
    right = sum(better > worse for better, worse in zip(good, bad))
    print(f"{right} of {len(pairs)} right")


if __name__ == "__main__":
    main()
