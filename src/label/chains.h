// Sequences of labels along the steps of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "infer/inference.h"
#include "nn/crf.h"
#include "nn/text_steps.h"
#include "text/window.h"

namespace unroll {

// Calls visit(entry t*B+b) for the steps of a text, in their order.
template <class Visit>
void for_each_entry(const Window& window, const WindowText& text, const Visit& visit) {
  const TextSteps steps(window.B, window.pieces, text);
  steps.for_each([&](std::int64_t row) { visit(static_cast<std::size_t>(row)); });
}

// What the labels of a network's texts add to the score of a sequence: nothing without a loss crf. Views the weights.
class ChainTables {
 public:
  explicit ChainTables(const ReadyWeights& ready);
  [[nodiscard]] CrfParams<const float> params() const noexcept;

 private:
  std::vector<float> zeros_;
  CrfTables<const float> tables_;
  std::int64_t K_;
};

// The `most` allowed sequences of labels of a text that have the greatest scores, best first. `scores` (T*B, K) are the
// network's for the window. Without a loss crf, transitions count nothing.
[[nodiscard]] std::vector<LabelSequence> best_chains(const ReadyWeights& ready, const Window& window,
                                                     const WindowText& text, MatView<const float> scores,
                                                     const AllowedLabels& allowed, std::int64_t most);

}  // namespace unroll
