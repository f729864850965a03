// Bases of the logarithms that are printed; internally all are natural.
#pragma once

#include <string_view>

namespace unroll {

enum class LogBase { kE, k2, k10 };

// A natural logarithm in this base. Never a negative zero.
[[nodiscard]] double in_base(double nats, LogBase base);

// "e (nats)", "2 (bits)", "10".
[[nodiscard]] std::string_view base_words(LogBase base);

}  // namespace unroll
