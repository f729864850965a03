#include "train/averaging.h"

#include <algorithm>
#include <cmath>

namespace unroll {

Averaging::Averaging(const AverageRule& the_rule) noexcept : rule(the_rule) { restart(); }

void Averaging::restart() noexcept { start = rule.kind == Average::kEma ? 0 : kNotYet; }

double Averaging::share(std::int64_t step) const noexcept {
  if (!began()) return 0;
  switch (rule.kind) {
    case Average::kNone:
      return 0;
    case Average::kEma:
      return (1 - rule.ema_decay) / (1 - std::pow(rule.ema_decay, static_cast<double>(step)));
    case Average::kTriggered:
      return 1 / static_cast<double>(step - start);
  }
  return 0;
}

void Averaging::validated(std::int64_t step, double nats, std::span<const double> before) noexcept {
  const std::int64_t old = std::ssize(before) - rule.nonmono;
  if (rule.kind != Average::kTriggered || began() || old <= 0) return;
  if (nats > *std::min_element(before.begin(), before.begin() + old)) start = step;
}

}  // namespace unroll
