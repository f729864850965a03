#include "unroll/judge/calibration.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "unroll/error.h"

namespace unroll {
namespace {

void check_logits(std::span<const float> logits, std::size_t texts, std::int64_t K) {
  if (texts == 0) throw Error(ErrorCode::kInput, "no texts to calibrate on: expected at least one");
  if (K < 1 || logits.size() != texts * static_cast<std::size_t>(K)) {
    throw Error(ErrorCode::kUsage, fmt::format("{} logits of {} texts: expected {} of each", logits.size(), texts, K));
  }
  const auto odd = std::ranges::find_if(logits, [](float logit) { return !std::isfinite(logit); });
  if (odd != logits.end()) {
    throw Error(ErrorCode::kNumeric, fmt::format("a logit is {}: expected finite numbers", *odd));
  }
}

void check_right(std::int32_t label, std::int64_t K) {
  if (label < 0 || label >= K) throw Error(ErrorCode::kUsage, fmt::format("label {}: expected 0 to {}", label, K - 1));
}

// ln(1 + e^x)
double softplus(double x) noexcept { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

// -ln softmax(y / T)[right]
double softmax_nats(std::span<const float> y, std::size_t right, double T) noexcept {
  const double largest = *std::ranges::max_element(y);
  double sum = 0;
  for (const float logit : y) sum += std::exp((logit - largest) / T);
  return std::log(sum) + (largest - y[right]) / T;
}

// The minimum of f over [low, high], where it has one.
template <class F>
double golden_section(double low, double high, const F& f) {
  const double share = (std::sqrt(5.0) - 1) / 2;
  double left = high - share * (high - low);
  double right = low + share * (high - low);
  double at_left = f(left);
  double at_right = f(right);
  while (high - low > 1e-5) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - share * (high - low);
      at_left = f(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + share * (high - low);
      at_right = f(right);
    }
  }
  return (low + high) / 2;
}

// nats_at(T) is the loss per text.
template <class Nats>
Temperature best_temperature(bool separable, const Nats& nats_at) {
  Temperature kept;
  kept.nats_before = kept.nats_after = nats_at(1.0);
  if (separable) return kept;
  const double found =
      std::exp(golden_section(std::log(0.1), std::log(10.0), [&](double x) { return nats_at(std::exp(x)); }));
  const double rounded = std::round(found * 1e4) / 1e4;
  const double nats = nats_at(rounded);
  if (!(nats < kept.nats_before)) return kept;
  return {.value = rounded, .nats_before = kept.nats_before, .nats_after = nats};
}

}  // namespace

MeanNats mean_nats(std::span<const double> nats) {
  MeanNats mean;
  double sum = 0;
  for (const double one : nats) {
    if (std::isnan(one)) throw Error(ErrorCode::kNumeric, "the loss of a text is NaN");
    if (std::isinf(one)) {
      ++mean.left_out;
    } else {
      sum += one;
    }
  }
  const std::int64_t counted = std::ssize(nats) - mean.left_out;
  if (counted > 0) mean.nats_per_text = sum / static_cast<double>(counted);
  return mean;
}

void CalibrationError::add(const Confidence& confidence) {
  const double probability = confidence.probability;
  if (!(probability >= 0 && probability <= 1)) {
    throw Error(ErrorCode::kNumeric, fmt::format("a probability is {}: expected 0 to 1", probability));
  }
  const int bin = std::clamp(static_cast<int>(std::ceil(probability * kBins)) - 1, 0, kBins - 1);
  excess_[static_cast<std::size_t>(bin)] += (confidence.is_right ? 1 : 0) - probability;
  ++count_;
}

std::optional<double> CalibrationError::value() const {
  if (count_ == 0) return std::nullopt;
  double sum = 0;
  for (const double of_bin : excess_) sum += std::fabs(of_bin);
  return sum / static_cast<double>(count_);
}

Temperature fit_temperature(std::span<const float> logits, std::span<const std::int32_t> right, std::int64_t K) {
  check_logits(logits, right.size(), K);
  const auto row = [&](std::size_t i) {
    return logits.subspan(i * static_cast<std::size_t>(K), static_cast<std::size_t>(K));
  };
  bool separable = true;
  for (std::size_t i = 0; i < right.size(); ++i) {
    check_right(right[i], K);
    separable = separable && row(i)[static_cast<std::size_t>(right[i])] >= std::ranges::max(row(i));
  }
  return best_temperature(separable, [&](double T) {
    double sum = 0;
    for (std::size_t i = 0; i < right.size(); ++i) sum += softmax_nats(row(i), static_cast<std::size_t>(right[i]), T);
    return sum / static_cast<double>(right.size());
  });
}

Temperature fit_sigmoid_temperature(std::span<const float> logits, std::span<const std::uint8_t> has, std::int64_t K) {
  const std::size_t texts = K < 1 ? has.size() : has.size() / static_cast<std::size_t>(K);
  check_logits(logits, texts, K);
  bool separable = true;
  for (std::size_t i = 0; i < has.size(); ++i) separable = separable && (has[i] != 0 ? logits[i] >= 0 : logits[i] <= 0);
  return best_temperature(separable, [&](double T) {
    double sum = 0;
    for (std::size_t i = 0; i < has.size(); ++i) sum += softplus((has[i] != 0 ? -logits[i] : logits[i]) / T);
    return sum / static_cast<double>(texts);
  });
}

double best_threshold(std::span<const Confidence> texts) {
  std::vector<Confidence> order(texts.begin(), texts.end());
  std::ranges::sort(order, std::ranges::greater{}, &Confidence::probability);
  HitCounts counts;
  for (const Confidence& text : order) counts.support += text.is_right ? 1 : 0;
  HitCounts best{.answered = 1};
  double threshold = 0.5;
  for (std::size_t i = 0; i < order.size(); ++i) {
    ++counts.answered;
    counts.hits += order[i].is_right ? 1 : 0;
    const double lowest = order[i].probability;
    const double next = i + 1 < order.size() ? order[i + 1].probability : -1;
    if (next == lowest || counts.hits == 0) continue;
    const double middle = (lowest + std::max(next, 0.0)) / 2;
    const double found = next < 0.5 && 0.5 <= lowest ? 0.5 : middle > next ? middle : lowest;
    // F1 = 2 hits / (answered + support), compared as fractions: what is equal is equal to the last bit.
    const std::int64_t now = counts.hits * (best.answered + counts.support);
    const std::int64_t before = best.hits * (counts.answered + counts.support);
    if (now > before || (now == before && std::fabs(found - 0.5) < std::fabs(threshold - 0.5))) {
      best = counts;
      threshold = found;
    }
  }
  return threshold;
}

std::vector<double> best_thresholds(std::span<const double> probabilities, std::span<const std::uint8_t> has,
                                    std::int64_t K) {
  if (K < 1 || probabilities.size() != has.size() || has.size() % static_cast<std::size_t>(K) != 0) {
    throw Error(ErrorCode::kUsage, fmt::format("{} probabilities and {} labels: expected {} of both for each text",
                                               probabilities.size(), has.size(), K));
  }
  std::vector<double> thresholds;
  std::vector<Confidence> texts(has.size() / static_cast<std::size_t>(K));
  for (std::size_t k = 0; k < static_cast<std::size_t>(K); ++k) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::size_t at = i * static_cast<std::size_t>(K) + k;
      texts[i] = {.probability = probabilities[at], .is_right = has[at] != 0};
    }
    thresholds.push_back(best_threshold(texts));
  }
  return thresholds;
}

std::vector<ThresholdRow> threshold_table(std::span<const Confidence> texts, std::span<const double> thresholds) {
  std::vector<ThresholdRow> rows;
  for (const double threshold : thresholds) {
    ThresholdRow row{.threshold = threshold, .counts = {}};
    for (const auto& [probability, is_right] : texts) {
      const bool answered = probability >= threshold;
      row.counts += {.hits = answered && is_right ? 1 : 0, .answered = answered ? 1 : 0, .support = is_right ? 1 : 0};
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace unroll
