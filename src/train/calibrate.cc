#include "train/calibrate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "label/answers.h"
#include "label/probabilities.h"
#include "unroll/judge/classification.h"

namespace unroll {
namespace {

constexpr std::size_t kMostScores = std::size_t{1} << 22;

// Scores of some of the texts, and what is right.
struct ScoredTexts {
  std::size_t K = 0;
  std::vector<float> scores = {};        // (texts, K)
  std::vector<std::int32_t> right = {};  // one label a text
  std::vector<std::uint8_t> sets = {};   // (texts, K) any number of labels

  [[nodiscard]] std::size_t count() const noexcept { return scores.size() / K; }
  [[nodiscard]] std::span<const float> row(std::size_t i) const { return std::span(scores).subspan(i * K, K); }
};

// The row among `kept` of `all` texts that text `i` has; none: it is passed over.
std::optional<std::size_t> kept_row(std::size_t i, std::size_t kept, std::size_t all) {
  const std::size_t row = i * kept / all;
  if ((i + 1) * kept / all == row) return std::nullopt;
  return row;
}

ScoredTexts score_texts(const ReadyWeights& ready, const Examples& examples, std::vector<std::int32_t>& greatest_of) {
  ScoredTexts scored{.K = static_cast<std::size_t>(ready.config.outputs)};
  const std::size_t all = examples.count();
  const std::size_t kept = std::clamp<std::size_t>(kMostScores / scored.K, 1, all);
  scored.scores.resize(kept * scored.K);
  greatest_of.resize(all);
  const auto visit = [&](Network& network, const Window&, std::span<const std::size_t> texts) {
    const MatView<const float> scores = network.scores(ready.weights);
    for (std::size_t r = 0; r < texts.size(); ++r) {
      const std::span<const float> row(scores.row(static_cast<std::int64_t>(r)), scored.K);
      greatest_of[texts[r]] = greatest(row);
      const std::optional<std::size_t> place = kept_row(texts[r], kept, all);
      if (place) std::ranges::copy(row, scored.scores.begin() + static_cast<std::ptrdiff_t>(*place * scored.K));
    }
  };
  sweep_texts(ready, examples, visit, {});
  for (std::size_t i = 0; i < all; ++i) {
    if (!kept_row(i, kept, all)) continue;
    scored.right.push_back(examples.labels[i]);
    if (examples.sets.empty()) continue;
    const auto first = examples.sets.begin() + static_cast<std::ptrdiff_t>(i * scored.K);
    scored.sets.insert(scored.sets.end(), first, first + static_cast<std::ptrdiff_t>(scored.K));
  }
  return scored;
}

std::vector<double> fit_thresholds(const Task& task, const ScoredTexts& texts) {
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < texts.count(); ++i) {
    const std::vector<double> row = probabilities_of(task, texts.row(i)).probabilities;
    probabilities.insert(probabilities.end(), row.begin(), row.end());
  }
  return best_thresholds(probabilities, texts.sets, static_cast<std::int64_t>(texts.K));
}

// The labels that each text has, and those that it is given.
Classification judge_sets(const Task& task, const ScoredTexts& texts) {
  std::vector<std::vector<std::int32_t>> right(texts.count());
  std::vector<std::vector<std::int32_t>> answers(texts.count());
  for (std::size_t i = 0; i < texts.count(); ++i) {
    const std::vector<double> probabilities = probabilities_of(task, texts.row(i)).probabilities;
    for (std::size_t k = 0; k < texts.K; ++k) {
      const auto label = static_cast<std::int32_t>(k);
      if (texts.sets[i * texts.K + k] != 0) right[i].push_back(label);
      if (probabilities[k] >= task.thresholds[k]) answers[i].push_back(label);
    }
  }
  return judge_labels(right, answers, static_cast<std::int64_t>(texts.K));
}

// The labels of a note on those that texts have and no text is given.
std::string unanswered(Classification figures, const Task& task) {
  for (HitCounts& counts : figures.labels) {
    if (counts.support == 0) counts = {.hits = 0, .answered = 1, .support = 1};  // nothing is known of it
  }
  const std::vector<std::string> notes = notes_on(figures, task.labels);
  return notes.empty() ? "" : notes.front();
}

}  // namespace

CalibratedTask calibrate(const ReadyWeights& ready, const Task& task, const Examples& examples) {
  CalibratedTask calibrated{.task = task, .temperature = {}};
  std::vector<std::int32_t> answers;
  const ScoredTexts texts = score_texts(ready, examples, answers);
  const auto K = static_cast<std::int64_t>(texts.K);
  calibrated.temperature = task.multi_label ? fit_sigmoid_temperature(texts.scores, texts.sets, K)
                                            : fit_temperature(texts.scores, texts.right, K);
  calibrated.task.temperature = calibrated.temperature.value;
  if (task.multi_label) calibrated.task.thresholds = fit_thresholds(calibrated.task, texts);
  calibrated.never_answered = unanswered(
      task.multi_label ? judge_sets(calibrated.task, texts) : judge_labels(examples.labels, answers, K), task);
  return calibrated;
}

}  // namespace unroll
