#include "unroll/suites/syntax_suite.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>
#include <string_view>

#include "base/names.h"
#include "base/quote.h"
#include "infer/whole_lines.h"
#include "model/strict_json.h"
#include "score/sentences.h"
#include "unroll/error.h"
#include "unroll/scorer.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::array kMetrics{RegionMetric::kSum, RegionMetric::kMean, RegionMetric::kMedian,
                              RegionMetric::kMax, RegionMetric::kMin,  RegionMetric::kRange};
constexpr std::int64_t kMostValues = 10'000'000;
constexpr std::size_t kItemsAtOnce = 64;

// A JSON value and where it stands, for messages.
class Place {
 public:
  Place(const Json& value, std::string where) : value_(value), where_(std::move(where)) {}

  [[nodiscard]] Place at(const char* key) const {
    if (!value_.is_object()) refuse("expected an object");
    if (!value_.contains(key)) refuse(fmt::format("the key {} is missing", key));
    return {value_.at(key), fmt::format("{}: {}", where_, key)};
  }
  [[nodiscard]] std::vector<Place> list() const {
    if (!value_.is_array() || value_.empty()) refuse("expected a list that is not empty");
    std::vector<Place> places;
    for (std::size_t i = 0; i < value_.size(); ++i) places.emplace_back(value_[i], fmt::format("{} {}", where_, i + 1));
    return places;
  }
  [[nodiscard]] std::string text() const {
    if (!value_.is_string()) refuse("expected a text");
    return value_.get<std::string>();
  }
  [[nodiscard]] std::int64_t whole() const {
    if (!value_.is_number_integer()) refuse("expected a whole number");
    return value_.get<std::int64_t>();
  }
  [[nodiscard]] const std::string& name() const noexcept { return where_; }
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", where_, why));
  }

 private:
  const Json& value_;
  std::string where_;
};

// The region's part of the sentence.
std::string_view text_of(const Region& region) noexcept {
  const std::size_t first = region.content.find_first_not_of(" \t\n\v\f\r");
  return first == std::string::npos ? std::string_view() : std::string_view(region.content).substr(first);
}

RegionMetric read_metric(const Place& place) {
  const std::string name = place.text();
  const auto metric = std::ranges::find(kMetrics, name, region_metric_name);
  if (metric != kMetrics.end()) return *metric;
  std::string known;
  for (const RegionMetric one : kMetrics)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", region_metric_name(one));
  place.refuse(fmt::format("{} is not a metric: expected one of {}", quote(name), known));
}

Region read_region(const Place& place) {
  Region region{.number = place.at("region_number").whole(), .content = place.at("content").text()};
  if (text_of(region).find('\n') != std::string::npos) place.refuse("the content holds a line end");
  return region;
}

Condition read_condition(const Place& place) {
  Condition condition{.name = place.at("condition_name").text(), .regions = {}, .place = place.name()};
  bool empty = true;
  for (const Place& region : place.at("regions").list()) {
    condition.regions.push_back(read_region(region));
    empty = empty && text_of(condition.regions.back()).empty();
  }
  if (empty) place.refuse("all regions are empty");
  return condition;
}

SuiteItem read_item(const Place& place, const std::vector<RegionFormula>& predictions) {
  SuiteItem item{.number = place.at("item_number").whole(), .conditions = {}};
  RegionSurprisals zeros;
  std::set<RegionSurprisals::value_type::first_type> seen;
  for (const Place& condition : place.at("conditions").list()) {
    item.conditions.push_back(read_condition(condition));
    for (const Region& region : item.conditions.back().regions) {
      const std::pair key{item.conditions.back().name, region.number};
      if (!seen.insert(key).second) {
        condition.refuse(fmt::format("region {} of condition {} comes twice", region.number, key.first));
      }
      zeros.emplace_back(key, 0.0);
    }
  }
  for (const RegionFormula& prediction : predictions) {
    try {
      static_cast<void>(prediction.holds(zeros));
    } catch (const Error& error) {
      place.refuse(fmt::format("formula {}: {}", quote(prediction.text()), error.what()));
    }
  }
  return item;
}

std::vector<RegionFormula> read_predictions(const Place& suite) {
  std::vector<RegionFormula> predictions;
  for (const Place& prediction : suite.at("predictions").list()) {
    if (prediction.at("type").text() != "formula") prediction.at("type").refuse("expected \"formula\"");
    const std::string formula = prediction.at("formula").text();
    try {
      predictions.emplace_back(formula);
    } catch (const Error& error) {
      prediction.refuse(error.what());
    }
  }
  return predictions;
}

std::string sentence_of(const Condition& condition) {
  std::string sentence;
  for (const Region& region : condition.regions) {
    const std::string_view text = text_of(region);
    if (text.empty()) continue;
    if (!sentence.empty()) sentence += ' ';
    sentence += text;
  }
  return sentence;
}

// Of one region's tokens.
double value_of(RegionMetric metric, std::vector<double> tokens) {
  if (tokens.empty()) return 0;
  const auto [least, most] = std::ranges::minmax(tokens);
  const double sum = std::accumulate(tokens.begin(), tokens.end(), 0.0);
  switch (metric) {
    case RegionMetric::kSum:
      return sum;
    case RegionMetric::kMean:
      return sum / static_cast<double>(tokens.size());
    case RegionMetric::kMedian: {
      std::ranges::sort(tokens);
      const std::size_t half = tokens.size() / 2;
      return tokens.size() % 2 == 1 ? tokens[half] : (tokens[half - 1] + tokens[half]) / 2;
    }
    case RegionMetric::kMax:
      return most;
    case RegionMetric::kMin:
      return least;
    case RegionMetric::kRange:
      return most - least;
  }
  return 0;
}

// The value of each region's tokens, in the order of the regions.
std::vector<double> bits_of_regions(const Condition& condition, const Score& score, RegionMetric metric) {
  std::vector<double> bits;
  std::int64_t end = 0;  // of the sentence so far
  auto token = score.tokens.begin();
  for (const Region& region : condition.regions) {
    std::vector<double> nats;
    if (const std::string_view text = text_of(region); !text.empty()) {
      end += (end == 0 ? 0 : 1) + std::ssize(text);
      for (; token != score.tokens.end() && token->offset < end; ++token) nats.push_back(-token->log_prob);
    }
    bits.push_back(value_of(metric, std::move(nats)) / std::numbers::ln2);
  }
  return bits;
}

ItemScore score_item(const SuiteItem& item, const SyntaxSuite& suite, std::span<const Score> scores) {
  ItemScore result;
  for (std::size_t c = 0; c < item.conditions.size(); ++c) {
    const Condition& condition = item.conditions[c];
    const std::vector<double> bits = bits_of_regions(condition, scores[c], suite.metric);
    for (std::size_t r = 0; r < bits.size(); ++r) {
      result.surprisals.emplace_back(std::pair{condition.name, condition.regions[r].number}, bits[r]);
    }
    result.unknown_tokens += scores[c].unknown_tokens;
  }
  for (const RegionFormula& prediction : suite.predictions) {
    result.predictions.push_back(prediction.holds(result.surprisals));
  }
  return result;
}

}  // namespace

std::string_view region_metric_name(RegionMetric metric) noexcept {
  switch (metric) {
    case RegionMetric::kSum:
      return "sum";
    case RegionMetric::kMean:
      return "mean";
    case RegionMetric::kMedian:
      return "median";
    case RegionMetric::kMax:
      return "max";
    case RegionMetric::kMin:
      return "min";
    case RegionMetric::kRange:
      return "range";
  }
  return {};
}

bool ItemScore::correct() const noexcept {
  return std::ranges::all_of(predictions, [](bool holds) { return holds; });
}

SyntaxSuite read_syntax_suite(const std::string& path) {
  const std::string where = fmt::format("'{}'", path);
  const Json json = parse_json(read_text(path), kMostValues, where, ErrorCode::kInput);
  const Place root(json, where);
  const Place meta = root.at("meta");
  SyntaxSuite suite{.name = meta.at("name").text(),
                    .metric = read_metric(meta.at("metric")),
                    .predictions = read_predictions(root),
                    .items = {}};
  for (const Place& item : root.at("items").list()) suite.items.push_back(read_item(item, suite.predictions));
  return suite;
}

std::vector<ItemScore> score_suite(const Model& model, const SyntaxSuite& suite, const SuiteOptions& options) {
  expect_enumerator("metric", suite.metric, region_metric_name(suite.metric));
  expect_whole_lines(model, "a SyntaxGym suite");
  Scorer scorer(model, {.accounting = {.end = false}, .ranks = false, .threads = options.threads});
  std::vector<ItemScore> result;
  while (result.size() < suite.items.size()) {
    const auto part =
        std::span(suite.items).subspan(result.size(), std::min(kItemsAtOnce, suite.items.size() - result.size()));
    std::vector<PlacedSentence> sentences;
    for (const SuiteItem& item : part) {
      for (const Condition& condition : item.conditions) sentences.push_back({sentence_of(condition), condition.place});
    }
    const std::vector<Score> scores = score_sentences(scorer, sentences);
    auto next = std::span(scores);
    for (const SuiteItem& item : part) {
      result.push_back(score_item(item, suite, next.first(item.conditions.size())));
      next = next.subspan(item.conditions.size());
    }
    if (options.progress) options.progress(std::ssize(result), std::ssize(suite.items));
  }
  return result;
}

}  // namespace unroll
