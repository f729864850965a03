#include "exchange/expected_ngrams.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ngram/backoff.h"

namespace unroll {
namespace {

constexpr float kLikely = 0.01F;  // what the network gives a word, from which on it is listed
constexpr double kPrior = 5;      // places that the shorter context counts for

float log10_of(double p) {
  return static_cast<float>(p > 0 ? std::clamp(std::log10(p), kLogOfNothing, 0.0) : kLogOfNothing);
}

}  // namespace

ExpectedNgrams::ExpectedNgrams(std::span<const std::int32_t> ids, std::size_t learned, const Tokenizer& tokenizer,
                               std::size_t order)
    : ids_(ids),
      learned_(learned),
      boundary_(tokenizer.boundary()),
      order_(order),
      begin_(static_cast<std::uint32_t>(tokenizer.size())),
      candidates_(learned),
      sums_(order),
      places_(order - 1) {
  table_.words = tokenizer.vocabulary();
  table_.words[static_cast<std::size_t>(boundary_)] = "</s>";
  table_.words.emplace_back("<s>");
  sums_[0].resize(table_.words.size());
}

void ExpectedNgrams::list(std::size_t position, std::span<const float> p) {
  if (position >= learned_) return;
  std::vector<std::uint32_t>& listed = candidates_[position];
  const auto came = static_cast<std::uint32_t>(ids_[position]);
  for (std::uint32_t id = 0; id < p.size(); ++id) {
    sums_[0][id] += static_cast<double>(p[id]);
    if (p[id] >= kLikely || id == came) listed.push_back(id);
  }
}

void ExpectedNgrams::arrange() {
  set_unigrams();
  for (std::size_t length = 1; length < order_; ++length) arrange_level(length);
  candidates_ = {};
  for (std::size_t length = 1; length < order_; ++length) {
    places_[length - 1].resize(table_.levels[length - 1].words.size());
    sums_[length].resize(table_.levels[length].words.size());
  }
  std::vector<std::uint32_t> context = start();
  for (std::size_t i = 0; i < learned_; ++i) {
    for (std::size_t length = 1; length < order_; ++length) {
      const std::uint32_t node = length <= context.size() ? context[length - 1] : kNoNode;
      contexts_.push_back(node);
      if (node != kNoNode) ++places_[length - 1][node];
    }
    context = ids_[i] == boundary_ ? start() : table_.after(context, static_cast<std::uint32_t>(ids_[i]));
  }
}

void ExpectedNgrams::set_unigrams() {
  NgramLevel level;
  for (std::uint32_t word = 0; word < table_.words.size(); ++word) {
    level.words.push_back(word);
    level.log_probs.push_back(log10_of(sums_[0][word] / static_cast<double>(learned_)));
  }
  table_.levels.push_back(std::move(level));
}

// Lists the n-grams whose contexts have `length` words.
void ExpectedNgrams::arrange_level(std::size_t length) {
  // With one order more, a table knows the contexts of all that it holds.
  NgramLevel& contexts = table_.levels.back();
  contexts.log_backoffs.resize(contexts.words.size());
  contexts.extent.assign(contexts.words.size() + 1, 0);
  table_.levels.emplace_back();
  std::vector<std::uint64_t> listed;
  std::size_t least = 0;  // of what is listed so far, each once
  const auto once = [&] {
    std::ranges::sort(listed);
    listed.erase(std::unique(listed.begin(), listed.end()), listed.end());
    least = listed.size();
  };
  std::vector<std::uint32_t> context = start();
  for (std::size_t i = 0; i < learned_; ++i) {
    if (length <= context.size() && context[length - 1] != kNoNode) {
      for (const std::uint32_t word : candidates_[i]) {
        listed.push_back(std::uint64_t{context[length - 1]} << 32 | word);
      }
    }
    constexpr std::size_t kSlack = std::size_t{1} << 22;
    if (listed.size() > 2 * least + kSlack) once();
    context = ids_[i] == boundary_ ? start() : table_.after(context, static_cast<std::uint32_t>(ids_[i]));
  }
  once();
  NgramLevel& level = table_.levels.back();
  std::vector<std::uint32_t>& extent = table_.levels[length - 1].extent;
  for (const std::uint64_t ngram : listed) {
    ++extent[(ngram >> 32) + 1];
    level.words.push_back(static_cast<std::uint32_t>(ngram & 0xFFFFFFFFU));
  }
  for (std::size_t i = 1; i < extent.size(); ++i) extent[i] += extent[i - 1];
  level.log_probs.resize(level.words.size());
}

void ExpectedNgrams::add(std::size_t position, std::span<const float> p) {
  if (position >= learned_) return;
  for (std::size_t length = 1; length < order_; ++length) {
    const std::uint32_t node = contexts_[position * (order_ - 1) + length - 1];
    if (node == kNoNode) continue;
    const std::vector<std::uint32_t>& extent = table_.levels[length - 1].extent;
    const std::vector<std::uint32_t>& words = table_.levels[length].words;
    for (std::uint32_t i = extent[node]; i < extent[node + 1]; ++i) {
      sums_[length][i] += static_cast<double>(p[words[i]]);
    }
  }
}

void ExpectedNgrams::estimate() {
  for (std::size_t length = 1; length < order_; ++length) {
    visit_contexts(table_, length, [&](std::size_t, std::uint32_t node, std::span<const std::uint32_t> context) {
      const std::vector<std::uint32_t>& extent = table_.levels[length - 1].extent;
      NgramLevel& level = table_.levels[length];
      for (std::uint32_t i = extent[node]; i < extent[node + 1]; ++i) {
        const double below = std::pow(10.0, table_.log_prob(context.first(length - 1), level.words[i]));
        level.log_probs[i] = log10_of((sums_[length][i] + kPrior * below) / (places_[length - 1][node] + kPrior));
      }
      weigh(table_, length, node, context, begin_);
    });
  }
}

ContextShares ExpectedNgrams::shares() const {
  ContextShares shares = places_;
  for (std::vector<double>& of_length : shares) {
    for (double& share : of_length) share /= static_cast<double>(learned_);
  }
  return shares;
}

}  // namespace unroll
