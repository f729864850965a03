#include "score/counted_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "adapt/adaptive_stream.h"
#include "infer/inference.h"
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

}  // namespace

EvaluationPolicies policies_of(std::span<const Model> models, const EvaluateOptions& options) {
  check(options.adaptation);
  check(accounting_of(options, options.state.value_or(StatePolicy::kReset)));
  if (models.empty()) throw Error(ErrorCode::kUsage, "there is no model to evaluate: give one at least");
  const Tokenizer& tokenizer = models.front().tokenizer();
  for (std::size_t i = 1; i < models.size(); ++i) expect_same_vocabulary(tokenizer, models[i].tokenizer(), i + 1);
  const StatePolicy state = options.state ? *options.state : common_state(models);
  const BeginPolicy begin = options.begin ? *options.begin : common_begin(models);
  return {.state = state,
          .begin = begin,
          .symbols = symbols_of(tokenizer, state, begin),
          .accounting = accounting_of(options, state)};
}

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

Evaluation evaluation_from(const LossSums& loss, const EvaluationSums& counts, const EvaluationKind& kind) {
  const LossFigures figures = figures_of(loss);
  Evaluation result;
  result.tokens = loss.tokens;
  result.unknown_tokens = counts.unknown_tokens;
  result.nats_per_token = figures.nats_per_token;
  result.perplexity = figures.perplexity;
  result.nats_per_known_token = figures.nats_per_known_token;
  result.perplexity_without_unknown = figures.perplexity_without_unknown;
  result.characters = counts.characters;
  result.bytes = counts.bytes;
  result.bits_per_char = mean(bits(loss.nats), counts.characters);
  result.bits_per_byte = mean(bits(loss.nats), counts.bytes);
  result.comparable = counts.lossless && counts.unknown_tokens == 0 && kind.end && kind.begin == BeginPolicy::kBoundary;
  return result;
}

void divide_by_count(std::size_t models, std::vector<double>& sums) {
  if (models == 1) return;
  const double log_count = std::log(static_cast<double>(models));
  for (double& sum : sums) sum -= log_count;
}

void expect_finite(double nats, const std::string& name) {
  if (std::isfinite(nats)) return;
  throw Error(ErrorCode::kNumeric, fmt::format("the model's prediction of {} is {} nats: its weights or its state "
                                               "overflowed",
                                               name, nats));
}

std::vector<double> mixed_with(const NgramMixture& mixture, std::span<const double> network,
                               std::span<const double> ngram, const CountedText& text) {
  if (mixture.lambda() == 0 && std::isinf(text.sum_of(ngram).nats)) {
    const std::string where = fmt::format("{}, line {}", text.name, line_without_probability(text, ngram));
    throw Error(ErrorCode::kInput, denied_by_ngrams_message(where));
  }
  std::vector<double> mixed(network.size());
  std::ranges::transform(network, ngram, mixed.begin(),
                         [&](double of_network, double of_ngram) { return mixture.mixed(of_network, of_ngram); });
  return mixed;
}

}  // namespace unroll
