#include "infer/distributions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/softmax.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kSteps = 4;  // of a window, whose distributions are kept: V numbers each

}  // namespace

void visit_distributions(const Model& model, std::span<const std::int32_t> ids, Workers& workers,
                         const DistributionVisitor& visit, const EvaluationProgress& progress) {
  const NetworkWeights weights = packed_weights(model, workers);
  const auto V = static_cast<std::size_t>(model.config().vocabulary);
  std::vector<float> distributions;
  std::vector<double> log_probs;
  const auto of_row = [&](std::size_t r) { return std::span(distributions).subspan(r * V, V); };
  const auto take = [&](Network& network, const Window& window, std::span<const std::int64_t> positions) {
    distributions.resize(positions.size() * V);
    log_probs.resize(positions.size());
    network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
      const auto r = static_cast<std::size_t>(row);
      if (positions[r] < 0) return;
      // The gradient is the softmax but for the target.
      log_probs[r] = log_softmax_and_gradient_at(logits, window.targets[r], 1);
      logits[static_cast<std::size_t>(window.targets[r])] = static_cast<float>(std::exp(log_probs[r]));
      std::ranges::copy(logits, of_row(r).begin());
    });
    for (std::size_t r = 0; r < positions.size(); ++r) {
      if (positions[r] < 0) continue;
      const std::span<const float> p = of_row(r);
      if (!std::isfinite(p.front())) {
        throw Error(ErrorCode::kNumeric, "the network predicted NaN or infinity: its weights or its state overflowed");
      }
      visit(static_cast<std::size_t>(positions[r]), p, log_probs[r]);
    }
  };
  const Cut cut{.reading = reading_of(model.tokenizer(), model.trained_state_policy(), model.begin_policy()),
                .steps = kSteps};
  sweep_ids({model.config(), weights, workers}, ids, cut, take, progress);
}

}  // namespace unroll
