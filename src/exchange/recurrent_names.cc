#include "exchange/recurrent_names.h"

#include <charconv>

namespace unroll {
namespace {

bool take_ending(std::string_view& text, std::string_view ending) {
  if (!text.ends_with(ending)) return false;
  text.remove_suffix(ending.size());
  return true;
}

// Takes "_l12" off the end; nothing where what stands there is no level.
std::optional<std::int64_t> take_level(std::string_view& text) {
  const std::size_t at = text.rfind("_l");
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t level = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data() + at + 2, end, level);
  if (failure != std::errc() || stop != end || level < 0) return std::nullopt;
  text = text.substr(0, at);
  return level;
}

}  // namespace

std::optional<RecurrentName> parse_recurrent_name(std::string_view leaf) {
  RecurrentName name;
  name.is_raw = take_ending(leaf, "_raw");
  name.is_reverse = take_ending(leaf, "_reverse");
  name.level = take_level(leaf).value_or(0);
  for (const std::string_view part : {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"}) {
    if (leaf != part) continue;
    name.part = part;
    return name;
  }
  return std::nullopt;
}

}  // namespace unroll
