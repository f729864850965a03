#include "label/answers.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "label/chains.h"
#include "label/conditional_windows.h"
#include "label/text_windows.h"
#include "nn/crf.h"

namespace unroll {
namespace {

constexpr std::int64_t kWindowRows = 32;
constexpr std::int64_t kWindowSteps = 2048;

// The texts of each window, longest first: as many as have kWindowSteps together, or one.
std::vector<std::vector<std::size_t>> groups_of(const Examples& examples) {
  std::vector<std::size_t> order(examples.count());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return examples.length(i); });
  std::vector<std::vector<std::size_t>> groups;
  std::int64_t steps = kWindowSteps;
  for (const std::size_t text : order) {
    if (steps + examples.length(text) > kWindowSteps) {
      groups.emplace_back();
      steps = 0;
    }
    groups.back().push_back(text);
    steps += examples.length(text);
  }
  return groups;
}

// The largest window of any group.
PackedSize largest_of(const Examples& examples) {
  std::int64_t longest = 1;
  for (std::size_t i = 0; i < examples.count(); ++i) longest = std::max(longest, examples.length(i));
  return largest_packed(longest, std::max(longest, kWindowSteps), kWindowRows, piece_steps(examples));
}

// Adds the answers of a window to the sum.
class Judge {
 public:
  Judge(const ReadyWeights& ready, const Examples& examples, AnswersEvaluation& sum)
      : ready_(ready), examples_(examples), sum_(sum) {}

  void add(Network& network, const Window& window) {
    for (const double loss : network.losses(ready_.weights, window)) sum_.loss += loss;
    sum_.answers += window.predictions;
    if (!sum_.has_right) return;
    const MatView<const float> scores = network.scores(ready_.weights);
    if (ready_.config.loss == Loss::kCrf) return add_chains(window, scores);
    for (std::int64_t r = 0; r < scores.rows; ++r) {
      const std::int32_t target = window.targets[static_cast<std::size_t>(r)];
      const std::span<const float> row(scores.row(r), static_cast<std::size_t>(scores.cols));
      if (target != kIgnored && greatest(row) == target) ++sum_.right;
    }
  }

 private:
  void add_chains(const Window& window, MatView<const float> scores) {
    for (const WindowText& text : window.texts) {
      const LabelSequence best = best_chains(ready_, window, text, scores, {}, 1).front();
      std::size_t next = 0;
      for_each_entry(window, text, [&](std::size_t entry) {
        if (best.labels[next++] == window.targets[entry]) ++sum_.right;
      });
    }
  }

  const ReadyWeights& ready_;
  const Examples& examples_;
  AnswersEvaluation& sum_;
};

}  // namespace

void sweep_texts(const ReadyWeights& ready, const Examples& examples, const TextsVisitor& visit,
                 const EvaluationProgress& progress, const LevelReader& read) {
  if (examples.count() == 0) return;
  const PackedSize largest = largest_of(examples);
  Network network(ready.config, Purpose::kInference, largest.T, largest.B, ready.workers);
  network.read_levels(read);
  const auto total = static_cast<std::int64_t>(examples.count());
  std::int64_t done = 0;
  Window window;
  for (const std::vector<std::size_t>& texts : groups_of(examples)) {
    if (ready.config.conditions > 0) {
      make_conditional_window(examples, texts, window);
    } else {
      make_text_window(ready.config, examples, texts, kWindowRows, {}, window);
    }
    NetworkState state(ready.config, window.B);
    network.forward(ready.weights, window, state);
    visit(network, window, texts);
    done += std::ssize(texts);
    if (progress) progress(done, total);
  }
}

AnswersEvaluation evaluate_examples(const ReadyWeights& ready, const Examples& examples,
                                    const EvaluationProgress& progress) {
  AnswersEvaluation sum;
  const Loss loss = ready.config.loss;
  const bool is_language = ready.config.outputs == 0;
  sum.has_right = !is_language && (loss == Loss::kSoftmax || loss == Loss::kCrf);
  Judge judge(ready, examples, sum);
  const auto visit = [&](Network& network, const Window& window, std::span<const std::size_t>) {
    if (!is_language) return judge.add(network, window);
    for (const double log_prob : network.log_probs(ready.weights, window)) sum.loss -= log_prob;
    sum.answers += window.predictions;
  };
  sweep_texts(ready, examples, visit, progress);
  return sum;
}

std::vector<double> losses_of_examples(const ReadyWeights& ready, const Examples& examples) {
  std::vector<double> losses(examples.count());
  const auto visit = [&](Network& network, const Window& window, std::span<const std::size_t> texts) {
    const std::span<const double> of_rows = network.losses(ready.weights, window);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for_each_entry(window, window.texts[i], [&](std::size_t entry) { losses[texts[i]] += of_rows[entry]; });
    }
  };
  sweep_texts(ready, examples, visit, {});
  return losses;
}

std::int32_t greatest(std::span<const float> scores) noexcept {
  return static_cast<std::int32_t>(std::ranges::max_element(scores) - scores.begin());
}

}  // namespace unroll
