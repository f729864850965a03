#include "draw/changed_weight.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

#include "unroll/error.h"

namespace unroll {
namespace {

std::vector<std::string_view> parts_of(std::string_view words) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = words.find(','); comma != words.npos; comma = words.find(',')) {
    parts.push_back(words.substr(0, comma));
    words.remove_prefix(comma + 1);
  }
  parts.push_back(words);
  return parts;
}

template <class Number>
bool reads(std::string_view words, Number& number) {
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
  return error == std::errc() && end == words.data() + words.size();
}

// "W", or "W1" for that of layer 1.
bool reads_matrix(std::string_view words, WeightPlace& place) {
  constexpr std::string_view kLetters = "UWV";
  const std::size_t letter = words.empty() ? kLetters.npos : kLetters.find(words.front());
  if (letter == kLetters.npos) return false;
  place.matrix = letter == 0 ? SharedMatrix::kU : (letter == 1 ? SharedMatrix::kW : SharedMatrix::kV);
  if (words.size() == 1) return true;
  return place.matrix != SharedMatrix::kV && reads(words.substr(1), place.layer);
}

}  // namespace

std::optional<WeightChange> asked_change(const PictureOptions& options) {
  if (!options.change) return std::nullopt;
  const std::vector<std::string_view> parts = parts_of(*options.change);
  WeightChange change;
  if (parts.size() == 4 && reads_matrix(parts[0], change.place) && reads(parts[1], change.place.row) &&
      reads(parts[2], change.place.column) && reads(parts[3], change.value)) {
    return change;
  }
  throw Error(ErrorCode::kUsage,
              fmt::format("`change` is \"{}\": expected a matrix (U, W or V; U1, W1 for those of layer 1), a row, a "
                          "column and a value, as W,3,5,0.8",
                          *options.change),
              "change");
}

std::string place_words(const WeightPlace& place, std::int64_t layers) {
  const char letter = place.matrix == SharedMatrix::kU ? 'U' : (place.matrix == SharedMatrix::kW ? 'W' : 'V');
  const bool of_layer = letter != 'V' && layers > 1;
  return fmt::format("{}[{}, {}]{}", letter, place.row, place.column,
                     of_layer ? fmt::format(" of layer {}", place.layer) : "");
}

std::vector<double> state_changes(const UnrolledText& before, const UnrolledText& after) {
  std::vector<double> changes;
  for (std::int64_t t = 0; t < before.steps(); ++t) {
    double moved = 0;
    double all = 0;
    for (std::int64_t layer = 0; layer < before.model().config().layers; ++layer) {
      const std::span<const float> h = before.h(layer, t);
      for (std::size_t j = 0; j < h.size(); ++j) {
        const double by = static_cast<double>(after.h(layer, t)[j]) - static_cast<double>(h[j]);
        moved += by * by;
        all += static_cast<double>(h[j]) * static_cast<double>(h[j]);
      }
    }
    changes.push_back(std::sqrt(moved / std::max(all, 1e-30)));
  }
  return changes;
}

}  // namespace unroll
