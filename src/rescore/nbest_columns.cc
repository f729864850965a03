#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/names.h"
#include "base/quote.h"
#include "rescore/nbest_line.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::array<std::string_view, 7> kNames{"id", "rank", "score", "lscore", "total", "text", "-"};

std::vector<std::string_view> fields_between_tabs(std::string_view bytes) {
  std::vector<std::string_view> fields;
  for (std::size_t first = 0; first <= bytes.size();) {
    const std::size_t end = std::min(bytes.find('\t', first), bytes.size());
    fields.push_back(bytes.substr(first, end - first));
    first = end + 1;
  }
  return fields;
}

}  // namespace

void check(const NbestFormat& format) {
  expect_enumerator("dialect", format.dialect, nbest_dialect_name(format.dialect));
  if (format.dialect != NbestDialect::kSrilm && !format.noise.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`noise` words are left out of lists of the format srilm alone, not of {}",
                            nbest_dialect_name(format.dialect)),
                "noise");
  }
  if (format.dialect != NbestDialect::kColumns) {
    if (format.columns.empty()) return;
    throw Error(ErrorCode::kUsage, fmt::format("columns have names in the format columns alone, not in {}",
                                               nbest_dialect_name(format.dialect)));
  }
  for (const std::string& name : format.columns) {
    if (std::ranges::find(kNames, name) == kNames.end()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("unknown column {}: expected id, rank, score, lscore, total, text, or - "
                              "for one that is left alone",
                              quote(name)));
    }
    if (name != "-" && std::ranges::count(format.columns, name) > 1) {
      throw Error(ErrorCode::kUsage, fmt::format("the column {} is named twice", name));
    }
  }
  for (const std::string_view name : {"id", "text"}) {
    if (std::ranges::find(format.columns, name) == format.columns.end()) {
      throw Error(ErrorCode::kUsage, fmt::format("there is no column {}: name the columns from left to right, such as "
                                                 "id,rank,score,text",
                                                 name));
    }
  }
}

void read_columns(const NbestLine& line, const NbestFormat& format, std::string& id, Hypothesis& hypothesis) {
  const std::vector<std::string_view> fields = fields_between_tabs(line.bytes);
  const auto id_at = static_cast<std::size_t>(std::ranges::find(format.columns, "id") - format.columns.begin());
  if (id_at < fields.size()) set_id(line, fields[id_at], id, hypothesis);
  if (fields.size() != format.columns.size()) {
    line.refuse(
        fields.size() > format.columns.size() ? line.place_of(fields[format.columns.size()]) : line.bytes.size(),
        fmt::format("{} column{}, separated by tabs: expected {}", fields.size(), fields.size() == 1 ? "" : "s",
                    format.columns.size()));
  }
  // Numbers without a column of their own follow the line.
  hypothesis.lm = hypothesis.total = NumberPlace{.first = line.bytes.size(), .before = "\t"};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string_view field = fields[i];
    const std::string& name = format.columns[i];
    const NumberPlace place{.first = line.place_of(field), .size = field.size()};
    if (name == "text") set_text(line, field, hypothesis);
    if (name == "score") hypothesis.score = line.number_of(field, name);
    if (name == "lscore") {
      hypothesis.lm_score = line.number_of(field, name);
      hypothesis.lm = place;
    }
    if (name == "total") hypothesis.total = place;
    if (name == "rank") {
      static_cast<void>(line.number_of(field, name));
      hypothesis.rank = place;
    }
  }
  if (id.empty()) line.refuse(line.place_of(fields[id_at]), "the id is empty");
}

}  // namespace unroll
