// The options of tasks other than language modelling, a part of unroll/train_options.h.
#pragma once

#include "unroll/train_option.h"

namespace unroll {

// Of tasks other than language modelling; how their files are read is said by other means.
template <class Options, class Visit>
void for_each_task_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& task = options.task;
  visit(TrainOption{.field = "task.kind",
                    .name = "task",
                    .help = "language: predict each token from those before it; classify: a label per text; tag: a "
                            "label per word; conditional: predict tokens given a label; regress: numbers of a sequence "
                            "of numbers. Each task has flags and defaults of its own, which its help lists",
                    .recorded = kUnlessDefault},
        task.kind);
  visit(TrainOption{.field = "task.input",
                    .name = "input",
                    .help = "text, or dense: sequences of vectors of numbers, from tables, NumPy's arrays or IDX files",
                    .recorded = kUnlessDefault},
        task.input);
  visit(TrainOption{.field = "task.scale",
                    .name = "scale",
                    .help =
                        "how numbers are scaled. standard: to mean 0 and variance 1, in each column; bytes: by 1/255; "
                        "none",
                    .unset = "bytes for arrays of bytes, else standard",
                    .recorded = kUnlessDefault},
        task.scale);
  visit(TrainOption{.field = "task.readout",
                    .name = "readout",
                    .help = "what is read out of a text's steps: last, max, mean, attention, or concat (last, max and "
                            "mean)",
                    .recorded = kUnlessDefault},
        task.readout);
  visit(TrainOption{.field = "task.bidirectional",
                    .name = "bidirectional",
                    .help = "read texts in both directions",
                    .recorded = kUnlessDefault},
        task.bidirectional);
  visit(TrainOption{.field = "task.characters",
                    .name = "chars",
                    .help = "units in each direction of a network that reads the characters of each word; 0: none",
                    .unset = "30 to tag words, else 0",
                    .range = {.least = 0, .most = kWindowRange.most},
                    .recorded = kUnlessDefault},
        task.characters);
  visit(TrainOption{.field = "task.transitions",
                    .name = "transitions",
                    .help = "crf: learn which label follows which; none: each label by itself",
                    .recorded = kUnlessDefault},
        task.transitions);
  visit(TrainOption{.field = "task.class_weights",
                    .name = "class-weights",
                    .help = "multiply the loss of texts by a weight of their label: balanced, or LABEL=X,LABEL=X",
                    .unset = "1",
                    .recorded = kUnlessDefault},
        task.class_weights);
  visit(TrainOption{.field = "task.folds",
                    .name = "folds",
                    .help = "cross-validate: train N times, each time holding out another part of the texts",
                    .unset = "train once",
                    .range = {.least = 2, .most = 1000},
                    .automatic = 0,
                    .recorded = kUnlessDefault},
        task.folds);
  visit(TrainOption{.field = "task.fold",
                    .name = "fold",
                    .help = "of the folds, train with this one held out alone",
                    .unset = "all of them",
                    .range = {.least = 1, .most = 1000},
                    .automatic = 0,
                    .recorded = kUnlessDefault},
        task.fold);
}

// Of tasks that answer with labels of texts.
template <class Options, class Visit>
void for_each_transfer_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& transfer = options.transfer;
  visit(TrainOption{.field = "transfer.init",
                    .name = "init-from",
                    .help = "start from the tokenizer, embedding and layers of this language model"},
        transfer.init);
  visit(TrainOption{.field = "transfer.unlabelled",
                    .name = "unlabelled",
                    .help = "first train a language model of this text, a line per text, and of the texts to train on, "
                            "and start from it; it is saved next to the model"},
        transfer.unlabelled);
  visit(TrainOption{.field = "transfer.unlabelled_epochs",
                    .name = "unlabelled-epochs",
                    .help = "train that language model for N passes",
                    .range = kCountRange,
                    .recorded = kUnlessDefault},
        transfer.unlabelled_epochs);
  visit(TrainOption{.field = "transfer.vectors",
                    .name = "vectors",
                    .help = "start from the word vectors of this file (text form of word2vec)"},
        transfer.vectors);
  visit(TrainOption{.field = "transfer.layer_decay",
                    .name = "layer-decay",
                    .help = "divide the learning rate by X for each layer below the output layer",
                    .range = {.least = 1, .most = 1e6},
                    .recorded = kUnlessDefault},
        transfer.layer_decay);
  visit(TrainOption{.field = "transfer.unfreeze",
                    .name = "unfreeze",
                    .help = "train the output layer alone for N epochs, then one more layer every N epochs; 0: all "
                            "from the start",
                    .range = {.least = 0, .most = kCountRange.most},
                    .recorded = kUnlessDefault},
        transfer.unfreeze);
  visit(TrainOption{.field = "regularization.language",
                    .name = "language-weight",
                    .help = "add X times the loss of a language model of the same texts",
                    .range = kFactorRange,
                    .recorded = kUnlessDefault},
        options.regularization.language);
}

}  // namespace unroll
