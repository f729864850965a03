#include "label/chains.h"

namespace unroll {

std::vector<LabelSequence> best_chains(const ReadyWeights& ready, const Window& window, const WindowText& text,
                                       MatView<const float> scores, const AllowedLabels& allowed, std::int64_t most) {
  const std::int64_t K = scores.cols;
  const CrfShape shape{.B = window.B, .K = K, .pieces = window.pieces, .texts = window.texts};
  if (ready.config.loss == Loss::kCrf) {
    const CrfTables<const float>& tables = ready.weights.crf();
    return crf_best_sequences(
        shape, text, {.transitions = {tables.transitions.data(), K, K}, .start = tables.start, .end = tables.end},
        scores, allowed, most);
  }
  const std::vector<float> zeros(static_cast<std::size_t>(K * K));
  const std::span<const float> of_labels = std::span(zeros).first(static_cast<std::size_t>(K));
  return crf_best_sequences(shape, text, {.transitions = {zeros.data(), K, K}, .start = of_labels, .end = of_labels},
                            scores, allowed, most);
}

}  // namespace unroll
