#include "network/word_characters.h"

#include <algorithm>

#include "nn/embedding.h"

namespace unroll {

WordCharacters::WordCharacters(const ActivationShape& shape_of_words, CharacterActivations& planned, Workers& workers)
    : shape_(character_shape(shape_of_words)),
      planned_(planned),
      workers_(workers),
      levels_(shape_, planned.levels, workers) {}

PoolingShape WordCharacters::pooled(const CharacterWindow& window) const {
  return {.readout = shape_.config.readout,
          .B = window.B,
          .D = level_outputs(shape_.config),
          .bidirectional = true,
          .pieces = window.pieces,
          .texts = window.texts};
}

void WordCharacters::forward(const NetworkWeights& weights, const CharacterWindow& window, MatView<float> x) {
  const auto count = static_cast<std::int64_t>(window.texts.size());
  const MatView<float> words = fit(planned_.words, count + 1);
  std::fill_n(words.row(count), words.cols, 0.0F);
  if (count > 0) {
    const MatView<float> embedded = fit(planned_.embedded, window.T * window.B);
    embedding_forward(workers_, weights.chars_encoder(), window.inputs, embedded);
    if (!state_ || state_->B != window.B) state_.emplace(shape_.config, window.B);
    levels_.begin({window.T, window.B}, {});
    outputs_ = levels_.forward(weights.chars_layers(), embedded, window.reset, *state_, {});
    pooling_forward(workers_, pooled(window), {}, outputs_, planned_.pooling, words.row_range(0, count));
  }
  embedding_forward(workers_, MatView<const float>(words), window.word_of, x);
}

void WordCharacters::backward(const NetworkWeights& weights, const CharacterWindow& window, MatView<const float> dx,
                              Gradients& gradients) {
  const auto count = static_cast<std::int64_t>(window.texts.size());
  if (count == 0) return;
  const MatView<float> dwords = fit(planned_.d_words, count + 1);
  std::ranges::fill(dwords.flat(), 0.0F);
  embedding_backward(workers_, dwords, window.word_of, dx);
  const MatView<float> dy = levels_.gradients(outputs_.rows, outputs_.cols);
  pooling_backward(workers_, pooled(window), {}, outputs_, planned_.pooling, dwords.row_range(0, count), {}, dy);
  const MatView<float> dembedded =
      levels_.backward(weights.chars_layers(), dy, gradients.matrices().chars_layers, {}, nullptr);
  embedding_backward(workers_, gradients.matrices().chars_encoder, window.inputs, dembedded);
}

}  // namespace unroll
