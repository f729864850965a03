// Numbers and labels of sequences of numbers, under a model that was trained on such.
//
//   unroll::Predictor predictor(unroll::Model::load("sales.safetensors"));
//   const unroll::DenseData shops = unroll::read_dense(predictor.reading({.paths = {"shops.csv"}}));
//   const unroll::Predictions answers = predictor.predict(shops);
//   for (const double number : answers.values) std::cout << number << '\n';
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unroll/data/dense.h"
#include "unroll/judge/regression.h"
#include "unroll/model.h"

namespace unroll {

// One answer per sequence, or per step, in the order of the data.
struct Predictions {
  bool per_step = false;
  std::vector<std::string> names = {};      // (K) of numbers, or labels
  std::vector<double> values = {};          // (answers, K) numbers, or the probability of each label; these add to 1
  std::vector<std::int32_t> label_of = {};  // (answers) of labels: the most probable one; of a chain of labels that of
                                            // the most probable chain. Empty: answers are numbers

  [[nodiscard]] std::size_t answers() const noexcept { return names.empty() ? 0 : values.size() / names.size(); }
  [[nodiscard]] std::span<const double> answer(std::size_t i) const {
    return std::span(values).subspan(i * names.size(), names.size());
  }
};

// Runs a model over sequences. What a sequence gets depends on the model alone, never on the sequences next to it or on
// the number of threads. Not for two threads at once; several Predictors may share a Model.
class Predictor {
 public:
  // Throws Error{kUsage} unless the model reads numbers, and for a number of threads above 1024; Error{kMemory}.
  explicit Predictor(Model model, int threads = 0);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  [[nodiscard]] const Model& model() const noexcept;

  // How to read files for this model: `options`, in which what is not given is as in training. Columns of inputs and of
  // targets are those of the same names, steps have as many numbers, targets are of the model's kind and not needed.
  [[nodiscard]] DenseOptions reading(DenseOptions options) const;

  // Throws Error{kInput} if steps have another number of inputs than the model reads, Error{kNumeric} where weights
  // overflow. `progress` may be empty; it gets the sequences done and all.
  [[nodiscard]] Predictions predict(const DenseData& data,
                                    const std::function<void(std::int64_t done, std::int64_t total)>& progress = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The labels of the data as places among Predictions::names; -1: the model does not know the label. Throws
// Error{kInput} if the data has no labels, or not one for each answer.
[[nodiscard]] std::vector<std::int32_t> right_labels(const Predictions& answers, const DenseData& data);

// How near the answers are to the data's numbers: of each of the K. Throws Error{kInput} as right_labels().
[[nodiscard]] std::vector<Regression> judge_predictions(const Predictions& answers, const DenseData& data);

}  // namespace unroll
