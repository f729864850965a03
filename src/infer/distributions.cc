#include "infer/distributions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/softmax.h"
#include "model/model_file.h"
#include "model/network.h"
#include "text/batcher.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kSteps = 4;  // of a window: its distributions are kept, each V numbers

}  // namespace

void visit_distributions(const Model& model, std::span<const std::int32_t> ids, Workers& workers,
                         const DistributionVisitor& visit, const EvaluationProgress& progress) {
  const NetworkConfig& config = model.config();
  const std::int32_t boundary = model.tokenizer().boundary();
  const StatePolicy policy = model.trained_state_policy();
  const std::vector<Piece> pieces = evaluation_pieces(ids, boundary, policy, false);
  const Batcher batcher(ids, boundary, policy, pieces, kSteps);
  NetworkWeights weights(config, Purpose::kInference, model.precision());
  weights.pack(model.data().weights.view(), workers);
  Network network(config, Purpose::kInference, kSteps, batcher.rows(), workers);
  NetworkState state(config, batcher.rows());
  const auto V = static_cast<std::size_t>(config.vocabulary);
  std::vector<float> distributions(static_cast<std::size_t>(kSteps * batcher.rows()) * V);
  std::vector<double> log_probs(static_cast<std::size_t>(kSteps * batcher.rows()));
  const auto of_row = [&](std::size_t r) { return std::span(distributions).subspan(r * V, V); };
  std::int64_t done = 0;
  Window window;
  for (std::int64_t i = 0; i < batcher.windows(); ++i) {
    batcher.window(i, window);
    network.forward(weights, window, state);
    if (window.predictions == 0) continue;
    network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
      const auto r = static_cast<std::size_t>(row);
      if (window.targets[r] == kIgnored) return;
      // The gradient is the softmax but for the target.
      log_probs[r] = log_softmax_and_gradient_at(logits, window.targets[r], 1);
      logits[static_cast<std::size_t>(window.targets[r])] = static_cast<float>(std::exp(log_probs[r]));
      std::ranges::copy(logits, of_row(r).begin());
    });
    for (std::size_t r = 0; r < window.targets.size(); ++r) {
      if (window.targets[r] == kIgnored) continue;
      const std::span<const float> p = of_row(r);
      if (!std::isfinite(p.front())) {
        throw Error(ErrorCode::kNumeric, "the network's prediction is no number: its weights or its state overflowed");
      }
      const auto row = static_cast<std::int64_t>(r);
      const Piece& piece = pieces[static_cast<std::size_t>(row % window.B)];
      visit(static_cast<std::size_t>(piece.first - piece.warm + i * kSteps + row / window.B), p, log_probs[r]);
    }
    done += window.predictions;
    if (progress) progress(done, std::ssize(ids));
  }
}

}  // namespace unroll
