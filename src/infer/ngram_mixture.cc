#include "infer/ngram_mixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {
namespace {

void check(const NgramMix& mix, const Tokenizer& tokenizer) {
  if (!(mix.lambda >= 0 && mix.lambda <= 1)) {
    throw Error(ErrorCode::kUsage, fmt::format("`lambda` is {}: expected 0 to 1", mix.lambda), "lambda");
  }
  if (!tokens_are_words(tokenizer.kind())) {
    throw Error(ErrorCode::kUsage,
                fmt::format("n-grams are of words, but this model's tokenizer is {}: they mix with models of tokenizer "
                            "word or whitespace",
                            tokenizer_kind_name(tokenizer.kind())));
  }
  if (tokenizer.boundary() < 0 || tokenizer.unknown() < 0) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("n-grams predict the end of a line and any word, but this model's vocabulary has no {}: they "
                    "do not mix",
                    tokenizer.boundary() < 0 ? "<eos>" : "<unk>"));
  }
  if (mix.ngram.end() < 0) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("the n-grams '{}' do not list </s>, so they cannot predict the end of a line: make them from "
                    "text with <s> and </s> around each line",
                    mix.ngram.path()));
  }
}

// Rounding of what toolkits write stays far below.
constexpr double kMostLogProb = 0.05;

// d/dlambda of ln(lambda a + (1 - lambda) b), which is (a - b) / (lambda a + (1 - lambda) b), by the ratio of both that
// does not overflow.
double slope(double lambda, double log_a, double log_b) {
  const double ratio = std::exp(-std::abs(log_a - log_b));
  if (log_a < log_b) return (ratio - 1) / (lambda * ratio + 1 - lambda);
  return (1 - ratio) / (lambda + (1 - lambda) * ratio);
}

}  // namespace

double log_of_mixture(double lambda, double network, double ngram) {
  return lambda == 0 ? ngram : log_of_sum(std::log(lambda) + network, std::log1p(-lambda) + ngram);
}

double best_lambda(std::span<const double> network, std::span<const double> ngram) {
  double low = 0;
  double high = 1;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (std::size_t w = 0; w < network.size(); ++w) sum += slope(middle, network[w], ngram[w]);
    (sum > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

NgramMixture::NgramMixture(const NgramMix& mix, const Tokenizer& tokenizer)
    : ngram_(mix.ngram),
      lambda_(mix.lambda),
      boundary_(tokenizer.boundary()),
      unknown_(tokenizer.unknown()),
      file_unknown_(mix.ngram.unknown()),
      places_(static_cast<std::size_t>(tokenizer.size()), -1) {
  check(mix, tokenizer);
  std::vector<bool> claimed(static_cast<std::size_t>(ngram_.size()));
  const auto claim = [&](std::int32_t id, std::int32_t place) {
    if (place < 0 || claimed[static_cast<std::size_t>(place)]) return false;
    claimed[static_cast<std::size_t>(place)] = true;
    places_[static_cast<std::size_t>(id)] = place;
    return true;
  };
  claim(boundary_, ngram_.end());
  // It is never predicted: the number that files list for it (KenLM 0, SRILM -99) is not a probability.
  if (const std::int32_t start = ngram_.id("<s>"); start >= 0) claimed[static_cast<std::size_t>(start)] = true;
  for (std::int32_t id = 0; id < tokenizer.size() && file_unknown_ >= 0; ++id) {
    // A text that spells out its unknown words taught both the same word.
    if (id != unknown_ && tokenizer.symbol(id) == ngram_.word(file_unknown_)) file_unknown_ = -1;
  }
  if (file_unknown_ >= 0) claimed[static_cast<std::size_t>(file_unknown_)] = true;
  bool any = false;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    if (id == boundary_) continue;
    const bool listed = id != unknown_ && claim(id, ngram_.id(tokenizer.symbol(id)));
    any = any || listed;
    if (!listed) ++shares_;
  }
  if (!any) {
    throw Error(ErrorCode::kUsage, fmt::format("the n-grams '{}' list none of the model's words: are they of the same "
                                               "text?",
                                               ngram_.path()));
  }
  for (std::int32_t place = 0; place < ngram_.size(); ++place) {
    if (!claimed[static_cast<std::size_t>(place)]) unclaimed_.push_back(place);
  }
}

void NgramMixture::read(NgramState& state, std::int32_t id) const {
  if (id == boundary_) {
    state = begin();
    return;
  }
  const std::int32_t place = places_[static_cast<std::size_t>(id)];
  ngram_.read(state, place < 0 ? file_unknown_ : place);
}

double NgramMixture::log_prob(NgramState& state, std::int32_t id) const {
  double result = 0;
  if (id == unknown_ && !unclaimed_.empty()) {
    std::vector<double> listed(static_cast<std::size_t>(ngram_.size()));
    ngram_.probabilities(state, listed);
    result = std::log(unknown_probability(listed));
  } else {
    const std::int32_t place = places_[static_cast<std::size_t>(id)];
    NgramState asked = state;
    result = place < 0 ? ngram_.log_prob(asked, file_unknown_) - std::log(shares_) : ngram_.log_prob(asked, place);
  }
  read(state, id);
  return result <= kMostLogProb ? std::min(result, 0.0) : std::numeric_limits<double>::infinity();
}

std::vector<double> NgramMixture::log_probs(std::span<const std::int32_t> ids, std::string_view text_name) const {
  std::vector<double> result;
  result.reserve(ids.size());
  NgramState state = begin();
  std::int64_t line = 1;
  for (const std::int32_t id : ids) {
    result.push_back(log_prob(state, id));
    if (result.back() > 0) {
      const std::int32_t place = places_[static_cast<std::size_t>(id)];
      throw Error(ErrorCode::kInput, overweight_message(fmt::format("{}, line {}", text_name, line), ngram_,
                                                        place < 0 ? "<unk>" : ngram_.word(place)));
    }
    if (id == boundary_) ++line;
  }
  return result;
}

std::vector<double> NgramMixture::probabilities(const NgramState& state) const {
  std::vector<double> listed(static_cast<std::size_t>(ngram_.size()));
  ngram_.probabilities(state, listed);
  const double share = share_of_unknown(listed);
  std::vector<double> result;
  result.reserve(places_.size());
  for (const std::int32_t place : places_) {
    result.push_back(place < 0 ? share : listed[static_cast<std::size_t>(place)]);
  }
  if (unknown_ >= 0) result[static_cast<std::size_t>(unknown_)] = unknown_probability(listed);
  return result;
}

double NgramMixture::share_of_unknown(std::span<const double> listed) const {
  return file_unknown_ < 0 ? 0 : listed[static_cast<std::size_t>(file_unknown_)] / shares_;
}

double NgramMixture::unknown_probability(std::span<const double> listed) const {
  double p = share_of_unknown(listed);
  for (const std::int32_t place : unclaimed_) p += listed[static_cast<std::size_t>(place)];
  return p;
}

std::optional<NgramMixture> mixture_of(const std::optional<NgramMix>& mix, const Tokenizer& tokenizer) {
  if (!mix) return std::nullopt;
  NgramMixture mixture(*mix, tokenizer);
  if (mix->lambda == 1) return std::nullopt;
  return mixture;
}

bool denied_by_ngrams(double log_prob, const std::optional<NgramMix>& mix) noexcept {
  return mix && mix->lambda == 0 && log_prob == -std::numeric_limits<double>::infinity();
}

std::string denied_by_ngrams_message(std::string_view where) {
  return fmt::format(
      "{}: the n-grams give this word no probability, and with a `lambda` of 0 nothing else does: take a "
      "larger one",
      where);
}

std::string overweight_message(std::string_view where, const Ngram& ngram, std::string_view word) {
  return fmt::format(
      "{}: the n-grams '{}' give the word {} a probability of more than 1: their back-off weights are wrong", where,
      ngram.path(), quote(word));
}

void NgramRows::read(const Window& window, Detail detail) {
  const auto B = static_cast<std::size_t>(window.B);
  rows_.resize(B);
  targets_ = window.targets;
  log_probs_.assign(targets_.size(), 0);
  before_.clear();
  for (std::size_t r = 0; r < targets_.size(); ++r) {
    NgramState& state = rows_[r % B];
    mixture_->read(state, window.inputs[r]);
    if (detail == Detail::kRankAndEntropy) before_.push_back(state);
    if (targets_[r] == kIgnored) continue;
    NgramState asked = state;
    log_probs_[r] = mixture_->log_prob(asked, targets_[r]);
  }
}

double NgramRows::mixed(std::int64_t r, double network) const {
  return mixture_->mixed(network, log_probs_[static_cast<std::size_t>(r)]);
}

SymbolPrediction NgramRows::predict(std::int64_t r, std::span<const double> network) const {
  const auto index = static_cast<std::size_t>(r);
  const auto target = static_cast<std::size_t>(targets_[index]);
  std::vector<double> p = mixture_->probabilities(before_[index]);
  const double lambda = mixture_->lambda();
  for (std::size_t id = 0; id < p.size(); ++id) p[id] = lambda * std::exp(network[id]) + (1 - lambda) * p[id];
  SymbolPrediction result{.log_prob = mixed(r, network[target]), .rank = 1};
  for (const double other : p) {
    if (other > p[target]) ++result.rank;
    if (other > 0) result.entropy -= other * std::log(other);
  }
  return result;
}

}  // namespace unroll
