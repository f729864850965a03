// A network run over texts: scores of their labels or numbers, and how good they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "infer/evaluate_ids.h"
#include "infer/inference.h"
#include "label/examples.h"
#include "text/window.h"

namespace unroll {

// Takes a window that the network has just run over: its texts, as places among the examples.
using TextsVisitor = std::function<void(Network& network, const Window& window, std::span<const std::size_t> texts)>;

// Runs a network over texts, of about equal lengths in each window, and visits each window on the calling thread. What
// a text gets does not depend on the others, to the bit. `progress` counts texts. Before a visit, `read` is called with
// what the network's levels read and write in that window.
void sweep_texts(const ReadyWeights& ready, const Examples& examples, const TextsVisitor& visit,
                 const EvaluationProgress& progress, const LevelReader& read = {});

// Sums over answers that are known: texts, or steps where each has one.
struct AnswersEvaluation {
  double loss = 0;  // nats; of numbers half of the squared error
  std::int64_t answers = 0;
  std::int64_t right = 0;  // labels whose score is the greatest, of a chain those of its best sequence
  bool has_right = false;  // whether right or wrong is asked: one label is right of several
};

// Without weights of texts. Of a language model with conditions answers are symbols.
[[nodiscard]] AnswersEvaluation evaluate_examples(const ReadyWeights& ready, const Examples& examples,
                                                  const EvaluationProgress& progress);

// The loss of each text, over its answers that are known, in their order. Requires outputs. A text gets the same bits
// whatever the others are.
[[nodiscard]] std::vector<double> losses_of_examples(const ReadyWeights& ready, const Examples& examples);

// The place of the greatest score; the first of equal ones.
[[nodiscard]] std::int32_t greatest(std::span<const float> scores) noexcept;

}  // namespace unroll
