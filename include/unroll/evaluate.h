// How well a model predicts a text.
//
//   const auto model = unroll::Model::load("book.safetensors");
//   const std::string text = unroll::read_text("test.txt");
//   std::cout << unroll::evaluate(model, {text, "'test.txt'"}).perplexity << '\n';
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/adapt/adaptation.h"
#include "unroll/begin_policy.h"
#include "unroll/model.h"
#include "unroll/ngram/ngram.h"
#include "unroll/score/accounting.h"
#include "unroll/score/loss_sums.h"
#include "unroll/state_policy.h"
#include "unroll/text.h"

namespace unroll {

struct EvaluateOptions {
  std::optional<StatePolicy> state = {};  // empty: what the model was trained with
  std::optional<BeginPolicy> begin = {};  // empty: the model's
  bool exact = false;                     // with carried state: one piece instead of warmed-up pieces; slower
  bool end = true;                        // boundaries count; this and the next two are those of Accounting
  UnknownPolicy unknown = UnknownPolicy::kScore;
  std::int64_t unknown_words = 1;
  Adaptation adaptation = {};                                                // a cache makes the evaluation exact
  std::optional<NgramMix> ngram = {};                                        // mixed with the model
  int threads = 0;                                                           // 0: one per core that the process may use
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // predictions; may be empty
};

struct Evaluation {
  std::int64_t tokens = 0;  // predictions that count: each symbol of the text, unless the options leave some out or
                            // BeginPolicy::kNone gives them
  std::int64_t unknown_tokens = 0;        // unknown symbols of the text
  double nats_per_token = 0;              // mean of -ln p
  double perplexity = 0;                  // exp(nats_per_token)
  double nats_per_known_token = 0;        // the mean over tokens that are not the unknown symbol
  double perplexity_without_unknown = 0;  // exp of that
  std::int64_t characters = 0;            // code points of the text
  std::int64_t bytes = 0;                 // of the text
  double bits_per_char = 0;               // total / characters, in bits
  double bits_per_byte = 0;               // total / bytes, in bits
  bool comparable = false;  // bits can be compared between tokenizers: nothing is lost, unknown, given or left out
  StatePolicy state = StatePolicy::kCarry;
  BeginPolicy begin = BeginPolicy::kBoundary;
  bool exact = false;  // the text was read as one piece
  double seconds = 0;  // spent predicting
};

// Predicts each symbol of a text from those before it.
//
// Carried state: the text is cut into pieces by a rule that depends on its length alone, each warmed up on the 256
// symbols before it, so that pieces run side by side; `exact` keeps one piece. Reset: each line by itself. The result
// does not depend on the number of threads. It sums what a Scorer sums under the same policy. Throws Error{kInput} for
// an empty text, one that the tokenizer cannot read and one without a prediction that counts, and Error{kUsage} as
// check(Accounting) does, and for a `state` or a `begin` that needs a boundary which the vocabulary lacks. With
// n-grams, all figures are those of the mixture; errors are the Scorer's.
[[nodiscard]] Evaluation evaluate(const Model& model, const NamedText& text, const EvaluateOptions& options = {});

// How well n-grams predict a text, alone and mixed with the average of the models.
struct NgramEvaluation {
  Evaluation ngram;
  Evaluation mix;
};

// How well several models predict a text, each alone and on average.
struct AverageEvaluation {
  std::vector<Evaluation> models;
  Evaluation average;                         // of p(w) = the mean of the models' p(w); seconds of all of them
  std::optional<NgramEvaluation> ngram = {};  // with EvaluateOptions::ngram, unless lambda is 1
};

// evaluate() for one model or more, and for their average with equal weights; each is adapted by itself. N-grams are
// mixed with the average. A word without probability makes the n-grams' own loss infinite. Throws what evaluate()
// throws, and Error{kUsage} for no model, for a vocabulary or tokenizer that differs from the first model's (naming the
// first difference), and where models were trained with different state or begin policies and options.state or
// options.begin is empty.
[[nodiscard]] AverageEvaluation evaluate_average(std::span<const Model> models, const NamedText& text,
                                                 const EvaluateOptions& options = {});

// The same for the text in the id cache at `path` (unroll/id_cache.h), whose ids are copied into memory: equal to what
// evaluate_average() returns for the text itself. Throws also what verify_id_cache() throws, and Error{kUsage} for a
// cache of another tokenizer than the models', and for one that holds out a part of its text.
[[nodiscard]] AverageEvaluation evaluate_id_cache(std::span<const Model> models, const std::string& path,
                                                  const EvaluateOptions& options = {});

// What a line, or several in order, adds to the evaluation of a text whose state is reset.
struct EvaluationSums {
  std::vector<LossSums> losses =
      {};                           // of each model; of the average of several; with n-grams: of these, of the mixture
  std::int64_t unknown_tokens = 0;  // this and the next three are those of Evaluation
  std::int64_t characters = 0;
  std::int64_t bytes = 0;
  bool is_utf8 = true;   // else the bytes of the text count as its characters
  bool lossless = true;  // the ids decode to the text

  // Adds those of the next line.
  EvaluationSums& operator+=(const EvaluationSums& next);
};

// What EvaluationSums are of.
struct EvaluationKind {
  std::int64_t models = 1;
  bool ngram = false;
  BeginPolicy begin = BeginPolicy::kBoundary;
  bool end = true;
};

// The sums of whole lines, each with its newline (the last line of a text may lack it), one element each. Added in
// order, also those of several calls, they are evaluate_average() of the text to the bit, with StatePolicy::kReset:
// lines may be evaluated in any parts, on several machines. A line without a prediction that counts adds nothing.
// Throws what evaluate_average() throws, naming lines by `names`; Error{kUsage} for a state that is carried, and for
// a cache or dynamic evaluation; Error{kInput} for a line that holds the boundary symbol itself ("<eos>" as a word).
[[nodiscard]] std::vector<EvaluationSums> evaluate_lines(std::span<const Model> models,
                                                         std::span<const std::string_view> lines,
                                                         const EvaluateOptions& options,
                                                         const std::function<std::string(std::size_t line)>& names);

// What evaluate_lines() gives sums of. Throws as that.
[[nodiscard]] EvaluationKind kind_of_lines(std::span<const Model> models, const EvaluateOptions& options);

// The evaluation that such sums add up to; seconds are 0. Throws Error{kInput} where no token counts, and
// Error{kUsage} for another number of losses than `kind` has.
[[nodiscard]] AverageEvaluation evaluation_of(const EvaluationSums& sums, const EvaluationKind& kind);

}  // namespace unroll
