#include "cli/flags/adaptation_flags.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>

#include "unroll/error.h"

namespace unroll {
namespace {

void expect_on(const Flags& flags, const std::string& name, const std::vector<std::string>& settings) {
  if (flags.given(name)) return;
  for (const std::string& setting : settings) {
    if (flags.given(setting)) {
      throw Error(ErrorCode::kUsage, fmt::format("{} does nothing without {}: give both, or neither", setting, name));
    }
  }
}

}  // namespace

void AdaptationFlags::declare(Flags* flags) {
  flags->heading("Adaptation (unroll tune finds good values)");
  flags->real({"--temperature", "X", "divides the logits: above 1 less certain, below 1 more", "1"},
              {.least = kLeastTemperature, .most = kLargestTemperature}, [this](double x) { temperature_ = x; });
  flags->toggle({"--cache", "", "a neural cache: words that followed similar states a while ago become likelier", ""},
                &with_cache_);
  flags->whole({"--cache-size", "N", "steps that it remembers", fmt::format("{}", cache_.size)}, {1, kLargestCacheSize},
               [this](std::int64_t n) { cache_.size = n; });
  flags->real({"--cache-theta", "X", "how much more the most similar states count", fmt::format("{}", cache_.theta)},
              {.least = 0, .most = kLargestCacheTheta}, [this](double x) { cache_.theta = x; });
  flags->real({"--cache-weight", "L", "its share of the prediction; 0: none", fmt::format("{}", cache_.weight)},
              {.least = 0, .most = 1, .with_most = false}, [this](double x) { cache_.weight = x; });
  flags->toggle({"--dynamic", "", "dynamic evaluation: the weights learn on from the text, after predicting it", ""},
                &with_dynamic_);
  flags->whole({"--dynamic-bptt", "N", "tokens between two updates", fmt::format("{}", dynamic_.bptt)},
               {1, kLargestDynamicBptt}, [this](std::int64_t n) { dynamic_.bptt = n; });
  flags->real({"--dynamic-rate", "X", "learning rate of an update; 0: none", fmt::format("{}", dynamic_.rate)},
              {.least = 0, .most = kLargestDynamicRate}, [this](double x) { dynamic_.rate = x; });
  flags->real({"--dynamic-decay", "X", "share of the way back to the file's weights in each update",
               fmt::format("{}", dynamic_.decay)},
              {.least = 0, .most = 1}, [this](double x) { dynamic_.decay = x; });
}

Adaptation AdaptationFlags::adaptation(const Flags& flags) const {
  expect_on(flags, "--cache", {"--cache-size", "--cache-theta", "--cache-weight"});
  expect_on(flags, "--dynamic", {"--dynamic-bptt", "--dynamic-rate", "--dynamic-decay"});
  Adaptation adaptation{.temperature = temperature_};
  if (with_cache_) adaptation.cache = cache_;
  if (with_dynamic_) adaptation.dynamic = dynamic_;
  return adaptation;
}

void put_adaptation(nlohmann::ordered_json* object, const Adaptation& adaptation) {
  if (adaptation.temperature != 1) (*object)["temperature"] = adaptation.temperature;
  if (adaptation.cache && adaptation.cache->weight > 0) {
    (*object)["cache"] = {
        {"size", adaptation.cache->size}, {"theta", adaptation.cache->theta}, {"weight", adaptation.cache->weight}};
  }
  if (adaptation.dynamic && adaptation.dynamic->rate > 0) {
    (*object)["dynamic"] = {
        {"bptt", adaptation.dynamic->bptt}, {"rate", adaptation.dynamic->rate}, {"decay", adaptation.dynamic->decay}};
  }
}

std::string adaptation_as_flags(const Adaptation& adaptation) {
  std::string text;
  if (adaptation.temperature != 1) text += fmt::format(" --temperature {}", adaptation.temperature);
  if (const auto& cache = adaptation.cache) {
    text += fmt::format(" --cache --cache-size {} --cache-theta {} --cache-weight {}", cache->size, cache->theta,
                        cache->weight);
  }
  if (const auto& dynamic = adaptation.dynamic) {
    text += fmt::format(" --dynamic --dynamic-bptt {} --dynamic-rate {} --dynamic-decay {}", dynamic->bptt,
                        dynamic->rate, dynamic->decay);
  }
  return text.empty() ? text : text.substr(1);
}

}  // namespace unroll
