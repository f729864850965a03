#include "cli/streams/data_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/flags/field_flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::size_t kMostShownNames = 20;
constexpr std::size_t kMostShownCharacters = 40;
constexpr int kNameWidth = 22;
constexpr int kNumberWidth = 12;

std::string count_and_share(std::int64_t count, std::int64_t all) {
  const double share = all == 0 ? 0 : static_cast<double>(count) / static_cast<double>(all);
  return fmt::format("{:>12}{:>7.1f}%", grouped(count), 100 * share);
}

// A name as the table shows it: a wrong column may have whole texts for labels.
std::string shown_name(std::string_view name) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < kMostShownCharacters && end < name.size(); ++i) {
    end += first_character(name.substr(end)).bytes;
  }
  return escaped(name.substr(0, end)) + (end < name.size() ? "..." : "");
}

}  // namespace

DataRows::DataRows(bool tests) : tests_(tests) {
  if (tests)
    text_ = fmt::format("{:<{}}{:>{}}{:>{}}\n", "", kNameWidth, "training", kNumberWidth, "test", kNumberWidth);
}

void DataRows::row(std::string_view name, const std::string& train, const std::string& test) {
  text_ += fmt::format("{:<{}}{:>{}}", name, kNameWidth, train, kNumberWidth);
  if (tests_) text_ += fmt::format("{:>{}}", test, kNumberWidth);
  text_ += '\n';
}

void DataRows::count(std::string_view name, std::int64_t train, std::int64_t test) {
  row(name, grouped(train), grouped(test));
}

void DataRows::number(std::string_view name, double train, double test) {
  row(name, fmt::format("{:.1f}", train), fmt::format("{:.1f}", test));
}

void DataRows::lengths(std::string_view unit, const LengthSummary& train, const LengthSummary& test) {
  count(fmt::format("{}, fewest", unit), train.min, test.min);
  number("  median", train.median, test.median);
  number("  mean", train.mean, test.mean);
  count("  95% have at most", train.p95, test.p95);
  count("  most", train.max, test.max);
}

std::string table_of_counts(const CountedThings& things, const std::vector<NamedCount>& counts) {
  const std::size_t shown = std::min(counts.size(), kMostShownNames);
  std::size_t width = things.kind.size();
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, shown_name(counts[i].name).size());
  const bool tests = things.test_all > 0;
  std::string text = fmt::format("{:<{}}{:>20}", things.kind, width, tests ? "training" : things.things);
  text += tests ? fmt::format("{:>20}\n", "test") : "\n";
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("{:<{}}{}", shown_name(counts[i].name), width, count_and_share(counts[i].count, things.all));
    text += (tests ? count_and_share(counts[i].test_count, things.test_all) : "") + "\n";
  }
  if (shown < counts.size()) {
    text += fmt::format("and {} more, of {} to {} {} each\n", grouped(static_cast<std::int64_t>(counts.size() - shown)),
                        grouped(counts.back().count), grouped(counts[shown].count), things.things);
  }
  return text;
}

std::string notes_table(const std::vector<std::string>& notes) {
  std::string text = notes.empty() ? "" : "\n";
  for (const std::string& note : notes) text += "note: " + visible(with_flags(note, present_verb())) + "\n";
  return text;
}

nlohmann::ordered_json notes_json(const std::vector<std::string>& notes) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const std::string& note : notes) json.push_back(with_flags(note, present_verb()));
  return json;
}

nlohmann::ordered_json json_of(const LengthSummary& lengths) {
  return {{"min", lengths.min},
          {"median", lengths.median},
          {"mean", lengths.mean},
          {"p95", lengths.p95},
          {"max", lengths.max}};
}

nlohmann::ordered_json json_of(const std::vector<EqualTexts>& examples) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const EqualTexts& example : examples) list.push_back({example.first, example.second});
  return list;
}

}  // namespace unroll
