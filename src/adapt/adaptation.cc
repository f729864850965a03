#include "unroll/adapt/adaptation.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "unroll/error.h"

namespace unroll {
namespace {

// Throws unless least <= value <= most; a NaN is in no range.
void expect_within(const std::string& field, double value, double least, double most) {
  if (value >= least && value <= most) return;
  throw Error(ErrorCode::kUsage, fmt::format("`{}` is {}: expected {} to {}", field, value, least, most), field);
}

void check(const CacheOptions& cache) {
  expect_within("cache.size", static_cast<double>(cache.size), 1, static_cast<double>(kLargestCacheSize));
  expect_within("cache.theta", cache.theta, 0, kLargestCacheTheta);
  expect_within("cache.weight", cache.weight, 0, std::nextafter(1.0, 0.0));
}

void check(const DynamicOptions& dynamic) {
  expect_within("dynamic.bptt", static_cast<double>(dynamic.bptt), 1, static_cast<double>(kLargestDynamicBptt));
  expect_within("dynamic.rate", dynamic.rate, 0, kLargestDynamicRate);
  expect_within("dynamic.decay", dynamic.decay, 0, 1);
}

void append(std::string& text, const std::string& words) { text += (text.empty() ? "" : "; ") + words; }

}  // namespace

void check(const Adaptation& adaptation) {
  expect_within("temperature", adaptation.temperature, kLeastTemperature, kLargestTemperature);
  if (adaptation.cache) check(*adaptation.cache);
  if (adaptation.dynamic) check(*adaptation.dynamic);
}

bool reads_in_order(const Adaptation& adaptation) noexcept {
  return (adaptation.cache && adaptation.cache->weight > 0) || (adaptation.dynamic && adaptation.dynamic->rate > 0);
}

std::string describe(const Adaptation& adaptation) {
  std::string text;
  if (adaptation.temperature != 1) append(text, fmt::format("temperature {}", adaptation.temperature));
  if (adaptation.cache && adaptation.cache->weight > 0) {
    append(text, fmt::format("cache size {}, theta {}, weight {}", adaptation.cache->size, adaptation.cache->theta,
                             adaptation.cache->weight));
  }
  if (adaptation.dynamic && adaptation.dynamic->rate > 0) {
    append(text, fmt::format("dynamic bptt {}, rate {}, decay {}", adaptation.dynamic->bptt, adaptation.dynamic->rate,
                             adaptation.dynamic->decay));
  }
  return text;
}

}  // namespace unroll
