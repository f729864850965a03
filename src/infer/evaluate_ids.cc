#include "infer/evaluate_ids.h"

#include <cstddef>

#include "infer/prediction.h"
#include "text/batcher.h"

namespace unroll {
namespace {

constexpr std::int64_t kSteps = 64;  // of a window

}  // namespace

void sweep_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
               std::span<const std::int32_t> ids, std::int32_t boundary, StatePolicy state, bool exact,
               std::int64_t steps, const WindowVisitor& visit, const EvaluationProgress& progress) {
  const std::vector<Piece> pieces = evaluation_pieces(ids, boundary, state, exact);
  const Batcher batcher(ids, boundary, state, pieces, steps);
  Network network(config, Purpose::kInference, steps, batcher.rows(), workers);
  NetworkState network_state(config, batcher.rows());
  std::vector<std::int64_t> positions;
  std::int64_t done = 0;
  Window window;
  for (std::int64_t i = 0; i < batcher.windows(); ++i) {
    batcher.window(i, window);
    network.forward(weights, window, network_state);
    if (window.predictions > 0) {
      positions.assign(window.targets.size(), -1);
      for (std::size_t r = 0; r < positions.size(); ++r) {
        if (window.targets[r] == kIgnored) continue;
        const auto row = static_cast<std::int64_t>(r);
        const Piece& piece = pieces[static_cast<std::size_t>(row % window.B)];
        positions[r] = piece.first - piece.warm + i * steps + row / window.B;
      }
      visit(network, window, positions);
    }
    done += window.predictions;
    if (progress) progress(done, std::ssize(ids));
  }
}

std::vector<double> log_probs_of_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
                                     std::span<const std::int32_t> ids, std::int32_t boundary, StatePolicy state,
                                     bool exact, double temperature, const EvaluationProgress& progress) {
  std::vector<double> log_probs(ids.size());
  std::vector<SymbolPrediction> predictions;
  const auto predict = [&](Network& network, const Window& window, std::span<const std::int64_t> positions) {
    predictions.resize(positions.size());
    predict_window(network, weights, window, temperature, Detail::kLogProb, predictions);
    for (std::size_t r = 0; r < positions.size(); ++r) {
      if (positions[r] >= 0) log_probs[static_cast<std::size_t>(positions[r])] = predictions[r].log_prob;
    }
  };
  sweep_ids(config, weights, workers, ids, boundary, state, exact, kSteps, predict, progress);
  return log_probs;
}

bool is_counted(const Accounting& accounting, std::int32_t id, std::int32_t boundary, std::int32_t unknown) noexcept {
  return counts(accounting, id == unknown) && (accounting.end || id != boundary);
}

IdsEvaluation evaluation_of(std::span<const std::int32_t> ids, std::span<const double> log_probs, std::int32_t boundary,
                            std::int32_t unknown, const Accounting& accounting) {
  IdsEvaluation sum;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!is_counted(accounting, ids[i], boundary, unknown)) continue;
    const bool is_unknown = ids[i] == unknown;
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
