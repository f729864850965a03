#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/crf.h"
#include "nn/text_steps.h"

namespace unroll {
namespace {

// A beginning of a sequence up to some label at some step; it extends the beginning of this rank among those up to the
// label `from` a step before.
struct Beginning {
  double score = 0;
  std::int32_t from = kIgnored;  // kIgnored at the first step
  std::int32_t rank = 0;
};

// A total order: no score is NaN.
bool comes_first(const Beginning& a, const Beginning& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.from != b.from ? a.from < b.from : a.rank < b.rank;
}

double comparable(double score) { return std::isnan(score) ? -std::numeric_limits<double>::infinity() : score; }

bool is_allowed(const std::vector<std::uint8_t>& table, std::int64_t index) {
  return table.empty() || table[static_cast<std::size_t>(index)] != 0;
}

// The best beginnings up to each label at each step.
class BestBeginnings {
 public:
  BestBeginnings(const CrfParams<const float>& params, const AllowedLabels& allowed, std::int64_t most)
      : params_(params), allowed_(allowed), most_(static_cast<std::size_t>(most)), K_(std::ssize(params.start)) {}

  void add_step(const float* scores) { places_.empty() ? begin(scores) : extend(scores); }

  [[nodiscard]] std::vector<LabelSequence> whole_sequences() {
    find_best([&](std::int64_t from) { return is_allowed(allowed_.end, from); },
              [&](std::int64_t from) { return static_cast<double>(params_.end[static_cast<std::size_t>(from)]); }, 0);
    std::vector<LabelSequence> sequences;
    for (const Beginning& whole : best_) sequences.push_back({.labels = labels_of(whole), .score = whole.score});
    return sequences;
  }

 private:
  void begin(const float* scores) {
    for (std::int64_t k = 0; k < K_; ++k) {
      places_.push_back(all_.size());
      if (!is_allowed(allowed_.start, k)) continue;
      const auto start = static_cast<double>(params_.start[static_cast<std::size_t>(k)]);
      all_.push_back({.score = comparable(start + static_cast<double>(scores[k]))});
    }
  }

  void extend(const float* scores) {
    last_step_ = places_.size() - static_cast<std::size_t>(K_);
    for (std::int64_t k = 0; k < K_; ++k) {
      find_best([&](std::int64_t from) { return is_allowed(allowed_.transitions, from * K_ + k); },
                [&](std::int64_t from) { return static_cast<double>(params_.transitions(from, k)); },
                static_cast<double>(scores[k]));
      places_.push_back(all_.size());
      all_.insert(all_.end(), best_.begin(), best_.end());
    }
    last_step_ += static_cast<std::size_t>(K_);
  }

  // Sets best_ to the best extensions of the beginnings at last_step_, whose score grows by the transition's and
  // `score`.
  template <class Allowed, class Transition>
  void find_best(const Allowed& allowed, const Transition& transition, double score) {
    best_.clear();
    for (std::int64_t from = 0; from < K_; ++from) {
      if (!allowed(from)) continue;
      const std::size_t place = last_step_ + static_cast<std::size_t>(from);
      const std::size_t end = place + 1 < places_.size() ? places_[place + 1] : all_.size();
      for (std::size_t i = places_[place]; i < end; ++i) {
        best_.push_back({.score = comparable(all_[i].score + transition(from) + score),
                         .from = static_cast<std::int32_t>(from),
                         .rank = static_cast<std::int32_t>(i - places_[place])});
      }
    }
    const std::size_t kept = std::min(most_, best_.size());
    std::partial_sort(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(kept), best_.end(), comes_first);
    best_.resize(kept);
  }

  [[nodiscard]] std::vector<std::int32_t> labels_of(Beginning at) const {
    std::vector<std::int32_t> labels;
    for (std::size_t step = last_step_; at.from != kIgnored; step -= static_cast<std::size_t>(K_)) {
      labels.push_back(at.from);
      at = all_[places_[step + static_cast<std::size_t>(at.from)] + static_cast<std::size_t>(at.rank)];
    }
    std::ranges::reverse(labels);
    return labels;
  }

  const CrfParams<const float>& params_;
  const AllowedLabels& allowed_;
  std::size_t most_;
  std::int64_t K_;
  std::vector<Beginning> all_;       // of every step and label, one after the other
  std::vector<std::size_t> places_;  // (steps, K) the first of each in all_
  std::size_t last_step_ = 0;        // the place of the last step's label 0 in places_
  std::vector<Beginning> best_;
};

}  // namespace

std::vector<LabelSequence> crf_best_sequences(const CrfShape& shape, const WindowText& text,
                                              const CrfParams<const float>& params, MatView<const float> scores,
                                              const AllowedLabels& allowed, std::int64_t most) {
  BestBeginnings best(params, allowed, most);
  TextSteps(shape.B, shape.pieces, text).for_each([&](std::int64_t row) { best.add_step(scores.row(row)); });
  return best.whole_sequences();
}

}  // namespace unroll
