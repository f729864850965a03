// The labels of texts with their probabilities, under models that were trained to classify.
//
//   unroll::Classifier classifier(unroll::Model::load("reviews.safetensors"));
//   const unroll::ClassifiedText text = classifier.classify("what a film");
//   for (const std::int32_t label : classifier.answers(text)) std::cout << classifier.labels()[label] << '\n';
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/label/answer_rule.h"
#include "unroll/label/classified_text.h"
#include "unroll/model.h"

namespace unroll {

struct ClassifierOptions {
  int threads = 0;  // 0: one per core that the process may use
  // The probability from which on a label is answered. Empty: that of the model, which is 0 where a text has one label.
  std::optional<double> threshold = {};
  std::vector<std::pair<std::string, double>> thresholds = {};  // of single labels, instead
  // Of single labels where a text has one: what its probability is multiplied by before the largest is the answer;
  // finite, above 0. Others have that of the model, which is 1 unless it was tuned.
  std::vector<std::pair<std::string, double>> factors = {};
};

// What messages call a text, by its index among the texts of a call.
using TextNames = std::function<std::string(std::size_t index)>;

// Classifies texts. What a text gets depends on the models alone, never on the texts next to it or on the number of
// threads: the same text gets the same bits. A text without any token, too, gets probabilities: the network reads the
// boundary that ends it.
//
// Not for two threads at once; several Classifiers may share a Model.
class Classifier {
 public:
  // Several models must have the same labels, in any order; labels() has those of the first. Throws Error{kUsage} for
  // a model of another task, models that differ in their labels or in how many a text has, a threshold outside 0 to 1,
  // a factor that is not above 0, either of an unknown label, factors where a text has any number of labels, no model,
  // and more than 1024 threads; Error{kMemory} where threads cannot be started.
  explicit Classifier(Model model, const ClassifierOptions& options = {});
  explicit Classifier(std::vector<Model> models, const ClassifierOptions& options = {});
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  [[nodiscard]] const std::vector<std::string>& labels() const noexcept;
  [[nodiscard]] bool multi_label() const noexcept;  // whether a text has any number of labels, not one

  // What decides answers. Of several models the mean of their thresholds, and the geometric mean of their factors.
  [[nodiscard]] const AnswerRule& rule() const noexcept;

  // Throws Error{kInput} for text that a tokenizer cannot read, Error{kNumeric} where weights overflow.
  [[nodiscard]] ClassifiedText classify(std::string_view text);

  // The same for many texts, in order, faster. Needs memory for all their probabilities, 16 K bytes a text at least. An
  // Error names and indexes the first text that is to blame ("text 3" without `names`).
  [[nodiscard]] std::vector<ClassifiedText> classify(std::span<const std::string> texts, const TextNames& names = {});

  // All labels by falling probability, of equal ones the first first.
  [[nodiscard]] std::vector<std::int32_t> ranked(const ClassifiedText& text) const;

  // The labels that the text is given: answers_by() the rule.
  [[nodiscard]] std::vector<std::int32_t> answers(const ClassifiedText& text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
