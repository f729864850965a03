#include "unroll/adapt/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "adapt/adaptive_stream.h"
#include "adapt/cache_sweep.h"
#include "adapt/convex_search.h"
#include "base/names.h"
#include "infer/ngram_mixture.h"
#include "infer/predicted_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kRecordedTokens = 200000;
constexpr std::int64_t kLargestTriedCache = 10000;

// Coarse values of each setting, and finer ones as multiples of the best of these.
constexpr double kFirstStep = 1.15;  // of a temperature
const NumberRange kTemperatureRange{.least = kLeastTemperature, .most = kLargestTemperature};
const CacheGrid kCaches{.sizes = {100, 500, 2000, 5000},
                        .thetas = {0.03, 0.1, 0.3, 1, 3},
                        .weights = {0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.85}};
const std::vector<double> kFinerThetas{0.5, 0.7, 1, 1.4, 2};
const std::vector<double> kFinerWeights{0.6, 0.8, 1, 1.2, 1.5};
constexpr double kLargestTriedWeight = 0.99;
const std::vector<double> kRates{0.1, 0.3, 1, 3, 10};
constexpr double kNextRate = 3;  // times as large, or as small, beyond these
const std::vector<double> kDecays{0, 0.001, 0.003, 0.03, 0.1, 0.3, 1};
const std::vector<double> kFinerRates{0.5, 0.7, 1.4, 2};

constexpr int kMostSteps = 40;  // beyond and between what was tried
constexpr int kMostRatesBelow = 8;
constexpr double kLittleGain = 1e-4;  // nats per token, for which no search goes on

std::vector<double> multiples(double best, const std::vector<double>& factors, double most) {
  std::vector<double> values;
  for (const double factor : factors) values.push_back(std::min(most, rounded_setting(best * factor)));
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

// Weights next to this one: by their ratio to it, or to what it leaves to the network, whichever is less.
std::vector<double> weights_around(double best) {
  if (best <= 0.5) return multiples(best, kFinerWeights, kLargestTriedWeight);
  std::vector<double> weights;
  for (const double factor : kFinerWeights) {
    weights.push_back(std::min(kLargestTriedWeight, rounded_setting(1 - (1 - best) * factor)));
  }
  std::ranges::sort(weights);
  weights.erase(std::unique(weights.begin(), weights.end()), weights.end());
  return weights;
}

// The settings next to these.
CacheGrid around(const CacheOptions& best) {
  CacheGrid grid{
      .sizes = {std::max<std::int64_t>(1, best.size / 2), best.size, std::min(kLargestTriedCache, 2 * best.size)},
      .thetas = multiples(best.theta, kFinerThetas, kLargestCacheTheta),
      .weights = weights_around(best.weight)};
  grid.sizes.erase(std::unique(grid.sizes.begin(), grid.sizes.end()), grid.sizes.end());
  return grid;
}

// Whether one of the settings is the first or the last of its kind in the grid, though more could be tried.
bool at_an_end(const CacheOptions& best, const CacheGrid& grid) {
  const auto ends = [](auto value, const auto& values, auto least, auto most) {
    return (value == values.front() && value > least) || (value == values.back() && value < most);
  };
  return ends(best.size, grid.sizes, std::int64_t{1}, kLargestTriedCache) ||
         ends(best.theta, grid.thetas, 0.0, kLargestCacheTheta) ||
         ends(best.weight, grid.weights, 0.0, kLargestTriedWeight);
}

class Tuning {
 public:
  // `mixture`: of the n-grams, or null.
  Tuning(const Model& model, const NamedText& text, std::span<const std::int32_t> ids, const TuneOptions& options,
         const NgramMixture* mixture)
      : model_(model),
        name_(text.name),
        ids_(ids),
        reading_(
            reading_of(model.tokenizer(), options.state.value_or(model.trained_state_policy()), model.begin_policy())),
        predicted_(only_predicted(std::vector<std::int32_t>(ids.begin(), ids.end()))),
        options_(options),
        mixture_(mixture),
        workers_(options.threads) {
    if (predicted_.empty()) {
      throw Error(ErrorCode::kInput, fmt::format("{} holds no token that is predicted: the first one is given", name_));
    }
  }

  TuneResult run() {
    const auto recorded = ids_.first(std::min(ids_.size(), kRecordedTokens));
    RecordedText text = record(recorded, {}, "plain");
    result_.plain = trial({}, text.log_probs);
    result_.best = result_.plain;
    const std::vector<double> plain = text.log_probs;
    if (options_.temperature) find_temperature(recorded, result_.best);
    if (options_.cache) {
      if (result_.best.adaptation != Adaptation{}) record_again(recorded, result_.best.adaptation, text);
      find_cache(recorded, text, result_.best);
    }
    text = {};
    if (options_.dynamic) find_dynamic(plain);
    if (mixture_ != nullptr) find_lambda(plain);
    result_.at_end = ends_of(result_.best);
    return std::move(result_);
  }

 private:
  // Those of the values of the first ids whose ids are predicted.
  template <class Value>
  [[nodiscard]] std::vector<Value> only_predicted(const std::vector<Value>& values) const {
    std::vector<Value> result;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (reading_.predicts(ids_, i)) result.push_back(values[i]);
    }
    return result;
  }

  // The first ids, up to the last of so many predicted ones.
  [[nodiscard]] std::span<const std::int32_t> ids_with(std::int64_t predictions) const {
    std::size_t count = 0;
    for (std::int64_t left = predictions; left > 0; ++count) left -= reading_.predicts(ids_, count) ? 1 : 0;
    return ids_.first(count);
  }

  // ln p of each of the first ids that is predicted.
  std::vector<double> log_probs(AdaptiveStream& stream, std::span<const std::int32_t> ids, const std::string& what) {
    return only_predicted(stream.log_probs(ids, progress(what)));
  }

  // Runs the network over the first ids and keeps its states and predictions.
  RecordedText record(std::span<const std::int32_t> ids, const Adaptation& adaptation, const std::string& what) {
    const auto predictions = static_cast<std::size_t>(count_predictions(reading_, ids));
    RecordedText text{.ids = std::span(predicted_).first(predictions), .states = {}, .log_probs = {}};
    AdaptiveStream stream(model_, adaptation, reading_, workers_);
    if (options_.cache) {
      stream.observe([&](MatView<const float> h) {
        for (std::int64_t t = 0; t < h.rows; ++t) text.states.insert(text.states.end(), h.row(t), h.row(t) + h.cols);
      });
    }
    text.log_probs = log_probs(stream, ids, what);
    return text;
  }

  // Replaces the states and predictions: states are large, and those of before are given up first.
  void record_again(std::span<const std::int32_t> ids, const Adaptation& adaptation, RecordedText& text) {
    text = {};
    text = record(ids, adaptation, "cache");
  }

  EvaluationProgress progress(const std::string& what) {
    if (!options_.progress) return {};
    return [this, what](std::int64_t done, std::int64_t total) { options_.progress(what, done, total); };
  }

  static TuneTrial trial(const Adaptation& adaptation, std::int64_t tokens, double nats) {
    const double mean = nats / static_cast<double>(tokens);
    return {.adaptation = adaptation, .tokens = tokens, .nats_per_token = mean, .perplexity = std::exp(mean)};
  }

  static TuneTrial trial(const Adaptation& adaptation, std::span<const double> log_probs) {
    return trial(adaptation, std::ssize(log_probs), -std::accumulate(log_probs.begin(), log_probs.end(), 0.0));
  }

  // The settings beyond which nothing was tried.
  static std::vector<std::string> ends_of(const TuneTrial& best) {
    std::vector<std::string> ends;
    const auto note = [&](bool at_end, const char* name) {
      if (at_end) ends.emplace_back(name);
    };
    const Adaptation& found = best.adaptation;
    note(found.temperature <= kLeastTemperature || found.temperature >= kLargestTemperature, "temperature");
    if (found.cache) {
      note(found.cache->size >= kLargestTriedCache && best.tokens > found.cache->size, "cache.size");
      note(found.cache->theta >= kLargestCacheTheta, "cache.theta");
      note(found.cache->weight >= kLargestTriedWeight, "cache.weight");
    }
    if (found.dynamic) note(found.dynamic->rate >= kLargestDynamicRate, "dynamic.rate");
    return ends;
  }

  // Adds a trial, and makes it `best` if it is better.
  void add(const TuneTrial& trial, TuneTrial& best) {
    result_.trials.push_back(trial);
    if (trial.nats_per_token < best.nats_per_token) best = trial;
  }

  // Tries an adaptation; the loss is infinite where its predictions are not finite.
  double try_out(std::span<const std::int32_t> ids, const Adaptation& adaptation, const std::string& what,
                 TuneTrial& best) {
    TuneTrial tried = trial(adaptation, count_predictions(reading_, ids), std::numeric_limits<double>::infinity());
    try {
      AdaptiveStream stream(model_, adaptation, reading_, workers_);
      tried = trial(adaptation, log_probs(stream, ids, what));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNumeric) throw;
    }
    if (!std::isfinite(tried.nats_per_token)) {
      tried.nats_per_token = tried.perplexity = std::numeric_limits<double>::infinity();
    }
    add(tried, best);
    return tried.nats_per_token;
  }

  // Finds the temperature for the other settings of `best`. The loss is convex in 1 / temperature, since logits do not
  // depend on it, those of dynamic evaluation neither; with a cache it is nearly so.
  void find_temperature(std::span<const std::int32_t> ids, TuneTrial& best) {
    Adaptation adaptation = best.adaptation;
    const double start = adaptation.temperature;
    std::vector<SearchPoint> tried{{.x = start, .loss = best.nats_per_token}};
    const auto try_next = [&](double temperature) {
      adaptation.temperature = temperature;
      const SearchPoint point{.x = temperature, .loss = try_out(ids, adaptation, "temperature", best)};
      tried.insert(std::ranges::upper_bound(tried, point.x, {}, &SearchPoint::x), point);
    };
    for (const double temperature : {start / kFirstStep, start * kFirstStep}) {
      if (contains(kTemperatureRange, temperature)) try_next(rounded_setting(temperature));
    }
    for (int step = 0; step < kMostSteps; ++step) {
      const std::optional<double> next = next_to_try(tried, kTemperatureRange, kLittleGain);
      if (!next) return;
      try_next(*next);
    }
  }

  // Adds the best weight of each theta and size.
  void sweep(const RecordedText& text, const Adaptation& others, const CacheGrid& grid, TuneTrial& best) {
    const std::vector<double> nats = sweep_cache(workers_, text, grid);
    auto of_pair = nats.begin();
    for (const std::int64_t size : grid.sizes) {
      for (const double theta : grid.thetas) {
        const auto end = of_pair + std::ssize(grid.weights);
        const auto least = std::min_element(of_pair, end);
        Adaptation adaptation = others;
        adaptation.cache = CacheOptions{
            .size = size, .theta = theta, .weight = grid.weights[static_cast<std::size_t>(least - of_pair)]};
        add(trial(adaptation, std::ssize(text.ids), *least), best);
        of_pair = end;
      }
    }
  }

  // Sweeps around the best cache, for the other settings of `best`, with which the text was recorded.
  void refine_cache(const RecordedText& text, TuneTrial& best) {
    Adaptation others = best.adaptation;
    others.cache.reset();
    for (int step = 0; step < kMostSteps; ++step) {
      const double before = best.nats_per_token;
      const CacheGrid grid = around(*best.adaptation.cache);
      sweep(text, others, grid, best);
      if (before - best.nats_per_token < kLittleGain || !at_an_end(*best.adaptation.cache, grid)) return;
    }
  }

  // Finds the best cache for the best settings so far, with which the text was recorded, and then the temperature of
  // both, with which it is recorded again: some of what a temperature above 1 guards against, a cache guards against,
  // too.
  void find_cache(std::span<const std::int32_t> ids, RecordedText& text, TuneTrial& best) {
    const double temperature = best.adaptation.temperature;
    sweep(text, best.adaptation, kCaches, best);
    if (!best.adaptation.cache) return;
    refine_cache(text, best);
    if (!options_.temperature) return;
    find_temperature(ids, best);
    if (best.adaptation.temperature == temperature) return;
    Adaptation others = best.adaptation;
    others.cache.reset();
    record_again(ids, others, text);
    refine_cache(text, best);
  }

  // Tries rates upwards, and then downwards, as long as each is better than the one before.
  static void find_rate(const std::function<double(double rate)>& loss_of) {
    const double first = loss_of(kRates.front());
    double least = first;
    double rate = kRates.front();
    for (std::size_t i = 1; rate < kLargestDynamicRate; ++i) {
      rate = i < kRates.size() ? kRates[i] : std::min(kLargestDynamicRate, rounded_setting(kNextRate * rate));
      const double loss = loss_of(rate);
      if (!(loss < least)) break;
      least = loss;
    }
    if (least < first) return;
    rate = kRates.front();
    for (int step = 0; step < kMostRatesBelow; ++step) {
      rate = rounded_setting(rate / kNextRate);
      const double loss = loss_of(rate);
      if (std::isfinite(least) && !(loss < least - kLittleGain)) return;
      least = loss;
    }
  }

  void find_dynamic(std::span<const double> plain) {
    const auto ids = ids_with(std::min<std::int64_t>(options_.tokens, std::ssize(predicted_)));
    const Adaptation found = result_.best.adaptation;
    TuneTrial without = trial(
        {},
        plain.first(static_cast<std::size_t>(count_predictions(reading_, ids))));  // the best so far, on these tokens
    result_.trials.push_back(without);
    if (found != Adaptation{}) {
      AdaptiveStream stream(model_, found, reading_, workers_);
      add(trial(found, log_probs(stream, ids, "dynamic")), without);
    }
    TuneTrial best;
    best.nats_per_token = std::numeric_limits<double>::infinity();
    const auto loss_of = [&](double rate, double decay) {
      Adaptation adaptation{.temperature = found.temperature};
      adaptation.dynamic = DynamicOptions{.rate = rate, .decay = decay};
      return try_out(ids, adaptation, "dynamic", best);
    };
    find_rate([&](double rate) { return loss_of(rate, DynamicOptions{}.decay); });
    result_.best = without;
    if (!best.adaptation.dynamic) return;  // each of them overflowed
    const double rate = best.adaptation.dynamic->rate;
    for (const double decay : kDecays) loss_of(rate, decay);
    const double decay = best.adaptation.dynamic->decay;
    for (const double finer : multiples(rate, kFinerRates, kLargestDynamicRate)) loss_of(finer, decay);
    if (options_.temperature) find_temperature(ids, best);
    if (options_.cache) {
      RecordedText text = record(ids, best.adaptation, "cache with dynamic");
      find_cache(ids, text, best);
    }
    if (best.nats_per_token < without.nats_per_token) result_.best = best;
  }

  // Finds the lambda of the mixture of the best settings so far with the n-grams.
  void find_lambda(std::span<const double> plain) {
    const Adaptation found = result_.best.adaptation;
    const auto ids = ids_with(result_.best.tokens);
    std::vector<double> network(plain.begin(), plain.begin() + result_.best.tokens);
    if (found != Adaptation{}) {
      AdaptiveStream stream(model_, found, reading_, workers_);
      network = log_probs(stream, ids, "lambda");
    }
    const std::vector<double> ngram = only_predicted(mixture_->log_probs(ids, name_));
    double best = std::round(1000 * best_lambda(network, ngram)) / 1000;
    // Rounded to nothing, the network's share would leave nothing where the n-grams have none.
    if (best == 0 && std::ranges::any_of(ngram, [](double log_prob) { return std::isinf(log_prob); })) best = 0.001;
    std::vector<double> lambdas{0};
    if (best > 0 && best < 1) lambdas.push_back(best);  // 1, without n-grams, was tried
    for (const double lambda : lambdas) {
      double nats = 0;
      for (std::size_t i = 0; i < network.size(); ++i) nats -= log_of_mixture(lambda, network[i], ngram[i]);
      TuneTrial tried = trial(found, std::ssize(network), nats);
      tried.lambda = lambda;
      add(tried, result_.best);
    }
  }

  const Model& model_;
  std::string name_;
  std::span<const std::int32_t> ids_;
  Reading reading_;
  std::vector<std::int32_t> predicted_;  // ids
  const TuneOptions& options_;
  const NgramMixture* mixture_;
  Workers workers_;
  TuneResult result_;
};

}  // namespace

TuneResult tune(const Model& model, const NamedText& text, const TuneOptions& options) {
  if (options.state) expect_enumerator("state", *options.state, state_policy_name(*options.state));
  if (!options.temperature && !options.cache && !options.dynamic && !options.ngram) {
    throw Error(ErrorCode::kUsage,
                "there is nothing to tune: set `temperature`, `cache` or `dynamic`, or give n-grams");
  }
  if (options.dynamic && model.precision() == Precision::kInt8) {
    throw Error(
        ErrorCode::kUsage,
        "dynamic evaluation needs gradients, which an int8 model does not have: leave `dynamic` out, or tune the "
        "model that it was converted from",
        "dynamic");
  }
  std::optional<NgramMixture> mixture;
  if (options.ngram) mixture.emplace(NgramMix{.ngram = *options.ngram}, model.tokenizer());
  if (options.tokens < 1) {
    throw Error(ErrorCode::kUsage, fmt::format("`tokens` is {}: expected at least 1", options.tokens), "tokens");
  }
  const EncodedText encoded = encode_to_predict(model.tokenizer(), text);
  return Tuning(model, text, encoded.ids, options, mixture ? &*mixture : nullptr).run();
}

}  // namespace unroll
