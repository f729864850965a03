#include "data/message_parts.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/quote.h"

namespace unroll {
namespace {

constexpr std::size_t kMostNamed = 10;

}  // namespace

std::string grouped_digits(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped_digits(count), count == 1 ? one : many);
}

std::string quoted_list(std::span<const std::string> names) {
  std::string list;
  const std::size_t shown = std::min(names.size(), kMostNamed);
  for (std::size_t i = 0; i < shown; ++i) list += (i == 0 ? "" : ", ") + quote(names[i]);
  if (shown == names.size()) return list;
  return list + fmt::format(" and {} more", grouped_digits(static_cast<std::int64_t>(names.size() - shown)));
}

}  // namespace unroll
