// Numbers and names in messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace unroll {

// 1234567: "1,234,567".
[[nodiscard]] std::string grouped_digits(std::int64_t number);

// "1 label", "1,200 labels".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view one, std::string_view many);

// "a", "b" and 1,190 more: at most ten names.
[[nodiscard]] std::string quoted_list(std::span<const std::string> names);

}  // namespace unroll
