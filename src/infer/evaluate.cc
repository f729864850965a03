#include "unroll/evaluate.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "infer/adaptive_stream.h"
#include "infer/evaluate_ids.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// A mean over nothing is not a number, and says so.
double mean(double sum, std::int64_t count) {
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

double bits(double nats) { return nats / std::numbers::ln2; }

Evaluation summary(const IdsEvaluation& sum, const EncodedText& text) {
  Evaluation result;
  result.tokens = sum.tokens;
  result.unknown_tokens = sum.unknown;
  result.nats_per_token = mean(sum.nats, sum.tokens);
  result.perplexity = std::exp(result.nats_per_token);
  result.nats_per_known_token =
      sum.unknown == 0 ? result.nats_per_token : mean(sum.nats - sum.unknown_nats, sum.tokens - sum.unknown);
  result.perplexity_without_unknown = std::exp(result.nats_per_known_token);
  result.characters = text.characters;
  result.bytes = text.bytes;
  result.bits_per_char = mean(bits(sum.nats), text.characters);
  result.bits_per_byte = mean(bits(sum.nats), text.bytes);
  result.comparable = text.lossless && sum.unknown == 0;
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

}  // namespace

Evaluation evaluate(const Model& model, const std::string& text, const std::string& name,
                    const EvaluateOptions& options) {
  check(options.adaptation);
  const Tokenizer& tokenizer = model.tokenizer();
  if (text.empty()) throw Error(ErrorCode::kInput, fmt::format("'{}' is empty: there is nothing to predict", name));
  const EncodedText encoded = tokenizer.encode(text, name);
  if (encoded.ids.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("'{}' holds no symbols: there is nothing to predict", name));
  }
  const StatePolicy state = options.state.value_or(model.trained_state_policy());
  const auto start = std::chrono::steady_clock::now();
  const std::vector<double> log_probs = log_probs_of(model, encoded.ids, state, options);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const IdsEvaluation sum = evaluation_of(encoded.ids, log_probs, tokenizer.unknown());
  if (!std::isfinite(sum.nats)) {
    throw Error(ErrorCode::kNumeric, fmt::format("the model's prediction of '{}' is {} nats: its weights or its state "
                                                 "overflowed",
                                                 name, sum.nats));
  }
  Evaluation result = summary(sum, encoded);
  result.state = state;
  result.exact = options.exact || reads_in_order(options.adaptation);
  result.seconds = elapsed.count();
  return result;
}

}  // namespace unroll
