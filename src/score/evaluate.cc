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
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// A mean over nothing is not a number, and says so.
double mean(double sum, std::int64_t count) {
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

double bits(double nats) { return nats / std::numbers::ln2; }

Accounting accounting_of(const EvaluateOptions& options, StatePolicy state) {
  return {.state = state, .end = options.end, .unknown = options.unknown, .unknown_words = options.unknown_words};
}

Evaluation summary(const IdsEvaluation& sum, const EncodedText& text, const Accounting& accounting) {
  Evaluation result;
  result.tokens = sum.tokens;
  result.unknown_tokens = text.unknown;
  result.nats_per_token = mean(sum.nats, sum.tokens);
  result.perplexity = std::exp(result.nats_per_token);
  result.nats_per_known_token =
      sum.unknown == 0 ? result.nats_per_token : mean(sum.nats - sum.unknown_nats, sum.tokens - sum.unknown);
  result.perplexity_without_unknown = std::exp(result.nats_per_known_token);
  result.characters = text.characters;
  result.bytes = text.bytes;
  result.bits_per_char = mean(bits(sum.nats), text.characters);
  result.bits_per_byte = mean(bits(sum.nats), text.bytes);
  result.comparable = text.lossless && text.unknown == 0 && accounting.end;
  return result;
}

// ln p of each id by the model, adapted as the options say.
std::vector<double> log_probs_of(const Model& model, std::span<const std::int32_t> ids, StatePolicy state,
                                 const EvaluateOptions& options) {
  Workers workers(options.threads);
  if (!reads_in_order(options.adaptation)) {
    NetworkWeights weights(model.config(), Purpose::kInference, model.precision());
    weights.pack(model.data().weights.view(), workers);
    return log_probs_of_ids(model.config(), weights, workers, ids, model.tokenizer().boundary(), state, options.exact,
                            options.adaptation.temperature, options.progress);
  }
  AdaptiveStream stream(model, options.adaptation, state, workers);
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
    throw Error(ErrorCode::kUsage,
                "some of the models were trained with the state carried on and some with it reset: "
                "say with --state which to take");
  }
  return state;
}

void expect_counted(const EncodedText& encoded, const Tokenizer& tokenizer, const Accounting& accounting,
                    const std::string& name) {
  const auto counts = [&](std::int32_t id) {
    return is_counted(accounting, id, tokenizer.boundary(), tokenizer.unknown());
  };
  if (std::ranges::any_of(encoded.ids, counts)) return;
  throw Error(ErrorCode::kInput,
              fmt::format("'{}' holds no token that counts: line ends and unknown tokens that are left out leave "
                          "nothing to predict",
                          name));
}

// What these predictions of the text amount to.
Evaluation result_of(const EncodedText& encoded, std::span<const double> log_probs, const Tokenizer& tokenizer,
                     const Accounting& accounting, const std::string& name) {
  const IdsEvaluation sum =
      evaluation_of(encoded.ids, log_probs, tokenizer.boundary(), tokenizer.unknown(), accounting);
  if (std::isfinite(sum.nats)) return summary(sum, encoded, accounting);
  throw Error(ErrorCode::kNumeric, fmt::format("the model's prediction of '{}' is {} nats: its weights or its state "
                                               "overflowed",
                                               name, sum.nats));
}

// The first line with a symbol that counts and has probability 0. Requires one.
std::int64_t line_without_probability(std::span<const std::int32_t> ids, std::span<const double> log_probs,
                                      const Tokenizer& tokenizer, const Accounting& accounting) {
  std::int64_t line = 1;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool counted = is_counted(accounting, ids[i], tokenizer.boundary(), tokenizer.unknown());
    if (counted && std::isinf(log_probs[i])) break;
    if (ids[i] == tokenizer.boundary()) ++line;
  }
  return line;
}

// Where p is 0, the n-grams' own loss is infinite.
NgramEvaluation with_ngrams(const NgramMixture& mixture, std::span<const double> network, const EncodedText& encoded,
                            const Tokenizer& tokenizer, const Accounting& accounting, const std::string& name) {
  const auto summed = [&](std::span<const double> log_probs) {
    return evaluation_of(encoded.ids, log_probs, tokenizer.boundary(), tokenizer.unknown(), accounting);
  };
  const Stopwatch watch;
  std::vector<double> log_probs = mixture.log_probs(encoded.ids);
  NgramEvaluation result{.ngram = summary(summed(log_probs), encoded, accounting), .mix = {}};
  std::ranges::transform(network, log_probs, log_probs.begin(),
                         [&](double of_network, double of_ngram) { return mixture.mixed(of_network, of_ngram); });
  if (mixture.lambda() == 0 && std::isinf(result.ngram.nats_per_token)) {
    refuse_denied(
        fmt::format("'{}', line {}", name, line_without_probability(encoded.ids, log_probs, tokenizer, accounting)));
  }
  result.mix = result_of(encoded, log_probs, tokenizer, accounting, name);
  result.ngram.seconds = watch.seconds();
  return result;
}

}  // namespace

Evaluation evaluate(const Model& model, const std::string& text, const std::string& name,
                    const EvaluateOptions& options) {
  const AverageEvaluation all = evaluate_average(std::span(&model, 1), text, name, options);
  return all.ngram ? all.ngram->mix : all.average;
}

AverageEvaluation evaluate_average(std::span<const Model> models, const std::string& text, const std::string& name,
                                   const EvaluateOptions& options) {
  check(options.adaptation);
  check(accounting_of(options, StatePolicy::kReset));
  if (models.empty()) throw Error(ErrorCode::kUsage, "there is no model to evaluate: give one at least");
  const Tokenizer& tokenizer = models.front().tokenizer();
  for (std::size_t i = 1; i < models.size(); ++i) expect_same_vocabulary(tokenizer, models[i].tokenizer(), i + 1);
  const EncodedText encoded = encode_to_predict(tokenizer, text, name);
  const std::optional<NgramMixture> mixture = mixture_of(options.ngram, tokenizer);
  const StatePolicy state = options.state ? *options.state : common_state(models);
  const Accounting accounting = accounting_of(options, state);
  expect_counted(encoded, tokenizer, accounting, name);

  AverageEvaluation result;
  std::vector<double> sums;  // ln of the sum of the models' p
  double seconds = 0;
  EvaluateOptions of_one = options;
  for (const Model& model : models) {
    if (options.progress) {
      of_one.progress = [&](std::int64_t done, std::int64_t total) {
        options.progress(std::ssize(result.models) * total + done, std::ssize(models) * total);
      };
    }
    const Stopwatch watch;
    const std::vector<double> log_probs = log_probs_of(model, encoded.ids, state, of_one);
    const double elapsed = watch.seconds();
    seconds += elapsed;
    Evaluation& evaluation = result.models.emplace_back(result_of(encoded, log_probs, tokenizer, accounting, name));
    evaluation.state = state;
    evaluation.exact = options.exact || reads_in_order(options.adaptation);
    evaluation.seconds = elapsed;
    if (sums.empty()) {
      sums = log_probs;
    } else {
      std::ranges::transform(sums, log_probs, sums.begin(), log_of_sum);
    }
  }
  if (models.size() > 1) {
    const double log_count = std::log(static_cast<double>(models.size()));
    for (double& sum : sums) sum -= log_count;
  }
  result.average = result_of(encoded, sums, tokenizer, accounting, name);
  result.average.state = state;
  result.average.exact = result.models.front().exact;
  result.average.seconds = seconds;
  if (mixture) {
    result.ngram = with_ngrams(*mixture, sums, encoded, tokenizer, accounting, name);
    for (Evaluation* const evaluation : {&result.ngram->ngram, &result.ngram->mix}) {
      evaluation->state = state;
      evaluation->exact = result.average.exact;
    }
    result.ngram->mix.seconds = seconds + result.ngram->ngram.seconds;
  }
  return result;
}

}  // namespace unroll
