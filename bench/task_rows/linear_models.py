#!/usr/bin/env python3
"""scikit-learn's side of bench/tasks: a linear model that is trained, and its answers. Run by linear_peer.py.

    linear_models.py words|characters|tags TRAIN JUDGED ANSWERS MODEL

Texts: NBSVM (Wang and Manning 2012): for each label, what occurs in a text (words and pairs of neighbours, in lower
case; of names 1 to 5 neighbouring characters), weighted by the logarithm of how much more often it occurs with that
label, into a linear support vector machine. Tagged words: a log-linear model of the word, its neighbours, beginnings
and ends of up to four letters, the shape, and the two tags before it, which are right ones in training and answers in
use. The penalty is
the best of a few on a tenth of the training part (of tagged words, of models that learned from another fifth); then all
of it is learned from. Prints a JSON object.
"""

import time

START = time.monotonic()

import json  # noqa: E402: what follows takes time, which counts
import os
import pathlib
import pickle
import sys
import warnings

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

sys.path.insert(0, os.fspath(pathlib.Path(__file__).resolve().parent.parent))

from task_rows.data_sets import pairs_of, sentences_of  # noqa: E402

PENALTIES = {"texts": [0.01, 0.03, 0.1, 0.3, 1.0], "tags": [1.0, 4.0]}
BEGIN = "-"  # the tag before the first word
LEAST_ANSWERED = 20_000
MOST_TENTHS = {"tags": 3, "texts": 10}  # what the penalty is chosen with, the tenth that is held out included


class NaiveBayesSvm:
    def __init__(self, units):
        if units == "characters":
            self.counter = CountVectorizer(analyzer="char", ngram_range=(1, 5), binary=True, preprocessor=self.marked)
        else:
            self.counter = CountVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), binary=True)

    @staticmethod
    def marked(name):
        return f"^{name}$"

    def read(self, path):
        labels, texts = pairs_of(path)
        return texts, np.array(labels)

    def features(self, texts, labels, first):
        return self.counter.fit_transform(texts) if first else self.counter.transform(texts)

    def fit(self, features, labels, penalty):
        self.labels = sorted(set(labels))
        columns, self.constants = [], []
        for label in self.labels if len(self.labels) > 2 else self.labels[1:]:
            mine = labels == label
            with_it, without = (1 + np.asarray(features[side].sum(axis=0)).ravel() for side in (mine, ~mine))
            weights = np.log(with_it / with_it.sum()) - np.log(without / without.sum())
            machine = LinearSVC(C=penalty, max_iter=300).fit(features @ sparse.diags(weights), mine)
            columns.append(machine.coef_[0] * weights)
            self.constants.append(machine.intercept_[0])
        self.weights = np.array(columns).T

    def predict(self, features):
        scores = features @ self.weights + np.array(self.constants)
        chosen = scores.argmax(axis=1) if len(self.labels) > 2 else (scores[:, 0] > 0).astype(int)
        return [self.labels[i] for i in chosen]

    def right(self, answers, labels):
        return np.mean(np.array(answers) == labels)


def shape(word):
    return "".join("X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in word[:8])


def word_features(words, i):
    word, lower = words[i], words[i].lower()
    around = [words[i + d].lower() if 0 <= i + d < len(words) else "<>" for d in (-2, -1, 1, 2)]
    found = [f"w={word}", f"l={lower}", f"s={shape(word)}", *(f"{d}={w}" for d, w in enumerate(around)),
             f"01={around[0]} {around[1]}", f"1={around[1]} {lower}", f"2={lower} {around[2]}"]
    for n in range(1, min(4, len(lower)) + 1):
        found += [f"p={lower[:n]}", f"e={lower[-n:]}"]
    found += [f"pe={around[1][-3:]}", f"ne={around[2][-3:]}"]
    return found


class LogLinearTagger:
    """Features of words by hashes; those of the tags before stand beside them."""

    def __init__(self, units):
        self.hasher = FeatureHasher(n_features=1 << 20, input_type="string", alternate_sign=False)

    def read(self, path):
        return sentences_of(path)

    def features(self, sentences, tags, first):
        words = self.hasher.transform(word_features(s, i) for s in sentences for i in range(len(s)))
        if first:
            self.used = np.flatnonzero(np.asarray((words > 0).sum(axis=0)).ravel() > 1)
            self.tags = sorted({tag for sentence in tags for tag in sentence})
        return words[:, self.used], [len(s) for s in sentences]

    def subset(self, features, chosen):
        words, lengths = features
        ends = np.cumsum(lengths)
        rows = np.concatenate([np.arange(ends[i] - lengths[i], ends[i]) for i in chosen])
        return words[rows], [lengths[i] for i in chosen]

    def before(self, tags):
        """Rows of the tag before, the one before that, and both."""
        number = {tag: i + 1 for i, tag in enumerate(self.tags)}
        one, two = [], []
        for sentence in tags:
            ids = [0, 0, *(number[tag] for tag in sentence)]
            one += ids[1:-1]
            two += ids[:-2]
        return np.array(one), np.array(two)

    def fit(self, features, tags, penalty):
        n = len(self.tags) + 1
        one, two = self.before(tags)
        rows = np.arange(len(one))
        history = sparse.hstack([sparse.csr_matrix((np.ones(len(one)), (rows, one)), (len(one), n)),
                                 sparse.csr_matrix((np.ones(len(one)), (rows, two * n + one)), (len(one), n * n))])
        joined = sparse.hstack([features[0], history], format="csr")
        flat = [tag for sentence in tags for tag in sentence]
        model = LogisticRegression(C=penalty, solver="lbfgs", max_iter=50).fit(joined, flat)
        self.answered, self.constants = list(model.classes_), model.intercept_
        width = features[0].shape[1]
        self.words = np.ascontiguousarray(model.coef_[:, :width].T.astype(np.float32))
        self.one = model.coef_[:, width:width + n].T
        self.both = model.coef_[:, width + n:].T

    def predict(self, features):
        """From the first word to the last, all sentences side by side."""
        words, lengths = features
        scores = words @ self.words + self.constants
        begins, n = np.cumsum(lengths) - lengths, len(self.tags) + 1
        number = np.array([self.tags.index(tag) + 1 for tag in self.answered])
        one, two = np.zeros(len(lengths), int), np.zeros(len(lengths), int)
        answers = [[] for _ in lengths]
        for t in range(max(lengths)):
            alive = np.flatnonzero(np.array(lengths) > t)
            row = scores[begins[alive] + t] + self.one[one[alive]] + self.both[two[alive] * n + one[alive]]
            best = row.argmax(axis=1)
            for i, b in zip(alive, best):
                answers[i].append(self.answered[b])
            two[alive], one[alive] = one[alive], number[best]
        return answers

    def right(self, answers, tags):
        return np.mean([a == t for mine, truth in zip(answers, tags) for a, t in zip(mine, truth)])


def choose_and_fit(model, kind, texts, labels):
    """The best penalty on a tenth of the training part, and the model of all of it."""
    features = model.features(texts, labels, first=True)
    order = np.random.RandomState(1).permutation(len(labels))
    cut = len(order) // 10
    learned = order[cut:cut * MOST_TENTHS[kind]]
    take = getattr(model, "subset", lambda matrix, rows: matrix[rows])
    pick = (lambda rows: [labels[i] for i in rows]) if isinstance(labels, list) else (lambda rows: labels[rows])
    reached = {}
    for penalty in PENALTIES[kind]:
        model.fit(take(features, learned), pick(learned), penalty)
        reached[penalty] = model.right(model.predict(take(features, order[:cut])), pick(order[:cut]))
    best = max(reached, key=reached.get)
    model.fit(features, labels, best)
    return best


def main():
    warnings.filterwarnings("ignore")  # that 300 passes do not converge
    units, train, judged, out, saved = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    model = LogLinearTagger(units) if units == "tags" else NaiveBayesSvm(units)
    best = choose_and_fit(model, "tags" if units == "tags" else "texts", *model.read(train))
    seconds, processor = time.monotonic() - START, time.process_time()
    texts, labels = model.read(judged)
    copies = -(-LEAST_ANSWERED // len(texts))
    begin = time.monotonic()
    answers = model.predict(model.features(texts * copies, labels, first=False))[:len(texts)]
    speed = len(texts) * copies / (time.monotonic() - begin)
    out.write_text(json.dumps(answers), encoding="utf-8")
    saved.write_bytes(pickle.dumps(model))
    print(json.dumps({"seconds": seconds, "processor_seconds": processor, "texts_per_s": speed, "penalty": best}))


if __name__ == "__main__":
    main()
