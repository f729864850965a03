#include <fmt/core.h>

#include <vector>

#include "model/strict_json.h"
#include "rescore/nbest_line.h"
#include "text/utf8.h"

namespace unroll {
namespace {

constexpr std::string_view kBars = "|||";

// What stands between bars that stand by themselves, trimmed.
std::vector<std::string_view> fields_between_bars(std::string_view bytes) {
  std::vector<std::string_view> fields;
  std::size_t first = 0;
  for (std::size_t at = bytes.find(kBars); at != std::string_view::npos; at = bytes.find(kBars, at)) {
    const std::size_t end = at + kBars.size();
    const bool alone =
        (at == 0 || is_ascii_space(bytes[at - 1])) && (end == bytes.size() || is_ascii_space(bytes[end]));
    if (alone) {
      fields.push_back(trimmed_field(bytes.substr(first, at - first)));
      first = end;
    }
    at = alone ? end : at + 1;
  }
  fields.push_back(trimmed_field(bytes.substr(first)));
  return fields;
}

}  // namespace

std::string read_moses(const NbestLine& line, Hypothesis& hypothesis) {
  const std::vector<std::string_view> fields = fields_between_bars(line.bytes);
  if (fields.size() < 4) {
    line.refuse(line.bytes.size(), fmt::format("{} field{} between bars: expected id ||| hypothesis ||| features ||| "
                                               "total",
                                               fields.size(), fields.size() == 1 ? "" : "s"));
  }
  const std::string_view id = fields[0];
  if (id.empty() || id.find_first_not_of("0123456789") != std::string_view::npos) {
    line.refuse(line.place_of(id), fmt::format("the id is {}: expected the number of a sentence", quote(id)));
  }
  set_text(line, fields[1], hypothesis);
  const std::string_view features = fields[2];
  hypothesis.score = line.number_of(fields[3], "the total");
  hypothesis.lm = NumberPlace{.first = line.place_of(features) + features.size(), .before = " unroll= "};
  hypothesis.total = NumberPlace{.first = line.place_of(fields[3]), .size = fields[3].size()};
  return std::string(id);
}

}  // namespace unroll
