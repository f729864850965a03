"""Recurrent language models: score, write, label and train, on the CPU.

    import unroll
    scorer = unroll.Scorer(unroll.Model.open("book.safetensors"))
    scorer.score(["In the beginning", "beginning the In"])       # nats, an array of NumPy

docs/python.md is the manual. Every failure that input or environment can cause is an unroll.Error.
"""

from unroll._core import (Classifier, Error, Generator, Model, Pieces, Scorer, State, Tagger, Tokenizer,
                          describe_checkpoint, evaluate, import_model, instruction_set, read_text, train,
                          train_option_names, version)
from unroll.results import Evaluation, ImportedModel, StepReport, TrainResult

__version__ = version()
__all__ = ["Classifier", "Error", "Evaluation", "Generator", "ImportedModel", "Model", "Pieces", "Scorer", "State",
           "StepReport", "Tagger", "Tokenizer", "TrainResult", "describe_checkpoint", "evaluate", "import_model",
           "instruction_set", "read_text", "train", "train_option_names"]
