#include "cli/streams/comparison.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/streams/escaped.h"
#include "cli/streams/label_report.h"
#include "cli/streams/quantities.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

// Of b - a.
std::optional<double> gain(const PairedComparison& found) {
  if (!found.a || !found.b) return std::nullopt;
  return *found.b - *found.a;
}

std::optional<Interval> gain_interval(const PairedComparison& found) {
  if (!found.difference) return std::nullopt;
  return Interval{.low = 0 - found.difference->high, .high = 0 - found.difference->low};  // of 0 not -0
}

std::string signed_figure(const std::optional<double>& number) {
  return number ? fmt::format("{:+.4f}", *number) : "–";
}

std::string p_words(double p) { return p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p); }

Object object_or_null(const std::optional<double>& number) { return number ? Object(*number) : Object(); }

}  // namespace

std::string comparison_head(const std::string& a, const std::string& b) {
  return fmt::format("# A: {}\n# B: {}\n", visible(a), visible(b));
}

std::string shown_place(const std::vector<std::string>& files, std::size_t file, std::int64_t line) {
  if (line == 0) return files[file];
  return files.size() == 1 ? fmt::format("{}", line) : fmt::format("{}:{}", files[file], line);
}

std::string swap_test(const PairedComparison& found, std::int64_t resamples) {
  if (found.is_exact) return "all ways to swap answers";
  return fmt::format("{} random swaps of answers", grouped(resamples));
}

std::string comparison_table(const std::vector<ComparedMeasure>& measures) {
  std::size_t width = 0;
  for (const ComparedMeasure& measure : measures) width = std::max(width, measure.name.size());
  std::string text = fmt::format("{:<{}}  {:>7}  {:>7}  {:>8}  {:>18}  {:>8}  {}\n", "", width, "A", "B", "B - A",
                                 "95% interval", "p", "test");
  for (const ComparedMeasure& measure : measures) {
    const std::optional<Interval> interval = gain_interval(measure.found);
    const std::string ends = interval ? fmt::format("{:+.4f} to {:+.4f}", interval->low, interval->high) : "–";
    text += fmt::format("{:<{}}  {:>7}  {:>7}  {:>8}  {:>18}  {:>8}  {}\n", measure.name, width,
                        figure(measure.found.a), figure(measure.found.b), signed_figure(gain(measure.found)), ends,
                        p_words(measure.found.p_value), measure.test);
  }
  return text;
}

void put_measures(nlohmann::ordered_json* object, const std::vector<ComparedMeasure>& measures) {
  for (const ComparedMeasure& measure : measures) {
    const std::optional<Interval> interval = gain_interval(measure.found);
    (*object)[measure.key] = {{"a", object_or_null(measure.found.a)},
                              {"b", object_or_null(measure.found.b)},
                              {"difference", object_or_null(gain(measure.found))},
                              {"interval", interval ? Object{interval->low, interval->high} : Object()},
                              {"p_value", measure.found.p_value},
                              {"test", measure.test}};
  }
}

}  // namespace unroll
