#include "ngram/ngram_sums.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll {
namespace {

constexpr std::size_t kPicks = 1000;
constexpr std::size_t kWordsOfALength = 500'000;
constexpr double kRounding = 1.2e-4;  // of a sum of probabilities whose logarithms have four digits

class Summing {
 public:
  Summing(const NgramTable& table, std::uint32_t begin) : table_(table), begin_(begin) {}

  NgramSums run() {
    add_unigrams();
    for (std::size_t length = 1; length < table_.order(); ++length) add_sample(length);
    return std::move(result_);
  }

 private:
  // The n-gram of `length` words with this node, its words in order.
  [[nodiscard]] std::vector<std::uint32_t> words_of(std::size_t length, std::size_t node) const {
    std::vector<std::uint32_t> words(length);
    for (std::size_t at = length; at > 0; --at) {
      words[at - 1] = table_.levels[at - 1].words[node];
      if (at > 1) node = parent_of(at, node);
    }
    return words;
  }

  // The node of all words but the last.
  [[nodiscard]] std::size_t parent_of(std::size_t length, std::size_t node) const {
    const std::vector<std::uint32_t>& extent = table_.levels[length - 2].extent;
    return static_cast<std::size_t>(std::distance(extent.begin(), std::ranges::upper_bound(extent, node))) - 1;
  }

  void add_unigrams() {
    double sum = 0;
    double of_begin = 0;
    for (std::uint32_t word = 0; word < table_.words.size(); ++word) {
      const double p = power_of_ten(static_cast<double>(table_.levels[0].log_probs[word]));
      (word == begin_ ? of_begin : sum) += p;
    }
    add(sum, of_begin, kRounding, {});
  }

  // Contexts of this length, each once: evenly spaced over the contexts, and over the n-grams that they list, so that
  // both rare and frequent ones are among them. Those that list the fewest words come first.
  [[nodiscard]] std::vector<std::size_t> sample(std::size_t length) const {
    const std::vector<std::uint32_t>& extent = table_.levels[length - 1].extent;
    const std::size_t nodes = table_.levels[length - 1].words.size();
    const std::size_t ngrams = table_.levels[length].words.size();
    std::vector<std::size_t> picked;
    for (std::size_t i = 0; i < std::min(ngrams, kPicks); ++i) {
      picked.push_back(parent_of(length + 1, i * ngrams / std::min(ngrams, kPicks)));
    }
    for (std::size_t i = 0; i < std::min(nodes, kPicks) && ngrams > 0; ++i) {
      const std::uint32_t before = extent[i * nodes / std::min(nodes, kPicks)];
      if (before < ngrams) picked.push_back(parent_of(length + 1, before));  // the next one that lists words
    }
    const auto listed = [&](std::size_t node) { return std::pair(extent[node + 1] - extent[node], node); };
    std::ranges::sort(picked, {}, listed);
    picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
    return picked;
  }

  void add_sample(std::size_t length) {
    const std::vector<std::uint32_t>& extent = table_.levels[length - 1].extent;
    std::size_t words = 0;
    for (const std::size_t node : sample(length)) {
      words += extent[node + 1] - extent[node];
      if (words > kWordsOfALength) return;
      add_context(length, node);
    }
  }

  void add_context(std::size_t length, std::size_t node) {
    const std::vector<std::uint32_t> words = words_of(length, node);
    std::vector<std::uint32_t> context;
    for (const std::uint32_t word : words) context = table_.after(context, word);
    const auto shorter = std::span<const std::uint32_t>(context).first(length - 1);
    const std::vector<std::uint32_t>& extent = table_.levels[length - 1].extent;
    const NgramLevel& level = table_.levels[length];
    double listed = 0;
    double lower = 0;
    for (std::size_t i = extent[node]; i < extent[node + 1]; ++i) {
      if (level.words[i] == begin_) continue;
      listed += power_of_ten(static_cast<double>(level.log_probs[i]));
      lower += power_of_ten(table_.log_prob(shorter, level.words[i]));
    }
    const double weight = power_of_ten(static_cast<double>(table_.levels[length - 1].log_backoffs[node]));
    // What the words of the shorter context sum to is an error of its own, told for that context.
    const double sum = listed + weight * (1 - lower);
    const double of_begin = begin_ == kNoNode ? 0 : power_of_ten(table_.log_prob(context, begin_));
    add(sum, of_begin, kRounding * (1 + weight), words);
  }

  void add(double sum, double of_begin, double rounding, std::span<const std::uint32_t> words) {
    if (std::abs(sum + of_begin - 1) < std::abs(sum - 1)) sum += of_begin;
    ++result_.contexts;
    const double error = std::max(0.0, std::abs(sum - 1) - rounding);
    if (error > kNgramSumTolerance) ++result_.wrong;
    if (error <= largest_) return;
    largest_ = error;
    result_.worst_sum = sum;
    result_.worst_context.clear();
    for (const std::uint32_t word : words) {
      result_.worst_context += (result_.worst_context.empty() ? "" : " ") + table_.words[word];
    }
  }

  const NgramTable& table_;
  std::uint32_t begin_;
  NgramSums result_;
  double largest_ = -1;
};

}  // namespace

NgramSums sums_of(const NgramTable& table, std::uint32_t begin) { return Summing(table, begin).run(); }

}  // namespace unroll
