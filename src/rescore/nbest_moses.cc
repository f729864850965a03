#include <fmt/core.h>

#include <vector>

#include "base/quote.h"
#include "rescore/nbest_line.h"
#include "text/utf8.h"

namespace unroll {
namespace {

constexpr std::string_view kBars = "|||";
constexpr std::string_view kFeature = "unroll=";

// What stands between bars that stand by themselves, trimmed.
std::vector<std::string_view> fields_between_bars(std::string_view bytes) {
  std::vector<std::string_view> fields;
  std::size_t first = 0;
  for (std::size_t at = bytes.find(kBars); at != std::string_view::npos; at = bytes.find(kBars, at)) {
    const std::size_t end = at + kBars.size();
    const bool alone =
        (at == 0 || is_ascii_space(bytes[at - 1])) && (end == bytes.size() || is_ascii_space(bytes[end]));
    if (alone) {
      fields.push_back(trimmed(bytes.substr(first, at - first)));
      first = end;
    }
    at = alone ? end : at + 1;
  }
  fields.push_back(trimmed(bytes.substr(first)));
  return fields;
}

// The total of such a line holds the model's score already, under a weight that is not in the line.
void refuse_rescored(const NbestLine& line, std::string_view features) {
  for (std::string_view field = take_field(features); !field.empty(); field = take_field(features)) {
    if (!field.starts_with(kFeature)) continue;
    line.refuse(line.place_of(field),
                fmt::format("there is a feature {} already, and its part in the total cannot be taken out: "
                            "rescore the list that the decoder wrote",
                            kFeature));
  }
}

}  // namespace

void read_moses(const NbestLine& line, std::string& id, Hypothesis& hypothesis) {
  const std::vector<std::string_view> fields = fields_between_bars(line.bytes);
  set_id(line, fields[0], id, hypothesis);
  if (fields.size() < 4) {
    line.refuse(line.bytes.size(), fmt::format("{} field{} between bars: expected id ||| hypothesis ||| features ||| "
                                               "total",
                                               fields.size(), fields.size() == 1 ? "" : "s"));
  }
  if (id.empty() || id.find_first_not_of("0123456789") != std::string::npos) {
    line.refuse(line.place_of(fields[0]), fmt::format("the id is {}: expected the number of a sentence", quote(id)));
  }
  set_text(line, fields[1], hypothesis);
  const std::string_view features = fields[2];
  refuse_rescored(line, features);
  hypothesis.score = line.number_of(fields[3], "the total");
  hypothesis.lm =
      NumberPlace{.first = line.place_of(features) + features.size(), .before = fmt::format(" {} ", kFeature)};
  hypothesis.total = NumberPlace{.first = line.place_of(fields[3]), .size = fields[3].size()};
}

}  // namespace unroll
