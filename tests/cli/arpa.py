"""ARPA files for tests: made from text, and read by a reader of their own."""

import collections
import math


def counts_of(lines, order):
    counts = collections.Counter()
    for line in lines:
        words = ["<s>", *line.split(), "</s>"]
        for length in range(1, order + 1):
            for start in range(len(words) - length + 1):
                counts[tuple(words[start:start + length])] += 1
    return counts


def make(lines, order, vocabulary=()):
    """Back-off n-grams of some lines with absolute discounting, every context of which sums to 1: the file's text."""
    counts = counts_of(lines, order)
    words = sorted({ngram[0] for ngram in counts} | set(vocabulary) | {"<unk>"} - {"<s>"})
    words = [word for word in words if word != "<s>"]
    total = sum(counts[(word,)] for word in words) + len(words)
    p = {(word,): (counts[(word,)] + 1) / total for word in words}
    backoffs = {}

    def lower(ngram):
        while ngram not in p:
            ngram = ngram[1:]
        return p[ngram]

    def back_off(context, word):
        ngram = (*context, word)
        return p[ngram] if ngram in p else backoffs.get(context, 1) * back_off(context[1:], word)

    for length in range(2, order + 1):
        followers = collections.defaultdict(list)
        for ngram in counts:
            if len(ngram) == length:
                followers[ngram[:-1]].append(ngram[-1])
        for context, after in sorted(followers.items()):
            seen = sum(counts[(*context, word)] for word in after)
            for word in after:
                p[(*context, word)] = (counts[(*context, word)] - 0.5) / seen
            rest = 1 - sum(back_off(context[1:], word) for word in after)
            backoffs[context] = 0.5 * len(after) / seen / rest if rest > 1e-12 else 1
    p[("<s>",)] = 1e-99
    text = "\\data\\\n"
    levels = [sorted(ngram for ngram in p if len(ngram) == length) for length in range(1, order + 1)]
    for length, level in enumerate(levels, 1):
        text += f"ngram {length}={len(level)}\n"
    for length, level in enumerate(levels, 1):
        text += f"\n\\{length}-grams:\n"
        for ngram in level:
            weight = f"\t{math.log10(backoffs[ngram]):.9f}" if ngram in backoffs else ""
            text += f"{math.log10(p[ngram]):.9f}\t{' '.join(ngram)}{weight}\n"
    return text + "\n\\end\\\n"


class Arpa:
    """What an ARPA file says, in dictionaries."""

    def __init__(self, text):
        self.p, self.backoffs, self.order = {}, {}, 0
        section = None
        for line in text.splitlines():
            if line.startswith("\\"):
                section = line
                continue
            fields = line.split()
            if section in (None, "\\data\\") or not fields:
                continue
            length = int(section[1:section.index("-")])
            self.order = max(self.order, length)
            ngram = tuple(fields[1:1 + length])
            self.p[ngram] = float(fields[0])
            if len(fields) > length + 1:
                self.backoffs[ngram] = float(fields[-1])
        self.words = [ngram[0] for ngram in self.p if len(ngram) == 1]

    def log_prob(self, context, word):
        """ln p(word | context); words that are not listed are <unk>."""
        word, *context = (x if (x,) in self.p else "<unk>" for x in (word, *context))
        context = tuple(context[-(self.order - 1):]) if self.order > 1 else ()
        weight = 0
        while (*context, word) not in self.p:
            weight += self.backoffs.get(context, 0)
            context = context[1:]
        return math.log(10) * (weight + self.p[(*context, word)])

    def line(self, words):
        """ln p of each word of a line, and of its end."""
        words = ["<s>", *words, "</s>"]
        return [self.log_prob(words[:i], words[i]) for i in range(1, len(words))]
