"""Recurrent language models: score, write, label and train, on the CPU.

    import unroll
    scorer = unroll.Scorer(unroll.Model.open("book.safetensors"))
    scorer.score(["In the beginning", "beginning the In"])       # nats, an array of NumPy

docs/python.md is the manual. Every failure that input or environment can cause is an unroll.Error.
"""

from unroll._core import (Classifier, Error, Generator, Model, Pieces, Scorer, State, Tagger, Tokenizer, evaluate,
                          instruction_set, read_text, train, train_option_names, version)
from unroll.results import Evaluation, StepReport, TrainResult

__version__ = version()
__all__ = ["Classifier", "Error", "Evaluation", "Generator", "Model", "Pieces", "Scorer", "State", "StepReport", "Tagger",
           "Tokenizer", "TrainResult", "evaluate", "instruction_set", "read_text", "train", "train_option_names"]
