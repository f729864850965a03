#include "infer/evaluate_ids.h"

#include <cstddef>

#include "infer/prediction.h"
#include "text/batcher.h"

namespace unroll {
namespace {

constexpr std::int64_t kSteps = 64;  // of a window

}  // namespace

std::vector<double> log_probs_of_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
                                     std::span<const std::int32_t> ids, std::int32_t boundary, StatePolicy state,
                                     bool exact, double temperature, const EvaluationProgress& progress) {
  const std::vector<Piece> pieces = evaluation_pieces(ids, boundary, state, exact);
  const Batcher batcher(ids, boundary, state, pieces, kSteps);
  Network network(config, Purpose::kInference, kSteps, batcher.rows(), workers);
  NetworkState network_state(config, batcher.rows());
  std::vector<double> log_probs(ids.size());
  std::vector<SymbolPrediction> predictions;
  std::int64_t done = 0;
  Window window;
  for (std::int64_t i = 0; i < batcher.windows(); ++i) {
    batcher.window(i, window);
    network.forward(weights, window, network_state);
    if (window.predictions > 0) {
      predictions.resize(window.targets.size());
      predict_window(network, weights, window, temperature, Detail::kLogProb, predictions);
      for (std::size_t r = 0; r < predictions.size(); ++r) {
        if (window.targets[r] == kIgnored) continue;
        const auto row = static_cast<std::int64_t>(r);
        const Piece& piece = pieces[static_cast<std::size_t>(row % window.B)];
        const std::int64_t position = piece.first - piece.warm + i * kSteps + row / window.B;
        log_probs[static_cast<std::size_t>(position)] = predictions[r].log_prob;
      }
    }
    done += window.predictions;
    if (progress) progress(done, std::ssize(ids));
  }
  return log_probs;
}

IdsEvaluation evaluation_of(std::span<const std::int32_t> ids, std::span<const double> log_probs, std::int32_t boundary,
                            std::int32_t unknown, const Accounting& accounting) {
  IdsEvaluation sum;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool is_unknown = ids[i] == unknown;
    if (!counts(accounting, is_unknown) || (!accounting.end && ids[i] == boundary)) continue;
    const double nats = -counted_log_prob(accounting, is_unknown, log_probs[i]);
    ++sum.tokens;
    sum.nats += nats;
    if (is_unknown) {
      sum.unknown_nats += nats;
      ++sum.unknown;
    }
  }
  return sum;
}

IdsEvaluation evaluate_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
                           std::span<const std::int32_t> ids, std::int32_t boundary, std::int32_t unknown,
                           StatePolicy state, bool exact, const EvaluationProgress& progress) {
  return evaluation_of(ids, log_probs_of_ids(config, weights, workers, ids, boundary, state, exact, 1, progress),
                       boundary, unknown);
}

}  // namespace unroll
