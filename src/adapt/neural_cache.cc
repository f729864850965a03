#include "adapt/neural_cache.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "infer/prediction.h"
#include "kernels/matmul.h"
#include "nn/recurrent_steps.h"

namespace unroll {

NeuralCache::NeuralCache(const CacheOptions& options)
    : size_(options.size),
      theta_(options.theta),
      log_weight_(std::log(options.weight)),
      log_rest_(std::log1p(-options.weight)) {}

bool NeuralCache::takes_part(std::int64_t t) const noexcept {
  return std::isfinite(log_weight_) && !seen(t).next.empty();
}

void NeuralCache::attend(Workers& workers, MatView<const float> h, std::span<const std::int32_t> next) {
  assert(h.rows == std::ssize(next));
  const std::int64_t H = h.cols;
  // What no step of this window sees goes first.
  const std::int64_t old = std::max<std::int64_t>(0, std::ssize(next_) - size_);
  states_.erase(states_.begin(), states_.begin() + old * H);
  next_.erase(next_.begin(), next_.begin() + old);
  window_ = h.rows;
  for (std::int64_t t = 0; t < window_; ++t) states_.insert(states_.end(), h.row(t), h.row(t) + H);
  next_.insert(next_.end(), next.begin(), next.end());
  number_symbols();

  const std::int64_t kept = std::ssize(next_);
  const MatView<const float> states(states_.data(), kept, H);
  PackedMatrix packed(H, kept);
  pack_all(workers, std::array{PackingTask{.a = states, .forward = &packed}});
  products_.resize(static_cast<std::size_t>(window_ * kept));
  multiply_rows(workers, states.row_range(kept - window_, window_), packed, {}, {products_.data(), window_, kept});
}

NeuralCache::Seen NeuralCache::seen(std::int64_t t) const noexcept {
  assert(t >= 0 && t < window_);
  const std::int64_t kept = std::ssize(next_);
  const std::int64_t last = kept - window_ + t;
  const auto first = static_cast<std::size_t>(std::max<std::int64_t>(0, last - size_));
  const auto count = static_cast<std::size_t>(last) - first;
  return {std::span(products_).subspan(static_cast<std::size_t>(t * kept) + first, count),
          std::span(next_).subspan(first, count)};
}

double NeuralCache::mixed(std::int64_t t, double network) const {
  const auto [products, next] = seen(t);
  const std::int32_t target = next_[next_.size() - static_cast<std::size_t>(window_ - t)];
  const double most = largest_exponent(products);
  double total = 0;
  double sum = 0;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const double e = std::exp(theta_ * static_cast<double>(products[i]) - most);
    total += e;
    if (next[i] == target) sum += e;
  }
  return log_of_sum(log_rest_ + network, log_weight_ + std::log(sum / total));
}

void NeuralCache::mix(std::int64_t t, std::span<double> log_probs) const {
  const auto [products, next] = seen(t);
  const std::int32_t* const places = places_.data() + (next.data() - next_.data());
  const double most = largest_exponent(products);
  double total = 0;
  std::vector<double> sums(symbols_.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    const double e = std::exp(theta_ * static_cast<double>(products[i]) - most);
    total += e;
    sums[static_cast<std::size_t>(places[i])] += e;
  }
  for (double& log_prob : log_probs) log_prob += log_rest_;
  for (std::size_t place = 0; place < sums.size(); ++place) {
    double& log_prob = log_probs[static_cast<std::size_t>(symbols_[place])];
    log_prob = log_of_sum(log_prob, log_weight_ + std::log(sums[place] / total));
  }
}

double NeuralCache::largest_exponent(std::span<const float> products) const noexcept {
  return theta_ * static_cast<double>(*std::max_element(products.begin(), products.end()));
}

void NeuralCache::number_symbols() {
  for (const std::int32_t symbol : symbols_) place_of_[static_cast<std::size_t>(symbol)] = -1;
  symbols_.clear();
  places_.clear();
  for (const std::int32_t symbol : next_) {
    const auto index = static_cast<std::size_t>(symbol);
    if (index >= place_of_.size()) place_of_.resize(index + 1, -1);
    if (place_of_[index] < 0) {
      place_of_[index] = static_cast<std::int32_t>(symbols_.size());
      symbols_.push_back(symbol);
    }
    places_.push_back(place_of_[index]);
  }
}

}  // namespace unroll
