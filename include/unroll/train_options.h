// Every option of a training run, described once.
//
//   for_each_option(options, [](const TrainOption& option, auto& value) { ... });
//
// Command lines, recipes, keyword arguments, the record in a model file, checks of ranges, and the comparison with the
// run that is resumed all follow from this one list.
#pragma once

#include "unroll/task_options.h"
#include "unroll/train.h"
#include "unroll/train_option.h"

namespace unroll {

// Each group of options; Options (here and below) is TrainOptions or const TrainOptions.
template <class Options, class Visit>
void for_each_text_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& tokenizer = options.tokenizer;
  visit(TrainOption{.field = "tokenizer.kind",
                    .name = "tokenizer",
                    .help = "how text becomes tokens. char: Unicode characters; byte: the bytes of any file; word: "
                            "words as Unicode defines them; whitespace: text that is tokenised already, split at white "
                            "space",
                    .recorded = kAlways,
                    .from_model = true},
        tokenizer.kind);
  visit(TrainOption{.field = "tokenizer.lowercase",
                    .name = "lowercase",
                    .help = "fold words to lower case (word, whitespace)",
                    .recorded = kAlways,
                    .from_model = true},
        tokenizer.lowercase);
  visit(TrainOption{.field = "tokenizer.vocab_size",
                    .name = "vocab-size",
                    .help = "keep the N most frequent tokens; the others become <unk>",
                    .unset = "all",
                    .range = {.least = 2, .most = 1 << 24},
                    .automatic = 0,
                    .recorded = kAlways,
                    .from_model = true},
        tokenizer.vocab_size);
  visit(TrainOption{.field = "tokenizer.min_count",
                    .name = "min-count",
                    .help = "drop tokens that occur fewer than N times",
                    .range = kCountRange,
                    .recorded = kAlways,
                    .from_model = true},
        tokenizer.min_count);
  visit(TrainOption{.field = "tokenizer.vocab_file",
                    .name = "vocab",
                    .help = "read the vocabulary from FILE, one token per line",
                    .from_model = true},
        tokenizer.vocab_file);
  visit(TrainOption{.field = "text.valid", .name = "valid", .help = "validate on this text"}, options.text.valid);
  visit(TrainOption{.field = "text.valid_split",
                    .name = "valid-split",
                    .help = "without `text.valid`: hold out this share of the text, at its end; 0: no validation, keep "
                            "the last weights",
                    .range = kShareRange,
                    .recorded = kAlways},
        options.text.valid_split);
  visit(TrainOption{.field = "text.valid_tokens",
                    .name = "valid-tokens",
                    .help = "validate on the first N tokens of the validation text",
                    .unset = "all; with `run.minutes`, what a tenth of the time pays for",
                    .range = kCountRange,
                    .automatic = 0,
                    .recorded = kUnlessDefault},
        options.text.valid_tokens);
  visit(TrainOption{.field = "text.state",
                    .name = "state",
                    .help = "carry: the state continues from line to line; reset: each line starts from zero",
                    .recorded = kAlways},
        options.text.state);
  visit(
      TrainOption{.field = "text.begin",
                  .name = "begin",
                  .help = "what is read before the first token of the text, or of each line where these start from "
                          "zero. boundary: a line end, so that the first token is predicted; none: nothing, the first "
                          "token is given. The model keeps it",
                  .unset = "boundary",
                  .recorded = kUnlessDefault},
      options.text.begin);
}

template <class Options, class Visit>
void for_each_network_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& network = options.network;
  visit(TrainOption{.field = "network.cell",
                    .name = "cell",
                    .help = "rnn-tanh, rnn-relu, lstm, gru, gru-reset-before, min-gru, or min-lstm",
                    .recorded = kAlways,
                    .from_model = true},
        network.cell);
  visit(TrainOption{.field = "network.layers",
                    .name = "layers",
                    .help = "recurrent layers, stacked",
                    .range = {.least = 1, .most = 1024},
                    .recorded = kAlways,
                    .from_model = true},
        network.layers);
  visit(TrainOption{.field = "network.hidden",
                    .name = "hidden",
                    .help = "units in each recurrent layer",
                    .range = kSizeRange,
                    .recorded = kAlways,
                    .from_model = true},
        network.hidden);
  visit(TrainOption{.field = "network.embed",
                    .name = "embed",
                    .help = "size of a token's embedding",
                    .unset = "as `network.hidden`",
                    .range = kSizeRange,
                    .automatic = 0,
                    .recorded = kAlways,
                    .from_model = true},
        network.embed);
  visit(TrainOption{.field = "network.tied",
                    .name = "tied",
                    .help = "the output layer shares the embedding's weights; where `network.embed` and "
                            "`network.hidden` differ, through a projection",
                    .recorded = kAlways,
                    .from_model = true},
        network.tied);
  visit(TrainOption{.field = "network.layer_norm",
                    .name = "layer-norm",
                    .help = "layer normalisation inside the cells",
                    .recorded = kUnlessDefault,
                    .from_model = true},
        network.layer_norm);
  visit(TrainOption{.field = "network.softmax",
                    .name = "softmax",
                    .help = "full; adaptive: frequent words first, rarer ones in ever narrower clusters: much faster "
                            "with a large vocabulary, exact, another model; sampled: the model of full, trained on a "
                            "sample of the vocabulary in each step",
                    .recorded = kUnlessDefault},
        network.softmax);
  visit(TrainOption{.field = "network.samples",
                    .name = "samples",
                    .help = "sampled: words that each step compares with",
                    .unset = "a tenth of the vocabulary, at most 8192",
                    .range = kSizeRange,
                    .automatic = 0,
                    .recorded = kUnlessDefault,
                    .only_with = {"network.softmax", "sampled"}},
        network.samples);
  visit(TrainOption{.field = "network.cutoffs",
                    .name = "cutoffs",
                    .help = "adaptive: how many of the most frequent words come before each cluster",
                    .unset = "from the vocabulary",
                    .recorded = kUnlessDefault,
                    .from_model = true,
                    .only_with = {"network.softmax", "adaptive"}},
        network.cutoffs);
  visit(TrainOption{.field = "network.residual",
                    .name = "residual",
                    .help = "each layer above the first adds its input to its output",
                    .recorded = kUnlessDefault,
                    .from_model = true},
        network.residual);
}

template <class Options, class Visit>
void for_each_regularization_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& regularization = options.regularization;
  visit(TrainOption{.field = "regularization.input",
                    .name = "dropout-input",
                    .help = "share of the embedded tokens' numbers that is dropped",
                    .unset = "by the number of texts: 0.7 of few, 0.3 of 20,000 and more",
                    .range = kShareRange,
                    .automatic = kByTexts,
                    .recorded = kUnlessDefault},
        regularization.input);
  visit(TrainOption{.field = "regularization.between",
                    .name = "dropout-between",
                    .help = "the same between layers",
                    .range = kShareRange,
                    .recorded = kUnlessDefault},
        regularization.between);
  visit(TrainOption{.field = "regularization.output",
                    .name = "dropout-output",
                    .help = "the same for the last layer's outputs",
                    .range = kShareRange,
                    .recorded = kUnlessDefault},
        regularization.output);
  visit(TrainOption{.field = "regularization.words",
                    .name = "dropout-words",
                    .help = "share of the vocabulary whose embeddings are dropped, wherever they occur in a window",
                    .range = kShareRange,
                    .recorded = kUnlessDefault},
        regularization.words);
  visit(TrainOption{.field = "regularization.recurrent",
                    .name = "weight-drop",
                    .help = "share of hidden-to-hidden weights that is dropped, anew for each window",
                    .range = kShareRange,
                    .recorded = kUnlessDefault},
        regularization.recurrent);
  visit(TrainOption{.field = "regularization.locked",
                    .name = "locked",
                    .help = "masks of dropped numbers are the same at all steps of a window (variational dropout)",
                    .recorded = kUnlessDefault},
        regularization.locked);
  visit(TrainOption{.field = "regularization.ar",
                    .name = "ar",
                    .help = "penalty on the last layer's outputs: X times their mean square",
                    .range = kFactorRange,
                    .recorded = kUnlessDefault},
        regularization.ar);
  visit(TrainOption{.field = "regularization.tar",
                    .name = "tar",
                    .help = "penalty on their change from step to step: X times its mean square",
                    .range = kFactorRange,
                    .recorded = kUnlessDefault},
        regularization.tar);
  visit(TrainOption{.field = "regularization.label_smoothing",
                    .name = "label-smoothing",
                    .help = "spread this share of each label over all labels, where one of several is right",
                    .range = kShareRange,
                    .recorded = kUnlessDefault},
        regularization.label_smoothing);
}

template <class Options, class Visit>
void for_each_update_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& run = options.run;
  visit(
      TrainOption{.field = "run.init",
                  .name = "init",
                  .help = "uniform, identity (rnn-relu: recurrent weights start as the identity) or chrono (cells with "
                          "gates: biases of gates make units that remember for 2 to `run.chrono_steps` steps)",
                  .recorded = kAlways,
                  .from_model = true},
      run.init);
  visit(TrainOption{.field = "run.init_range",
                    .name = "init-range",
                    .help = "weights start uniform between -X and X",
                    .unset = "by the sizes of the layers",
                    .range = kPositiveRange,
                    .automatic = 0,
                    .recorded = kUnlessDefault,
                    .from_model = true},
        run.init_range);
  visit(TrainOption{.field = "run.chrono_steps",
                    .name = "chrono-steps",
                    .help = "the longest memory that a unit starts with",
                    .unset = "as `run.bptt`",
                    .range = {.least = 2, .most = 1 << 24},
                    .automatic = 0,
                    .recorded = kUnlessDefault,
                    .from_model = true,
                    .only_with = {"run.init", "chrono"}},
        run.chrono_steps);
  visit(TrainOption{.field = "run.batch_size",
                    .name = "batch-size",
                    .help = "rows of text that run side by side",
                    .range = kWindowRange,
                    .recorded = kAlways},
        run.batch_size);
  visit(TrainOption{.field = "run.bptt",
                    .name = "bptt",
                    .help = "steps that gradients go back in time",
                    .range = kWindowRange,
                    .recorded = kAlways},
        run.bptt);
  visit(TrainOption{.field = "run.replicas",
                    .name = "replicas",
                    .help =
                        "deal the rows of a batch to N replicas, a power of two, whose gradients are added in a fixed "
                        "order: up to N processes can train together (unroll-mpi), and any number of them makes the "
                        "same model",
                    .range = {.least = 1, .most = 1024},
                    .recorded = kUnlessDefault},
        run.replicas);
  visit(TrainOption{.field = "run.optimizer", .name = "optimizer", .help = "sgd or adam", .recorded = kAlways},
        run.optimizer);
  visit(TrainOption{.field = "run.lr",
                    .name = "lr",
                    .help = "learning rate",
                    .unset = "0.004 for adam, 1 for sgd",
                    .range = kPositiveRange,
                    .automatic = 0,
                    .recorded = kAlways},
        run.lr);
  visit(TrainOption{.field = "run.schedule",
                    .name = "schedule",
                    .help = "constant, cosine (falls along half a wave), linear (falls to 0), plateau (falls when "
                            "validation stops improving), or step (falls after each epoch beyond `run.decay_after`)",
                    .recorded = kAlways},
        run.schedule);
  visit(TrainOption{.field = "run.decay_after",
                    .name = "decay-after",
                    .help = "step: epochs at the full rate",
                    .range = kCountRange,
                    .recorded = kUnlessDefault,
                    .only_with = {"run.schedule", "step"}},
        run.decay_after);
  visit(TrainOption{.field = "run.decay",
                    .name = "decay",
                    .help = "step: each epoch after those divides the rate by X",
                    .unset = "2",
                    .range = {.least = 1, .most = std::numeric_limits<double>::max(), .with_least = false},
                    .recorded = kUnlessDefault,
                    .only_with = {"run.schedule", "step"}},
        run.decay);
  visit(TrainOption{.field = "run.warmup",
                    .name = "warmup",
                    .help = "steps in which the learning rate rises from 0",
                    .unset = "a twentieth of the run, at most 100; 0 for sgd",
                    .range = {.least = 0, .most = kCountRange.most},
                    .automatic = -1,
                    .recorded = kAlways},
        run.warmup);
  visit(TrainOption{.field = "run.clip",
                    .name = "clip",
                    .help = "scale gradients down to this norm; 0: never",
                    .range = kFactorRange,
                    .recorded = kAlways},
        run.clip);
  visit(TrainOption{.field = "run.momentum",
                    .name = "momentum",
                    .help = "sgd: share of the last update's direction that is kept",
                    .range = kShareRange,
                    .recorded = kUnlessDefault,
                    .only_with = {"run.optimizer", "sgd"}},
        run.momentum);
  visit(TrainOption{.field = "run.beta2",
                    .name = "beta2",
                    .help = "adam: share of the mean of squares that is kept",
                    .range = kShareRange,
                    .recorded = kUnlessDefault,
                    .only_with = {"run.optimizer", "adam"}},
        run.beta2);
  visit(TrainOption{.field = "run.weight_decay",
                    .name = "weight-decay",
                    .help = "at each step, matrices lose this share times the learning rate",
                    .range = kFactorRange,
                    .recorded = kUnlessDefault},
        run.weight_decay);
}

template <class Options, class Visit>
void for_each_schedule_option(Options& options, const Visit& visit) {
  using enum Recorded;
  auto& run = options.run;
  visit(TrainOption{.field = "run.average",
                    .name = "average",
                    .help = "validate averaged weights next to the last ones, and keep the best of all. none; ema: an "
                            "exponential moving average; triggered: the mean since validation stopped improving",
                    .recorded = kUnlessDefault},
        run.average);
  visit(TrainOption{.field = "run.ema_decay",
                    .name = "ema-decay",
                    .help = "ema: share of itself that the average keeps at each step",
                    .range = {.least = 0, .most = 1, .with_least = false, .with_most = false},
                    .recorded = kUnlessDefault,
                    .only_with = {"run.average", "ema"}},
        run.ema_decay);
  visit(TrainOption{.field = "run.nonmono",
                    .name = "nonmono",
                    .help = "triggered: starts when validation is worse than the best of all but the last N",
                    .range = kCountRange,
                    .recorded = kUnlessDefault,
                    .only_with = {"run.average", "triggered"}},
        run.nonmono);
  visit(TrainOption{.field = "run.validate_every",
                    .name = "validate-every",
                    .help = "validate every N steps",
                    .unset = "after each epoch, but ten times in a run, at a tenth of its time at most",
                    .range = kCountRange,
                    .automatic = 0,
                    .recorded = kUnlessDefault},
        run.validate_every);
  visit(TrainOption{.field = "run.patience",
                    .name = "patience",
                    .help = "end the run after N validations without a new best",
                    .unset = "never",
                    .range = kCountRange,
                    .automatic = 0,
                    .recorded = kUnlessDefault},
        run.patience);
  visit(TrainOption{.field = "run.bptt_jitter",
                    .name = "bptt-jitter",
                    .help = "cut the text up to N steps earlier or later, anew in each epoch",
                    .range = {.least = 0, .most = kWindowRange.most},
                    .recorded = kUnlessDefault},
        run.bptt_jitter);
  visit(TrainOption{.field = "run.epochs",
                    .name = "epochs",
                    .help = "train for N passes over the text",
                    .unset = "10 without `run.steps` and `run.minutes`; to tag 8, to classify by the number of texts",
                    .range = kCountRange},
        run.epochs);
  visit(TrainOption{.field = "run.steps", .name = "steps", .help = "train for N updates", .range = kCountRange},
        run.steps);
  visit(
      TrainOption{.field = "run.minutes",
                  .name = "minutes",
                  .help = "train for X minutes from start to exit; a short measurement turns them into steps. Without "
                          "options of network, regularisation and updates, these are what the minutes pay for on "
                          "this machine. The plan says how to repeat the run",
                  .range = {.least = 0, .most = 1e6, .with_least = false}},
      run.minutes);
  visit(TrainOption{.field = "run.precision",
                    .name = "precision",
                    .help = "numbers that products multiply: f32, or bf16 (about twice as fast on processors that have "
                            "it; sums, weights and the saved model stay f32); auto: bf16 where the processor has it",
                    .unset = "auto",
                    .recorded = kAlways},
        run.precision);
  visit(TrainOption{.field = "run.seed",
                    .name = "seed",
                    .help = "start of all random numbers: same seed, same result",
                    .recorded = kAlways},
        run.seed);
  visit(TrainOption{.field = "run.threads",
                    .name = "threads",
                    .help = "threads; any number gives the same model",
                    .unset = "all usable cores",
                    .range = {.least = 1, .most = 1024},
                    .automatic = 0},
        run.threads);
}

// The options that `run.fit_to_minutes` decides about.
template <class Options, class Visit>
void for_each_fitted_option(Options& options, const Visit& visit) {
  for_each_network_option(options, visit);
  for_each_regularization_option(options, visit);
  for_each_update_option(options, visit);
}

template <class Options, class Visit>
void for_each_file_option(Options& options, const Visit& visit) {
  auto& files = options.files;
  visit(TrainOption{.field = "files.save", .name = "save", .help = "the model file to write; required"}, files.save);
  visit(TrainOption{.field = "files.save_every",
                    .name = "save-every",
                    .help = "save what `files.resume` needs every N steps",
                    .unset = "about every 30 s",
                    .range = kCountRange,
                    .automatic = 0},
        files.save_every);
  visit(TrainOption{.field = "files.resume",
                    .name = "resume",
                    .help = "continue an interrupted run from where it was saved; give the same options again"},
        files.resume);
  visit(TrainOption{.field = "files.overwrite", .name = "overwrite", .help = "replace an existing model"},
        files.overwrite);
  visit(TrainOption{.field = "files.from",
                    .name = "from",
                    .help = "start from this model's weights; its network and tokenizer are kept"},
        files.from);
}

// Calls visit(option, value) for every option but text.paths, with `value` a reference into `options`. The order is the
// record's in a model file. `visit` must take every type of a value: bool, std::int64_t, int, std::uint64_t,
// double, std::string, lists of whole numbers, optional numbers, precision and begin policy, and the enumerations.
template <class Options, class Visit>
void for_each_option(Options& options, const Visit& visit) {
  for_each_text_option(options, visit);
  for_each_network_option(options, visit);
  for_each_regularization_option(options, visit);
  for_each_update_option(options, visit);
  for_each_schedule_option(options, visit);
  for_each_file_option(options, visit);
  for_each_task_option(options, visit);
  for_each_transfer_option(options, visit);
}

}  // namespace unroll
