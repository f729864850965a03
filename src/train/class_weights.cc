#include "train/class_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kField = "task.class_weights";

[[noreturn]] void refuse_weights(const std::string& what) {
  throw Error(ErrorCode::kUsage, fmt::format("`{}` {}", kField, what), std::string(kField));
}

std::vector<double> balanced_weights(const LabelledTexts& texts) {
  std::vector<double> counts(texts.labels.size());
  for (const LabelledText& text : texts.texts) counts[static_cast<std::size_t>(text.labels.front())] += 1;
  const double even = static_cast<double>(texts.texts.size()) / static_cast<double>(counts.size());
  std::vector<double> weights;
  for (const double count : counts) weights.push_back(count > 0 ? even / count : 1);
  return weights;
}

void set_weight(std::string_view item, const LabelledTexts& texts, std::vector<double>& weights) {
  const std::size_t equal = item.rfind('=');
  const std::string_view label = item.substr(0, equal);
  double weight = -1;
  if (equal != std::string_view::npos) {
    const char* const end = item.data() + item.size();
    const auto [rest, error] = std::from_chars(item.data() + equal + 1, end, weight);
    if (error != std::errc() || rest != end) weight = -1;
  }
  if (!(weight >= 0) || !std::isfinite(weight)) {
    refuse_weights(fmt::format("has {}: expected balanced, or LABEL=WEIGHT with a weight of 0 or more", quote(item)));
  }
  const auto found = std::ranges::find(texts.labels, label);
  if (found == texts.labels.end()) {
    refuse_weights(fmt::format("names the label {}, which no text has: labels are {}", quote(label),
                               fmt::join(texts.labels, ", ")));
  }
  weights[static_cast<std::size_t>(found - texts.labels.begin())] = weight;
}

}  // namespace

std::vector<double> class_weights(const std::string& asked, const LabelledTexts& texts) {
  if (asked.empty()) return {};
  if (texts.multi_label) refuse_weights("is for texts with one label each");
  if (asked == "balanced") return balanced_weights(texts);
  std::vector<double> weights(texts.labels.size(), 1);
  for (std::size_t first = 0; first <= asked.size();) {
    const std::size_t comma = std::min(asked.find(',', first), asked.size());
    set_weight(std::string_view(asked).substr(first, comma - first), texts, weights);
    first = comma + 1;
  }
  if (std::ranges::all_of(weights, [](double weight) { return weight == 0; })) refuse_weights("has no weight above 0");
  return weights;
}

}  // namespace unroll
