#include "unroll/number_range.h"

#include <fmt/format.h>

namespace unroll {

std::string describe(const NumberRange& range, bool whole) {
  std::string text = whole ? "a whole number" : "a number";
  text += fmt::format(" {} {}", range.with_least ? "from" : "above", range.least);
  if (range.most < std::numeric_limits<double>::max()) {
    const std::string_view joint = range.with_least && range.with_most ? " to "
                                   : range.with_least                  ? " to below "
                                   : range.with_most                   ? ", at most "
                                                                       : " and below ";
    text += fmt::format("{}{}", joint, range.most);
  } else if (range.with_least) {
    text += " up";
  }
  return text;
}

}  // namespace unroll
