// Gradients of a label that a model gives, with respect to every state and input of its text.
//
//   const unroll::UnrolledText text(unroll::Model::load("reviews.safetensors"), {"a moving film", "'a review'"});
//   unroll::AnswerGradients back(text);
//   back.take({.text = 0});
//   for (std::int64_t t = back.first(); t < back.end(); ++t) std::cout << unroll::norm(back.x(t)) << '\n';
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "unroll/look/unrolled_text.h"

namespace unroll {

// An answer that has a probability.
struct AskedAnswer {
  std::int64_t text = 0;    // of UnrolledText::texts()
  std::int64_t word = 0;    // of a tagger: the word in its text; a classifier answers for the whole text
  std::int32_t label = -1;  // of the model's task; -1: the most probable one
};

// The gradient of the loss -ln p(label) of one answer of a model that labels texts, with respect to what every step of
// its text computed: p is the classifier's, temperature included, of several labels a text that of this one; of a
// tagger the probability of the tag at that word given the whole sentence.
//
//   x   dL/dx_t, of what enters the first level
//   h   dL/dh_t of a layer and direction, through all that reads it: its next step, the level above, the readout
//   c   dL/dc_t through all that reads it, h included; empty for cells without
//
// Numerics gradients do not vanish in floats (see LayerBack); they are zero where nothing of the step is read.
// Cost     of an answer about that of a training step of its text, a step at a time.
// Threads  not at the same time as anything else that uses the same UnrolledText, which must outlive it.
class AnswerGradients {
 public:
  // Throws Error{kUsage} for a model that does not label texts.
  explicit AnswerGradients(const UnrolledText& text);
  ~AnswerGradients();
  AnswerGradients(AnswerGradients&&) noexcept;
  AnswerGradients& operator=(AnswerGradients&&) noexcept;

  // What follows is of this answer. Throws Error{kUsage} for a text, a word or a label that there is not.
  void take(const AskedAnswer& answer);

  [[nodiscard]] std::int32_t label() const noexcept;
  [[nodiscard]] double probability() const noexcept;

  // The steps of its text, as UnrolledText counts them: from first() to before end().
  [[nodiscard]] std::int64_t first() const noexcept;
  [[nodiscard]] std::int64_t end() const noexcept;

  [[nodiscard]] std::span<const double> x(std::int64_t t) const;
  [[nodiscard]] std::span<const double> h(std::int64_t l, std::int64_t t) const;
  [[nodiscard]] std::span<const double> c(std::int64_t l, std::int64_t t) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The Euclidean norm.
[[nodiscard]] double norm(std::span<const double> vector) noexcept;

}  // namespace unroll
