#include "unroll/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "adapt/adaptive_stream.h"
#include "base/stopwatch.h"
#include "infer/evaluate_ids.h"
#include "infer/ngram_mixture.h"
#include "infer/predicted_text.h"
#include "infer/prediction.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// NaN where there is nothing to take the mean of.
double mean(double sum, std::int64_t count) {
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

double bits(double nats) { return nats / std::numbers::ln2; }

Accounting accounting_of(const EvaluateOptions& options, StatePolicy state) {
  return {.state = state, .end = options.end, .unknown = options.unknown, .unknown_words = options.unknown_words};
}

// A text as ids, and which of them count.
struct CountedText {
  [[nodiscard]] LossSums sum_of(std::span<const double> log_probs) const {
    return evaluation_of(encoded.ids, log_probs, symbols, accounting);
  }
  [[nodiscard]] bool has(std::size_t position) const { return is_counted(accounting, symbols, encoded.ids, position); }
  [[nodiscard]] bool gives_symbols() const { return symbols.reading.begin == BeginPolicy::kNone; }

  const EncodedText& encoded;
  Symbols symbols;
  Accounting accounting;
  std::string name;
};

Evaluation summary(const LossSums& sum, const CountedText& text) {
  const EncodedText& encoded = text.encoded;
  Evaluation result;
  result.tokens = sum.tokens;
  result.unknown_tokens = encoded.unknown;
  const LossFigures figures = figures_of(sum);
  result.nats_per_token = figures.nats_per_token;
  result.perplexity = figures.perplexity;
  result.nats_per_known_token = figures.nats_per_known_token;
  result.perplexity_without_unknown = figures.perplexity_without_unknown;
  result.characters = encoded.characters;
  result.bytes = encoded.bytes;
  result.bits_per_char = mean(bits(sum.nats), encoded.characters);
  result.bits_per_byte = mean(bits(sum.nats), encoded.bytes);
  result.comparable = encoded.lossless && encoded.unknown == 0 && text.accounting.end && !text.gives_symbols();
  return result;
}

// ln p of each id by the model, adapted as the options say.
std::vector<double> log_probs_of(const Model& model, std::span<const std::int32_t> ids, const Reading& reading,
                                 const EvaluateOptions& options) {
  Workers workers(options.threads);
  if (!reads_in_order(options.adaptation)) {
    const NetworkWeights weights = packed_weights(model, workers);
    const Cut cut{.reading = reading, .exact = options.exact};
    return log_probs_of_ids({model.config(), weights, workers}, ids, cut, options.adaptation.temperature,
                            options.progress);
  }
  AdaptiveStream stream(model, options.adaptation, reading, workers);
  return stream.log_probs(ids, options.progress);
}

[[noreturn]] void refuse_vocabulary(std::size_t model, const std::string& difference) {
  throw Error(ErrorCode::kUsage,
              fmt::format("models 1 and {} cannot be averaged, their vocabularies differ: {}; average models that were "
                          "trained on the same text",
                          model, difference));
}

// Throws unless `other`, the tokenizer of model number `model`, makes the same ids as `first`.
void expect_same_vocabulary(const Tokenizer& first, const Tokenizer& other, std::size_t model) {
  if (first.kind() != other.kind()) {
    refuse_vocabulary(model, fmt::format("the tokenizers are {} and {}", tokenizer_kind_name(first.kind()),
                                         tokenizer_kind_name(other.kind())));
  }
  if (first.lowercase() != other.lowercase()) refuse_vocabulary(model, "one folds words to lower case");
  if (first.sentencepiece_model() != other.sentencepiece_model()) refuse_vocabulary(model, "SentencePiece's models");
  for (std::int32_t id = 0; id < std::min(first.size(), other.size()); ++id) {
    if (first.symbol(id) == other.symbol(id)) continue;
    refuse_vocabulary(model, fmt::format("symbol {} is \"{}\" and \"{}\"", id, first.symbol(id), other.symbol(id)));
  }
  if (first.size() != other.size()) {
    refuse_vocabulary(model, fmt::format("they have {} and {} symbols", first.size(), other.size()));
  }
}

StatePolicy common_state(std::span<const Model> models) {
  const StatePolicy state = models.front().trained_state_policy();
  for (const Model& model : models) {
    if (model.trained_state_policy() == state) continue;
    throw Error(
        ErrorCode::kUsage,
        "some of the models were trained with the state carried on and some with it reset: set `state` to one of "
        "these",
        "state");
  }
  return state;
}

BeginPolicy common_begin(std::span<const Model> models) {
  const BeginPolicy begin = models.front().begin_policy();
  for (const Model& model : models) {
    if (model.begin_policy() == begin) continue;
    throw Error(ErrorCode::kUsage,
                "some of the models begin a text with the boundary and some with nothing: set `begin` to one of these",
                "begin");
  }
  return begin;
}

void expect_counted(const CountedText& text) {
  for (std::size_t i = 0; i < text.encoded.ids.size(); ++i) {
    if (text.has(i)) return;
  }
  const std::string_view given = text.symbols.reading.state == StatePolicy::kReset
                                     ? ", and without the first token of each line, which is given"
                                     : ", and without the first token, which is given";
  throw Error(ErrorCode::kInput,
              fmt::format("{} holds no token that counts: without its line ends and unknown tokens{} there is nothing "
                          "to predict",
                          text.name, text.gives_symbols() ? given : ""));
}

// The evaluation of a text whose ids have these ln p.
Evaluation result_of(const CountedText& text, std::span<const double> log_probs) {
  const LossSums sum = text.sum_of(log_probs);
  if (std::isfinite(sum.nats)) return summary(sum, text);
  throw Error(ErrorCode::kNumeric, fmt::format("the model's prediction of {} is {} nats: its weights or its state "
                                               "overflowed",
                                               text.name, sum.nats));
}

// The first line with a symbol that counts and has probability 0. Requires one.
std::int64_t line_without_probability(const CountedText& text, std::span<const double> log_probs) {
  const std::vector<std::int32_t>& ids = text.encoded.ids;
  std::int64_t line = 1;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (text.has(i) && std::isinf(log_probs[i])) break;
    if (ids[i] == text.symbols.reading.boundary) ++line;
  }
  return line;
}

// Where p is 0, the n-grams' own loss is infinite.
NgramEvaluation with_ngrams(const NgramMixture& mixture, std::span<const double> network, const CountedText& text) {
  const Stopwatch watch;
  std::vector<double> log_probs = mixture.log_probs(text.encoded.ids, text.name);
  NgramEvaluation result{.ngram = summary(text.sum_of(log_probs), text), .mix = {}};
  std::ranges::transform(network, log_probs, log_probs.begin(),
                         [&](double of_network, double of_ngram) { return mixture.mixed(of_network, of_ngram); });
  if (mixture.lambda() == 0 && std::isinf(result.ngram.nats_per_token)) {
    const std::string where = fmt::format("{}, line {}", text.name, line_without_probability(text, log_probs));
    throw Error(ErrorCode::kInput, denied_by_ngrams_message(where));
  }
  result.mix = result_of(text, log_probs);
  result.ngram.seconds = watch.seconds();
  return result;
}

// Evaluates each model, and sets `sums` to ln of the sum of their p of each id.
std::vector<Evaluation> evaluate_each(std::span<const Model> models, const CountedText& text,
                                      const EvaluateOptions& options, std::vector<double>& sums) {
  std::vector<Evaluation> results;
  EvaluateOptions of_one = options;
  for (const Model& model : models) {
    if (options.progress) {
      of_one.progress = [&](std::int64_t done, std::int64_t total) {
        options.progress(std::ssize(results) * total + done, std::ssize(models) * total);
      };
    }
    const Stopwatch watch;
    const std::vector<double> log_probs = log_probs_of(model, text.encoded.ids, text.symbols.reading, of_one);
    const double seconds = watch.seconds();
    results.push_back(result_of(text, log_probs));
    results.back().seconds = seconds;
    if (sums.empty()) {
      sums = log_probs;
    } else {
      std::ranges::transform(sums, log_probs, sums.begin(), log_of_sum);
    }
  }
  return results;
}

AverageEvaluation evaluate_all(std::span<const Model> models, const CountedText& text, const EvaluateOptions& options,
                               const std::optional<NgramMixture>& mixture) {
  std::vector<double> sums;
  AverageEvaluation result{.models = evaluate_each(models, text, options, sums), .average = {}};
  if (models.size() > 1) {
    const double log_count = std::log(static_cast<double>(models.size()));
    for (double& sum : sums) sum -= log_count;
  }
  result.average = result_of(text, sums);
  for (const Evaluation& evaluation : result.models) result.average.seconds += evaluation.seconds;
  if (mixture) {
    result.ngram = with_ngrams(*mixture, sums, text);
    result.ngram->mix.seconds = result.average.seconds + result.ngram->ngram.seconds;
  }
  return result;
}

}  // namespace

Evaluation evaluate(const Model& model, const NamedText& text, const EvaluateOptions& options) {
  const AverageEvaluation all = evaluate_average(std::span(&model, 1), text, options);
  return all.ngram ? all.ngram->mix : all.average;
}

AverageEvaluation evaluate_average(std::span<const Model> models, const NamedText& text,
                                   const EvaluateOptions& options) {
  check(options.adaptation);
  check(accounting_of(options, options.state.value_or(StatePolicy::kReset)));
  if (models.empty()) throw Error(ErrorCode::kUsage, "there is no model to evaluate: give one at least");
  const Tokenizer& tokenizer = models.front().tokenizer();
  for (std::size_t i = 1; i < models.size(); ++i) expect_same_vocabulary(tokenizer, models[i].tokenizer(), i + 1);
  const EncodedText encoded = encode_to_predict(tokenizer, text);
  const std::optional<NgramMixture> mixture = mixture_of(options.ngram, tokenizer);
  const StatePolicy state = options.state ? *options.state : common_state(models);
  const BeginPolicy begin = options.begin ? *options.begin : common_begin(models);
  const CountedText counted{.encoded = encoded,
                            .symbols = symbols_of(tokenizer, state, begin),
                            .accounting = accounting_of(options, state),
                            .name = text.name};
  expect_counted(counted);
  AverageEvaluation result = evaluate_all(models, counted, options, mixture);
  const auto describe = [&](Evaluation& evaluation) {
    evaluation.state = state;
    evaluation.begin = begin;
    evaluation.exact = options.exact || reads_in_order(options.adaptation);
  };
  std::ranges::for_each(result.models, describe);
  describe(result.average);
  if (result.ngram) {
    describe(result.ngram->ngram);
    describe(result.ngram->mix);
  }
  return result;
}

}  // namespace unroll
