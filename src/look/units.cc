#include "unroll/look/units.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>

#include "look/read_bytes.h"

namespace unroll {
namespace {

constexpr double kUncounted = std::numeric_limits<double>::quiet_NaN();

// A feature that `value` computes from the bytes so far, given piece by piece.
template <class Value>
TextFeature feature_of(const UnrolledText& text, std::string name, bool is_claim, Value value) {
  const ReadBytes read = read_bytes(text);
  TextFeature feature{.name = std::move(name), .values = {}, .is_claim = is_claim};
  std::size_t before = 0;
  for (const std::size_t end : read.ends) {
    const double after = value(std::string_view(read.bytes).substr(before, end - before));
    feature.values.push_back(end == 0 ? kUncounted : after);
    before = end;
  }
  return feature;
}

// Finds empty lines.
struct Paragraphs {
  bool ended_line = true;

  // Whether an empty line ends with this byte.
  bool ends_with(char byte) {
    const bool empty_line = byte == '\n' && ended_line;
    if (byte != '\r') ended_line = byte == '\n';
    return empty_line;
  }
};

// The steps that count, and the feature there.
struct Counted {
  std::vector<std::int64_t> steps = {};
  std::vector<double> values = {};
};

Counted counted(const UnrolledText& text, const TextFeature& feature) {
  Counted all;
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    const double value = feature.values.at(static_cast<std::size_t>(t));
    if (std::isnan(value)) continue;
    all.steps.push_back(t);
    all.values.push_back(value);
  }
  return all;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double correlation_of(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean_x = mean_of(x);
  const double mean_y = mean_of(y);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : kUncounted;
}

// By ranks (Mann & Whitney), equal numbers sharing the mean of theirs.
double auc_of(const std::vector<double>& x, const std::vector<double>& claim) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return x[i]; });
  const double positive = std::accumulate(claim.begin(), claim.end(), 0.0);
  const double negative = static_cast<double>(claim.size()) - positive;
  double rank_sum = 0;
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last < order.size() && x[order[last]] == x[order[first]]) ++last;
    const double rank = (static_cast<double>(first + last) + 1) / 2;
    for (std::size_t i = first; i < last; ++i) rank_sum += rank * claim[order[i]];
    first = last;
  }
  const double auc = (rank_sum - positive * (positive + 1) / 2) / (positive * negative);
  return std::max(auc, 1 - auc);
}

bool has_two_values(const std::vector<double>& values) {
  return std::ranges::any_of(values, [&](double value) { return value != values.front(); });
}

}  // namespace

TextFeature quotes_feature(const UnrolledText& text) {
  Paragraphs paragraphs;
  bool straight = false;
  std::int64_t open = 0;
  std::string recent;  // the last bytes: a mark may be cut between symbols
  return feature_of(text, "inside quotes", true, [=](std::string_view piece) mutable {
    for (const char byte : piece) {
      recent = (recent + byte);
      if (recent.size() > 3) recent.erase(0, recent.size() - 3);
      if (byte == '"') straight = !straight;
      if (recent.ends_with("\xE2\x80\x9C") || recent.ends_with("\xC2\xAB")) ++open;
      if ((recent.ends_with("\xE2\x80\x9D") || recent.ends_with("\xC2\xBB")) && open > 0) --open;
      if (!paragraphs.ends_with(byte)) continue;
      straight = false;
      open = 0;
    }
    return straight || open > 0 ? 1.0 : 0.0;
  });
}

TextFeature brackets_feature(const UnrolledText& text) {
  Paragraphs paragraphs;
  std::int64_t open = 0;
  return feature_of(text, "inside brackets", true, [=](std::string_view piece) mutable {
    for (const char byte : piece) {
      if (byte == '(' || byte == '[' || byte == '{') ++open;
      if ((byte == ')' || byte == ']' || byte == '}') && open > 0) --open;
      if (paragraphs.ends_with(byte)) open = 0;
    }
    return open > 0 ? 1.0 : 0.0;
  });
}

TextFeature line_position_feature(const UnrolledText& text) {
  std::int64_t place = 0;
  return feature_of(text, "position in line", false, [=](std::string_view piece) mutable {
    for (const char byte : piece) place = byte == '\n' ? 0 : place + 1;
    return static_cast<double>(place);
  });
}

bool varies(const TextFeature& feature) {
  std::vector<double> values = feature.values;
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return has_two_values(values);
}

std::vector<FollowingUnit> units_following(const UnrolledText& text, const TextFeature& feature, std::int64_t count,
                                           std::optional<std::int64_t> layer) {
  const NetworkConfig& config = text.model().config();
  const Counted where = counted(text, feature);
  std::vector<FollowingUnit> all;
  if (where.values.empty() || !has_two_values(where.values)) return all;
  std::vector<double> x(where.steps.size());
  for (std::int64_t part = 0; part < text.layers() * (has_cell_state(config.cell) ? 2 : 1); ++part) {
    const std::int64_t l = has_cell_state(config.cell) ? part / 2 : part;
    if (layer && l != *layer) continue;
    const bool of_cell_state = has_cell_state(config.cell) && part % 2 == 1;
    for (std::int64_t unit = 0; unit < config.hidden; ++unit) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::span<const float> state = of_cell_state ? text.c(l, where.steps[i]) : text.h(l, where.steps[i]);
        x[i] = static_cast<double>(state[static_cast<std::size_t>(unit)]);
      }
      if (!has_two_values(x)) continue;
      all.push_back({.layer = l,
                     .of_cell_state = of_cell_state,
                     .unit = unit,
                     .correlation = correlation_of(x, where.values),
                     .auc = feature.is_claim ? auc_of(x, where.values) : kUncounted});
    }
  }
  std::ranges::stable_sort(all, [&](const FollowingUnit& a, const FollowingUnit& b) {
    if (feature.is_claim && a.auc != b.auc) return a.auc > b.auc;
    return std::fabs(a.correlation) > std::fabs(b.correlation);
  });
  all.resize(static_cast<std::size_t>(std::min(std::ssize(all), std::max<std::int64_t>(0, count))));
  return all;
}

bool follows_well(const FollowingUnit& unit) noexcept {
  constexpr double kGoodAuc = 0.9;
  constexpr double kGoodCorrelation = 0.7;
  return unit.auc >= kGoodAuc || std::fabs(unit.correlation) >= kGoodCorrelation;
}

}  // namespace unroll
