#include "infer/evaluate_ids.h"

#include <cstddef>

#include "infer/window_predictions.h"
#include "text/batcher.h"

namespace unroll {

void sweep_ids(const ReadyWeights& ready, std::span<const std::int32_t> ids, const Cut& cut, const WindowVisitor& visit,
               const EvaluationProgress& progress) {
  const std::vector<Piece> pieces = evaluation_pieces(ids, cut.reading, cut.exact);
  const Batcher batcher(ids, cut.reading, pieces, cut.steps);
  Network network(ready.config, Purpose::kInference, cut.steps, batcher.rows(), ready.workers);
  NetworkState state(ready.config, batcher.rows());
  std::vector<std::int64_t> positions;
  const std::int64_t total = progress ? count_predictions(cut.reading, ids) : 0;
  std::int64_t done = 0;
  Window window;
  for (std::int64_t i = 0; i < batcher.windows(); ++i) {
    batcher.window(i, window);
    network.forward(ready.weights, window, state);
    if (window.predictions > 0) {
      positions.assign(window.targets.size(), -1);
      for (std::size_t r = 0; r < positions.size(); ++r) {
        if (window.targets[r] == kIgnored) continue;
        const auto row = static_cast<std::int64_t>(r);
        const Piece& piece = pieces[static_cast<std::size_t>(row % window.B)];
        positions[r] = piece.first - piece.warm + i * cut.steps + row / window.B;
      }
      visit(network, window, positions);
    }
    done += window.predictions;
    if (progress) progress(done, total);
  }
}

std::vector<double> log_probs_of_ids(const ReadyWeights& ready, std::span<const std::int32_t> ids, const Cut& cut,
                                     double temperature, const EvaluationProgress& progress) {
  std::vector<double> log_probs(ids.size());
  std::vector<SymbolPrediction> predictions;
  const auto predict = [&](Network& network, const Window& window, std::span<const std::int64_t> positions) {
    predictions.resize(positions.size());
    predict_window(network, ready.weights, window, {.temperature = temperature}, predictions);
    for (std::size_t r = 0; r < positions.size(); ++r) {
      if (positions[r] >= 0) log_probs[static_cast<std::size_t>(positions[r])] = predictions[r].log_prob;
    }
  };
  sweep_ids(ready, ids, cut, predict, progress);
  return log_probs;
}

bool is_counted(const Accounting& accounting, const Symbols& symbols, std::span<const std::int32_t> ids,
                std::size_t position) noexcept {
  const std::int32_t id = ids[position];
  return symbols.reading.predicts(ids, position) && counts(accounting, id == symbols.unknown) &&
         (accounting.end || id != symbols.reading.boundary);
}

std::vector<LossSums> evaluation_of_lines(std::span<const std::int32_t> ids, std::span<const double> log_probs,
                                          const Symbols& symbols, const Accounting& accounting) {
  std::vector<LossSums> lines;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i == 0 || symbols.reading.starts_after(ids[i - 1])) lines.emplace_back();
    if (!is_counted(accounting, symbols, ids, i)) continue;
    LossSums& sum = lines.back();
    const bool is_unknown = ids[i] == symbols.unknown;
    const double nats = -counted_log_prob(accounting, is_unknown, log_probs[i]);
    ++sum.tokens;
    sum.nats += nats;
    if (is_unknown) {
      sum.unknown_nats += nats;
      ++sum.unknown;
    }
  }
  return lines;
}

LossSums evaluation_of(std::span<const std::int32_t> ids, std::span<const double> log_probs, const Symbols& symbols,
                       const Accounting& accounting) {
  LossSums sum;
  for (const LossSums& line : evaluation_of_lines(ids, log_probs, symbols, accounting)) sum += line;
  return sum;
}

LossSums evaluate_ids(const ReadyWeights& ready, std::span<const std::int32_t> ids, const Symbols& symbols,
                      const EvaluationProgress& progress) {
  return evaluation_of(ids, log_probs_of_ids(ready, ids, {.reading = symbols.reading}, 1, progress), symbols);
}

}  // namespace unroll
