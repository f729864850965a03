#include "train/memory_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "dist/gradient_sum.h"
#include "network/language_layer.h"
#include "network/network.h"
#include "train/replicas.h"
#include "unroll/error.h"

namespace unroll {

std::int64_t trained_products(const RunPlan& plan) noexcept {
  const std::int64_t rows_left_out = plan.samples > 0 ? plan.config.vocabulary - plan.samples : 0;
  return multiplied_weights(plan.config) - rows_left_out * decoder_inputs(language_config(plan.config));
}

std::vector<MemoryItem> memory_plan(const RunPlan& plan) {
  constexpr std::int64_t kFloat = sizeof(float);
  const NetworkConfig& config = plan.config;
  const std::int64_t parameters = kFloat * parameter_count(config);
  const bool bf16 = plan.precision == Precision::kBf16;
  const std::int64_t packed = (bf16 ? kFloat / 2 : kFloat) * trained_products(plan);
  const std::int64_t tokens = (plan.text_in_memory ? plan.epoch.train_tokens : 0) + plan.epoch.valid_tokens;
  const bool validates = plan.epoch.valid_tokens > 0;
  std::vector<MemoryItem> items{{"parameters", parameters},
                                {"gradients", GradientSum::bytes(gradient_shape(plan), 1, 0)},
                                {"parameters packed for products", 2 * packed},
                                {plan.text_in_memory ? "text as ids" : "validation text as ids",
                                 static_cast<std::int64_t>(sizeof(std::int32_t)) * tokens}};
  const std::int64_t moments = Moments::count(plan.update) * parameters;
  if (moments > 0) items.push_back({fmt::format("moments of {}", optimizer_name(plan.update.optimizer)), moments});
  if (plan.average.kind != Average::kNone) items.push_back({"averaged parameters", parameters});
  if (validates) items.push_back({"best parameters so far", parameters});
  if (plan.regularization.recurrent > 0) {
    const std::int64_t W = gate_count(config.cell) * config.hidden * config.hidden;
    items.push_back({"recurrent weights after weight-drop", kFloat * config.layers * directions(config) * W});
  }
  items.push_back({validates ? "parameters packed for validation" : "parameters packed to check them before a save",
                   kFloat * multiplied_weights(config)});
  for (const PlannedBuffer& buffer :
       Network::plan(config, Purpose::kTraining, plan.window.T, plan.window.B, plan.regularization, plan.samples)) {
    items.push_back({buffer.name, kFloat * buffer.floats});
  }
  return items;
}

double total_bytes(const std::vector<MemoryItem>& items) noexcept {
  double total = 0;
  for (const MemoryItem& item : items) total += static_cast<double>(item.bytes);
  return total;
}

void check_memory(const std::vector<MemoryItem>& items) {
  const double needed = total_bytes(items);
  const double present = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (needed <= present) return;
  const auto largest = std::ranges::max_element(items, {}, &MemoryItem::bytes);
  throw Error(ErrorCode::kMemory,
              fmt::format("the run needs {:.1f} GB of memory and this machine has {:.1f} GB; most of it, {:.1f} GB, is "
                          "for {}: use a smaller `network.hidden`, `network.embed`, `network.layers`, "
                          "`tokenizer.vocab_size`, `run.batch_size` or `run.bptt`",
                          needed * 1e-9, present * 1e-9, static_cast<double>(largest->bytes) * 1e-9, largest->name));
}

}  // namespace unroll
