#include "label/chains.h"

namespace unroll {

ChainTables::ChainTables(const ReadyWeights& ready) : K_(ready.config.outputs) {
  if (ready.config.loss == Loss::kCrf) {
    tables_ = ready.weights.crf();
    return;
  }
  zeros_.resize(static_cast<std::size_t>(K_ * K_));
  const std::span<const float> of_labels = std::span(zeros_).first(static_cast<std::size_t>(K_));
  tables_ = {.transitions = zeros_, .start = of_labels, .end = of_labels};
}

CrfParams<const float> ChainTables::params() const noexcept {
  return {.transitions = {tables_.transitions.data(), K_, K_}, .start = tables_.start, .end = tables_.end};
}

std::vector<LabelSequence> best_chains(const ReadyWeights& ready, const Window& window, const WindowText& text,
                                       MatView<const float> scores, const AllowedLabels& allowed, std::int64_t most) {
  const CrfShape shape{.B = window.B, .K = scores.cols, .pieces = window.pieces, .texts = window.texts};
  return crf_best_sequences(shape, text, ChainTables(ready).params(), scores, allowed, most);
}

}  // namespace unroll
