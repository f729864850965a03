// How much of the gradient of answers reaches each step, by its distance from where the answer is given.
//
//   const unroll::UnrolledText text(model, {unroll::read_text("reviews.txt"), "'reviews.txt'"});
//   std::cout << unroll::answer_flow(text).first_word << '\n';
#pragma once

#include "unroll/look/gradient_flow.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// Of a model that labels texts.
struct AnswerFlow {
  // kInput, then of each layer, each direction by itself, kHidden and where it is kept kCell. A lag is the distance of
  // a step before the end of a classifier's text, or before the word that is tagged; a ratio is the norm of the
  // gradient there over the largest of all steps of the text, and `norm` the median of these largest ones.
  GradientFlow flow = {};
  // Medians over the answers: the norm of the gradient of the first word's input, over the largest of the text, and
  // over the sum of all.
  double first_word = 0;
  double first_word_share = 0;
};

// The gradients of -ln p of the most probable labels (unroll/look/answer_gradients.h): of the texts, or of a tagger of
// their words, at most `options.positions`, evenly spaced; with `options.at` of the text, or the word, that step is of.
// Throws Error{kUsage} for options out of range and a model that does not label texts.
[[nodiscard]] AnswerFlow answer_flow(const UnrolledText& text, const GradientFlowOptions& options = {});

}  // namespace unroll
