// Trains a network on files and saves it as one model file: a language model, or one for another task.
//
//   TrainOptions options;  // or default_options(TaskKind::kClassify)
//   options.text.paths = {"book.txt"};
//   options.files.save = "book.safetensors";
//   options.run.minutes = 2;
//   const TrainResult result = train(options);
//
// The defaults do well on a small text. unroll/train_options.h lists every option with its name, range and description,
// for programs that read options from a command line, a file or a request.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/begin_policy.h"
#include "unroll/data/columns.h"
#include "unroll/data/data_report.h"
#include "unroll/data/dense.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/judge/calibration.h"
#include "unroll/model.h"
#include "unroll/ranks.h"
#include "unroll/regularization.h"
#include "unroll/state_policy.h"

namespace unroll {

enum class Optimizer { kSgd, kAdam };
enum class Schedule { kConstant, kCosine, kLinear, kPlateau, kStep };
enum class Average { kNone, kEma, kTriggered };
enum class Init { kUniform, kIdentity, kChrono };
enum class Softmax { kFull, kAdaptive, kSampled };
enum class Transitions { kNone, kCrf };
enum class InputKind { kText, kDense };

// Names of these values ("sgd", "adam"; "constant", "cosine", ...), and the value of a name. Parsing throws
// Error{kUsage} that lists the names.
[[nodiscard]] std::string_view optimizer_name(Optimizer optimizer) noexcept;
[[nodiscard]] Optimizer parse_optimizer(std::string_view name);
[[nodiscard]] std::string_view schedule_name(Schedule schedule) noexcept;
[[nodiscard]] Schedule parse_schedule(std::string_view name);
[[nodiscard]] std::string_view average_name(Average average) noexcept;
[[nodiscard]] Average parse_average(std::string_view name);
[[nodiscard]] std::string_view softmax_name(Softmax softmax) noexcept;
[[nodiscard]] Softmax parse_softmax(std::string_view name);
[[nodiscard]] std::string_view init_name(Init init) noexcept;
[[nodiscard]] Init parse_init(std::string_view name);
[[nodiscard]] std::string_view transitions_name(Transitions transitions) noexcept;
[[nodiscard]] Transitions parse_transitions(std::string_view name);
[[nodiscard]] std::string_view input_name(InputKind input) noexcept;
[[nodiscard]] InputKind parse_input(std::string_view name);

// ---- options that decide what is learned

// The text to learn from, and the text to validate on.
struct TextOptions {
  std::vector<std::string> paths = {};  // read as one text; "-" is standard input; .gz is unpacked
  std::string valid = {};               // path of a validation text; empty: the tail of the text, see valid_split
  double valid_split =
      0.1;  // share of the text that is held out at its end; 0: no validation, the last weights are kept
  // Validations read the first so many tokens of the validation text. 0: all of it; with run.minutes, what a tenth of
  // the time pays for.
  std::int64_t valid_tokens = 0;
  StatePolicy state = StatePolicy::kCarry;  // kReset: each line is learned by itself
  // What is read before the first symbol of the text and, with kReset, of each line; the model keeps it. Empty: that of
  // files.from, else kBoundary.
  std::optional<BeginPolicy> begin = {};
};

// What the network learns to answer, and how the files say it. Paths are those of TextOptions.
struct TaskOptions {
  TaskKind kind = TaskKind::kLanguage;
  LabelledTextOptions texts = {};  // kClassify, kConditional
  ColumnOptions columns = {};      // kTag
  // kDense: sequences of vectors of numbers instead of texts: a label of each (kClassify), a label of each step (kTag),
  // or numbers to learn (kRegress, which reads nothing else). Targets are those that the task has, paths those of
  // TextOptions.
  InputKind input = InputKind::kText;
  DenseOptions dense = {};
  std::vector<std::string> valid_targets = {};  // kDense: of text.valid, where that is an array
  std::optional<DenseScale> scale = {};         // kDense: unset: default_scale()
  // kClassify, kRegress: what is read out of a text's outputs; not kSteps.
  Readout readout = Readout::kConcat;
  bool bidirectional = true;  // kClassify, kTag, kRegress: read texts in both directions
  // kTag, kClassify, where tokens are words: units in each direction of a network over the characters of words; 0:
  // there is none. Unset: 30 of kTag, else 0.
  std::optional<std::int64_t> characters = {};
  Transitions transitions = Transitions::kCrf;  // kTag: kCrf learns which label follows which
  // kClassify: what the loss of a text is multiplied by, for its label: "balanced", texts / (labels * texts of the
  // label), or "a=2,b=1"; empty: 1.
  std::string class_weights = {};
  // kClassify: validate on fold number `fold` (from 1) of so many, instead of text.valid_split; 0: no folds.
  std::int64_t folds = 0;
  std::int64_t fold = 0;
};

// The network. With files.from, that model's network is taken instead.
struct NetworkOptions {
  Cell cell = Cell::kLstm;
  std::int64_t layers = 1;
  std::int64_t hidden = 256;  // units per recurrent layer
  std::int64_t embed = 0;     // numbers per embedded token; 0: as hidden
  bool tied = false;          // the output layer shares the embedding's weights: fewer parameters
  bool layer_norm = false;    // layer normalisation inside the cells
  // kAdaptive: another model, much faster with a large vocabulary. kSampled: the model of kFull, trained on an estimate
  // of its loss from a sample of the vocabulary; validation is exact.
  Softmax softmax = Softmax::kFull;
  std::int64_t samples = 0;                // kSampled: tokens drawn in each step; 0: V / 10, 8192 at most
  std::vector<std::int64_t> cutoffs = {};  // kAdaptive: see NetworkConfig; empty: default_cutoffs(V)
  bool residual = false;                   // layers above the first add their input to their output
};

// How the network is trained.
struct RunOptions {
  // Initial weights.
  // kIdentity: rnn-relu only; W starts as the identity (Le et al. 2015). kChrono: lstm, gru*, min-gru and min-lstm;
  // biases of gates make units that remember for 2 to chrono_steps steps (Tallec & Ollivier 2018).
  Init init = Init::kUniform;
  double init_range = 0;          // matrices start uniform in +-init_range; 0: +-1/sqrt(H), the embedding by its size
  std::int64_t chrono_steps = 0;  // kChrono: the longest memory that a unit starts with; 0: as bptt

  // Batches.
  std::int64_t batch_size = 16;  // B: rows of text side by side; fewer where the text is short
  std::int64_t bptt = 64;        // T: steps that gradients go back in time

  // R, a power of two: the rows of a batch are dealt to so many replicas, whose gradients are added in a fixed tree.
  // They are what several processes share (unroll/ranks.h): at most R of them train together, and the model is the same
  // for any number of them. It is another one for another R, by rounding.
  std::int64_t replicas = 1;

  // Updates.
  Optimizer optimizer = Optimizer::kAdam;
  double lr = 0;  // learning rate; 0: 0.004 for Adam, 1 for SGD
  Schedule schedule = Schedule::kCosine;
  std::optional<std::int64_t> decay_after = {};  // kStep: epochs at the full rate; required
  std::optional<double> decay = {};              // kStep: each later epoch divides the rate by this; default 2
  std::int64_t warmup = -1;  // steps of linear warm-up; -1: a twentieth of the run, at most 100, none for SGD
  double clip = 1;           // gradients are scaled down to this norm; 0: never
  double momentum = 0;       // SGD: v = momentum v + g, w -= lr v
  double beta2 = 0.999;      // Adam: decay of its mean of squares
  double weight_decay = 0;   // w -= lr weight_decay w, decoupled from the gradient; matrices only

  // Averaged weights: a second copy, validated next to the last weights; the best of all become the model. Without
  // validation, kEma's average does. kEma: exponential moving average. kTriggered: mean since the first validation that
  // was worse than the best of those more than `nonmono` validations before it (Merity et al. 2018).
  Average average = Average::kNone;
  double ema_decay = 0.999;  // kEma: share of itself that the average keeps at each step
  std::int64_t nonmono = 5;  // kTriggered

  // Validation.
  std::int64_t validate_every = 0;  // steps; 0: every epoch, but ten times per run, at a tenth of its cost at most
  std::int64_t patience = 0;        // the run ends after so many validations without a new best; 0: never

  // J: windows are cut up to J steps earlier or later, anew in each epoch; 2 J < T. The rate of each step is multiplied
  // by its window's length / T.
  std::int64_t bptt_jitter = 0;

  // Length: at most one of these. None: 10 epochs; of kTag 8; of numbers 20; of kClassify 6, but more where these are
  // fewer than 1,500 updates (of characters 4,000), up to 40, and fewer where they are more than 9,000.
  std::optional<std::int64_t> epochs = {};
  std::optional<std::int64_t> steps = {};
  std::optional<double> minutes = {};  // wall time from start to exit; a short measurement turns it into steps
  // With `minutes`, and without files.from: network, dropout, batch_size, bptt and lr, which then have their defaults
  // here, are the largest of a few settings that the minutes pay for on this machine. A resumed run keeps what it began
  // with.
  bool fit_to_minutes = false;

  // Precision of products; weights and sums are f32 always, and validation is computed in f32. Empty: bf16 where the
  // processor multiplies it natively, else f32; a resumed run keeps what it began with. kInt8 is refused.
  std::optional<Precision> precision = {};
  std::uint64_t seed = 1;  // of all random numbers

  // ---- changes the speed, and no bit of the result
  int threads = 0;  // 0: one per core that the process may use

  bool plan_only = false;  // report the plan to the observer, and return: nothing is trained or written
};

// ---- options that decide where results go, not what they are (but for `from`)

struct FileOptions {
  std::string save = {};        // the model file; required
  std::int64_t save_every = 0;  // steps between saves of what resuming needs; 0: about every 30 s
  bool resume = false;          // continue from save + ".resume" where it exists; the options must be the same
  bool overwrite = false;       // replace an existing model; otherwise one is refused
  std::string from = {};        // start from this model's weights, network and tokenizer; empty: from random weights
};

// What a classifier or tagger of texts starts from instead of random weights, and how that is kept.
struct TransferOptions {
  // A language model whose tokenizer, embedding and layers are taken: of one direction, or of both as `unlabelled`
  // trains it. Sizes of what is taken are its own.
  std::string init = {};
  // Texts without labels, a line each: a language model of these and of the texts to train on is trained first, with
  // the network's sizes and in its directions, and saved at language_model_path(files.save).
  std::string unlabelled = {};
  std::int64_t unlabelled_epochs = 4;  // passes over those texts
  // Word vectors in the text form of word2vec and of GloVe, .gz or not: the embedding of words that they have starts as
  // these, that of others at random with numbers of their size. They decide network.embed, unless that is another value
  // than default_options() has; tokens must be words. Any task that reads text.
  std::string vectors = {};
  // The learning rate of each layer is that of the layer above divided by this, from the output layer down to the
  // embedding (Howard & Ruder 2018).
  double layer_decay = 1;
  // Gradual unfreezing: in the first so many epochs the output layer learns alone, then with the layer below it, and so
  // on down to the embedding; 0: all layers learn from the start.
  std::int64_t unfreeze = 0;
};

// As regularization.input of a classifier of words: decided by the number of texts to learn from.
constexpr double kByTexts = -1;

struct TrainOptions {
  TextOptions text = {};
  TaskOptions task = {};
  TransferOptions transfer = {};
  TokenizerOptions tokenizer = {};
  NetworkOptions network = {};
  Regularization regularization = {};
  RunOptions run = {};
  FileOptions files = {};
};

// Options whose defaults do well at a task: those of a language model are TrainOptions(). kRegress is kDense always. To
// classify texts, characters and bytes (kChar, kByte) want other ones than words; without `tokenizer` it is the task's.
[[nodiscard]] TrainOptions default_options(TaskKind task, InputKind input = InputKind::kText,
                                           std::optional<TokenizerKind> tokenizer = {});

// ---- what a run reports

// One line of a plan: what takes memory, and how much.
struct MemoryItem {
  std::string name;
  std::int64_t bytes = 0;
};

// The files that train() replaces: the model, what resuming needs, and with transfer.unlabelled those of its language
// model.
[[nodiscard]] std::vector<std::string> written_files(const TrainOptions& options);

// Where the language model of transfer.unlabelled is saved: "m.language.safetensors" for "m.safetensors".
[[nodiscard]] std::string language_model_path(const std::string& save);

// What a run is going to do, reported before its first step.
struct TrainPlan {
  NetworkConfig config;
  std::int64_t samples = 0;  // of a sampled softmax; 0: the training loss is exact
  Precision precision = Precision::kF32;
  std::string precision_reason;  // why it was chosen: "this processor multiplies bf16"; empty if it was asked for
  std::int64_t parameters = 0;
  std::vector<MemoryItem> memory = {};
  std::int64_t memory_bytes = 0;       // sum of `memory`
  double flops_per_token = 0;          // 6 per multiplied weight
  double uniform_nats = 0;             // ln V: the loss of a uniform guess
  std::int64_t train_tokens = 0;       // predictions in one epoch
  std::int64_t valid_tokens = 0;       // of a validation; 0: there is none
  std::int64_t valid_text_tokens = 0;  // of the whole validation text
  // Tokens of both texts that the vocabulary lacks: the network learns, and validation counts, the unknown symbol.
  std::int64_t train_unknown_tokens = 0;
  std::int64_t valid_unknown_tokens = 0;
  TaskKind task = TaskKind::kLanguage;  // of others, tokens of an epoch and of a validation are answers
  std::string scheme = {};              // kTag: the scheme of labels for spans; empty: they mark none
  std::int64_t train_texts = 0;         // of other tasks
  std::int64_t valid_texts = 0;
  std::int64_t train_symbols = 0;  // that the network reads
  std::int64_t valid_symbols = 0;
  std::int64_t batch_size = 0;  // may be smaller than asked for where the text is short
  std::int64_t bptt = 0;
  std::int64_t bptt_jitter = 0;
  std::int64_t steps = 0;  // of the whole run
  std::int64_t steps_per_epoch = 0;
  std::int64_t validate_every = 0;  // steps
  std::int64_t save_every = 0;      // steps
  std::int64_t first_step = 0;      // > 0: resumed after so many reported steps
  TokenizerKind tokenizer = TokenizerKind::kChar;
  double seconds_per_step = 0;  // measured; 0: unknown (not measured yet)
  // What a run of minutes decided when it began, names and values of options: instead of `minutes`, they repeat it.
  std::vector<std::pair<std::string, std::string>> decided = {};
  int threads = 0;
  std::int64_t replicas = 1;
  std::vector<std::string> hosts = {};   // of each rank
  std::int64_t sent_bytes_per_step = 0;  // by this rank, in the last step measured; 0: one rank, or not measured
  double exchange_share = 0;             // of a step's time that this rank sends, receives and waits; likewise
};

// One step, or one step and the validation after it.
struct StepReport {
  std::int64_t step = 0;    // counted from 1
  std::int64_t tokens = 0;  // predictions trained on so far
  double nats_per_token = 0;
  double lr = 0;
  double grad_norm = 0;                                     // before clipping
  double tokens_per_s = 0;                                  // of this step
  std::optional<double> valid_nats_per_token = {};          // of the last weights
  std::optional<double> average_valid_nats_per_token = {};  // of the averaged ones
  std::optional<double> valid_accuracy = {};                // of the better of both, where answers are labels
};

// Called while a run goes on, from the thread that called train(). Empty functions are skipped.
struct TrainObserver {
  // A sentence for people: "batch size 16 -> 4: the text has 9 tokens, ...". Names fields as Error does.
  std::function<void(std::string_view)> on_note = {};
  std::function<void(const DataReport&)> on_data = {};  // of labelled texts, once they are read
  // Before the first step; with transfer.unlabelled before the first of the language model too, whose task is
  // kLanguage.
  std::function<void(const TrainPlan&)> on_plan = {};
  std::function<void(const StepReport&)> on_step = {};  // after each step, before a save of that step
  // After on_step, and once before the first step, with the step after which the run begins. `present` copies the last
  // weights into a model, f32, which may outlive the run. Nothing that is done with it changes a bit of the run.
  std::function<void(std::int64_t step, const std::function<Model()>& present)> on_weights = {};
  std::function<void(std::int64_t done, std::int64_t total)> on_validation = {};  // during validation: predictions
  std::function<void(std::int64_t step)> on_save = {};  // after files of that step are safe on disk
  // Asked once the text is read, while steps are measured, after each step and during validation. The first true stops:
  // what was trained is saved, and train() returns as interrupted.
  std::function<bool()> stop_requested = {};
};

struct TrainResult {
  bool already_complete = false;  // resumed a finished run: nothing was done
  bool interrupted = false;       // stopped by stop_requested; files.resume continues the run
  bool stopped_early = false;     // stopped by run.patience; the run is complete
  std::int64_t steps = 0;         // made so far, resumed ones included; 0: interrupted before any, nothing was written
  std::int64_t tokens = 0;
  double nats_per_token = 0;  // mean training loss of the last steps
  std::optional<double> best_valid_nats_per_token = {};
  std::optional<double> best_valid_accuracy = {};  // where answers are labels
  std::optional<Temperature> temperature = {};     // of a classifier, chosen on the texts to validate on
  std::int64_t best_step = 0;                      // the step whose weights are in the model file
  bool best_is_average = false;                    // they are the average as of that step
  std::int64_t train_unknown_tokens = 0;           // as in TrainPlan
  std::int64_t valid_unknown_tokens = 0;
  double seconds = 0;  // of this call
};

// Trains until the run's length is reached and keeps the model that is best on validation in options.files.save.
//
// Same text, options, seed and instruction set give the same file, bit for bit, for any number of threads, and whether
// or not the run was killed and resumed on the way. While it runs, save + ".resume" holds all that is needed to
// continue; it is removed at the end. Files are replaced as a whole or not at all. A lock, ".NAME.unroll-lock" in the
// folder of save, keeps other processes from training to the same path; it is taken once the text is read.
// Throws Error; files saved before stay as they are. No file is replaced that the run reads, nor one at
// save + ".resume" that is not a resume file: Error{kUsage}.
TrainResult train(const TrainOptions& options, const TrainObserver& observer = {});

// The same by several processes together, at most run.replicas, each of which makes this call with the same options but
// for threads. The model has the bits that a single one makes. Each needs the files that are read; rank 0 alone writes.
// The run stops when stop_requested is true on any rank. Throws Error{kUsage} on all ranks where options, texts or
// instruction sets differ among them. Of a failure on one rank all throw the error. Error{kPeer} where a rank does not
// answer is the end of the run; what was saved before is whole.
TrainResult train_together(const TrainOptions& options, const TrainObserver& observer, Ranks& ranks);

}  // namespace unroll
