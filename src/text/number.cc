#include "text/number.h"

#include <charconv>
#include <cstddef>
#include <system_error>

namespace unroll {

std::optional<double> parse_number(std::string_view field) noexcept {
  constexpr std::size_t kFewDigits =
      300;  // with a negative exponent, so few digits cannot be too large, only too small
  double value = 0;
  // A leading plus is what printf("%+f") writes, and from_chars does not read.
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (stop != end) return std::nullopt;
  if (error == std::errc()) return value;
  const bool falls = field.find("e-") != std::string_view::npos || field.find("E-") != std::string_view::npos;
  if (error == std::errc::result_out_of_range && falls && field.size() < kFewDigits) return 0;
  return std::nullopt;
}

}  // namespace unroll
