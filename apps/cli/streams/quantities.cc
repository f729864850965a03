#include "cli/streams/quantities.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <string_view>

namespace unroll {
namespace {

double share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t end = digits.size(); end > first + 3; end -= 3) digits.insert(end - 3, ",");
  return digits;
}

std::string people_bytes(std::int64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 1000 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string people_seconds(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 48 * 3600) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} days {} h", whole / 86400, whole / 3600 % 24);
}

std::string people_flops(double operations) {
  constexpr std::array<std::string_view, 7> kUnits{"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"};
  std::size_t unit = 0;
  while (operations >= 1000 && unit + 1 < kUnits.size()) {
    operations /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", operations, kUnits[unit]);
}

std::string people_perplexity(double nats) {
  const double perplexity = std::exp(nats);
  return perplexity < 1000 ? fmt::format("{:#.4g}", perplexity) : fmt::format("{:.0f}", perplexity);
}

double train_unknown_share(const TrainPlan& plan) {
  const bool answers = plan.task != TaskKind::kLanguage;
  return share_of(plan.train_unknown_tokens, answers ? plan.train_symbols : plan.train_tokens);
}

double valid_unknown_share(const TrainPlan& plan) {
  const bool answers = plan.task != TaskKind::kLanguage;
  return share_of(plan.valid_unknown_tokens, answers ? plan.valid_symbols : plan.valid_text_tokens);
}

}  // namespace unroll
