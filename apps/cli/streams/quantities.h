// Numbers as people read them. Never for programs: those get shortest round-trip numbers.
#pragma once

#include <cstdint>
#include <string>

#include "unroll/train.h"

namespace unroll {

[[nodiscard]] std::string grouped(std::int64_t number);      // 1234567 -> "1,234,567"
[[nodiscard]] std::string people_bytes(std::int64_t bytes);  // 2411724 -> "2.3 MiB"
[[nodiscard]] std::string people_seconds(double seconds);    // 82 -> "1 min 22 s"
[[nodiscard]] std::string people_flops(double operations);   // 3.3e6 -> "3.3 MFLOP"
[[nodiscard]] std::string people_perplexity(double nats);    // e^nats with about four digits

// Shares of the text to train on, and of the whole text to validate on, that the vocabulary lacks; 0 of nothing.
[[nodiscard]] double train_unknown_share(const TrainPlan& plan);
[[nodiscard]] double valid_unknown_share(const TrainPlan& plan);

}  // namespace unroll
