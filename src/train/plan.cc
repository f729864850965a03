#include "train/plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "network/gradients.h"
#include "network/network.h"
#include "train/optimizer.h"
#include "train/options.h"
#include "unroll/error.h"

namespace unroll {

std::int64_t most_steps(const TrainOptions& options) noexcept { return options.bptt + 2 * options.bptt_jitter; }

std::int64_t trained_products(const NetworkConfig& config, const TrainOptions& options) noexcept {
  const std::int64_t rows_left_out = options.samples > 0 ? config.vocabulary - options.samples : 0;
  return multiplied_weights(config) - rows_left_out * decoder_inputs(config);
}

std::vector<MemoryItem> memory_plan(const NetworkConfig& config, const TrainOptions& options, std::int64_t tokens,
                                    bool validates) {
  constexpr std::int64_t kFloat = sizeof(float);
  const std::int64_t parameters = kFloat * parameter_count(config);
  const bool bf16 = options.precision == Precision::kBf16;
  const std::int64_t packed = (bf16 ? kFloat / 2 : kFloat) * trained_products(config, options);
  std::vector<MemoryItem> plan{
      {"parameters", parameters},
      {"gradients", Gradients::bytes(config, most_steps(options) * options.batch_size, options.samples)},
      {"parameters packed for products", 2 * packed},
      {"text as ids", static_cast<std::int64_t>(sizeof(std::int32_t)) * tokens}};
  const std::int64_t moments = Moments::count(update_rule(options)) * parameters;
  if (moments > 0) plan.push_back({fmt::format("moments of {}", optimizer_name(options.optimizer)), moments});
  const bool averages = options.average != Average::kNone;
  if (averages) plan.push_back({"averaged parameters", parameters});
  if (validates) plan.push_back({"best parameters so far", parameters});
  if (options.regularization.recurrent > 0) {
    const std::int64_t W = gate_count(config.cell) * config.hidden * config.hidden;
    plan.push_back({"recurrent weights after weight-drop", kFloat * config.layers * W});
  }
  if (validates) plan.push_back({"parameters packed for validation", kFloat * multiplied_weights(config)});
  for (const PlannedBuffer& buffer : Network::plan(config, Purpose::kTraining, most_steps(options), options.batch_size,
                                                   options.regularization, options.samples)) {
    plan.push_back({buffer.name, kFloat * buffer.floats});
  }
  return plan;
}

void check_memory(const std::vector<MemoryItem>& plan) {
  double needed = 0;
  for (const MemoryItem& item : plan) needed += static_cast<double>(item.bytes);
  const double present = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (needed <= present) return;
  const auto largest = std::ranges::max_element(plan, {}, &MemoryItem::bytes);
  throw Error(
      ErrorCode::kMemory,
      fmt::format("the run needs {:.1f} GB of memory and this machine has {:.1f} GB; most of it, {:.1f} GB, is for "
                  "{}: use a smaller --hidden, --embed, --layers, --vocab-size, --batch-size or --bptt",
                  needed * 1e-9, present * 1e-9, static_cast<double>(largest->bytes) * 1e-9, largest->name));
}

std::int64_t validation_interval(const EpochShape& epoch, std::int64_t steps) {
  if (epoch.valid_tokens == 0) return 0;
  if (epoch.validate_every > 0) return epoch.validate_every;
  constexpr std::int64_t kLeastCount = 10;
  constexpr double kMostShare = 0.1;
  constexpr double kForwardShare = 1.0 / 3;  // of the cost of training on a token
  const std::int64_t often = std::min(epoch.windows, (steps + kLeastCount - 1) / kLeastCount);
  const double seldom =
      kForwardShare / kMostShare * static_cast<double>(epoch.valid_tokens) / static_cast<double>(epoch.tokens_per_step);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(seldom), often, std::max(often, steps));
}

std::int64_t validation_count(const EpochShape& epoch, std::int64_t steps) {
  const std::int64_t interval = validation_interval(epoch, steps);
  return interval == 0 ? 0 : (steps + interval - 1) / interval;
}

std::int64_t steps_within(const EpochShape& epoch, const MeasuredCost& cost, std::int64_t save_every, double seconds) {
  const auto duration = [&](std::int64_t steps) {
    const std::int64_t saves = steps / save_every + 1;
    return static_cast<double>(steps) * cost.per_step +
           static_cast<double>(validation_count(epoch, steps)) * cost.per_validation +
           static_cast<double>(saves) * cost.per_save;
  };
  // The duration grows with the steps but for small jumps of the validation count, so halving finds a fit.
  std::int64_t fits = 1;
  const double most = std::min(seconds / cost.per_step, static_cast<double>(kMostSteps));
  std::int64_t too_many = std::max<std::int64_t>(2, static_cast<std::int64_t>(most) + 2);
  while (too_many - fits > 1) {
    const std::int64_t middle = fits + (too_many - fits) / 2;
    (duration(middle) <= seconds ? fits : too_many) = middle;
  }
  return fits;
}

}  // namespace unroll
