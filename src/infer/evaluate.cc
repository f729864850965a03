#include "unroll/evaluate.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "infer/evaluate_ids.h"
#include "model/model_file.h"
#include "text/batcher.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kSteps = 64;  // of a window

void add(const Window& window, std::span<const double> log_probs, std::int32_t unknown, IdsEvaluation& sum) {
  for (std::size_t i = 0; i < log_probs.size(); ++i) {
    const std::int32_t target = window.targets[i];
    if (target == kIgnored) continue;
    sum.nats -= log_probs[i];
    ++sum.tokens;
    if (target == unknown) {
      sum.unknown_nats -= log_probs[i];
      ++sum.unknown;
    }
  }
}

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

}  // namespace

IdsEvaluation evaluate_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
                           std::span<const std::int32_t> ids, std::int32_t boundary, std::int32_t unknown,
                           StatePolicy state, bool exact,
                           const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const Batcher batcher(ids, boundary, state, evaluation_pieces(ids, boundary, state, exact), kSteps);
  Network network(config, Purpose::kInference, kSteps, batcher.rows(), workers);
  NetworkState network_state(config, batcher.rows());
  IdsEvaluation sum;
  Window window;
  for (std::int64_t i = 0; i < batcher.windows(); ++i) {
    batcher.window(i, window);
    network.forward(weights, window, network_state, DropoutKey{});
    if (window.predictions > 0) add(window, network.log_probs(weights, window), unknown, sum);
    if (progress) progress(sum.tokens, std::ssize(ids));
  }
  return sum;
}

Evaluation evaluate(const Model& model, const std::string& text, const std::string& name,
                    const EvaluateOptions& options) {
  const Tokenizer& tokenizer = model.tokenizer();
  if (text.empty()) throw Error(ErrorCode::kInput, fmt::format("'{}' is empty: there is nothing to predict", name));
  const EncodedText encoded = tokenizer.encode(text, name);
  if (encoded.ids.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("'{}' holds no symbols: there is nothing to predict", name));
  }
  const StatePolicy state = options.state.value_or(model.trained_state_policy());
  Workers workers(options.threads);
  NetworkWeights weights(model.config(), Purpose::kInference, model.precision());
  weights.pack(model.data().weights.view(), workers);

  const auto start = std::chrono::steady_clock::now();
  const IdsEvaluation sum = evaluate_ids(model.config(), weights, workers, encoded.ids, tokenizer.boundary(),
                                         tokenizer.unknown(), state, options.exact, options.progress);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!std::isfinite(sum.nats)) {
    throw Error(ErrorCode::kNumeric, fmt::format("the model's prediction of '{}' is {} nats: its weights or its state "
                                                 "overflowed",
                                                 name, sum.nats));
  }
  Evaluation result = summary(sum, encoded);
  result.state = state;
  result.seconds = elapsed.count();
  return result;
}

}  // namespace unroll
