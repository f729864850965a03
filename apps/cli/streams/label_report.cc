#include "cli/streams/label_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

constexpr std::size_t kScreen = 100;  // columns
constexpr std::size_t kMostConfusions = 10;

// Columns of a terminal, as libfmt pads: less than bytes where a character has several.
std::size_t width_of(const std::string& text) {
  return 2 * text.size() - fmt::format("{:<{}}", text, text.size()).size();
}

std::size_t widest(const std::vector<std::string>& names, std::size_t least) {
  for (const std::string& name : names) least = std::max(least, width_of(name));
  return least;
}

std::vector<std::string> shown(std::span<const std::string> names) {
  std::vector<std::string> result;
  for (const std::string& name : names) result.push_back(escaped(name));
  return result;
}

Interval wilson(const Proportion& proportion) { return {.low = proportion.low(), .high = proportion.high()}; }

void put_average(Object* object, const std::string& name, const LabelAverages& average,
                 const std::optional<Interval>& interval) {
  (*object)[name + "_precision"] = or_null(average.precision);
  (*object)[name + "_recall"] = or_null(average.recall);
  (*object)[name + "_f1"] = or_null(average.f1);
  (*object)[name + "_f1_interval"] = or_null(interval);
}

// Labels of either side, in order.
std::vector<std::int32_t> occurring(std::span<const ConfusionCell> cells) {
  std::set<std::int32_t> labels;
  for (const ConfusionCell& cell : cells) labels.insert({cell.right, cell.answer});
  return {labels.begin(), labels.end()};
}

std::string most_frequent(std::span<const ConfusionCell> cells, const std::vector<std::string>& names) {
  std::vector<ConfusionCell> wrong;
  for (const ConfusionCell& cell : cells) {
    if (cell.right != cell.answer) wrong.push_back(cell);
  }
  std::ranges::stable_sort(wrong, std::ranges::greater{}, &ConfusionCell::texts);
  wrong.resize(std::min(wrong.size(), kMostConfusions));
  std::string text = "most frequent confusions (--confusion FILE writes all):\n";
  const auto name = [&](std::int32_t label) { return names[static_cast<std::size_t>(label)]; };
  for (const ConfusionCell& cell : wrong) {
    text += fmt::format("{:>7}  {} taken for {}\n", grouped(cell.texts), name(cell.right), name(cell.answer));
  }
  return text;
}

}  // namespace

std::string figure(const std::optional<double>& number) { return number ? fmt::format("{:.4f}", *number) : "–"; }

std::string interval_words(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.4f} to {:.4f}", interval->low, interval->high) : "–";
}

std::string report_table(const LabelReport& report) {
  const Classification& figures = report.figures;
  const std::vector<std::string> names = shown(report.names);
  const std::size_t width = widest(names, std::string_view("weighted avg").size());
  std::int64_t support = 0;
  for (const HitCounts& label : figures.labels) support += label.support;
  std::string text = fmt::format("{:>{}}  {:>9}  {:>9}  {:>9}  {:>9}  {}\n\n", "", width, "precision", "recall",
                                 "f1-score", "support", "95% interval");
  const auto row = [&](const std::string& name, const LabelAverages& of, std::int64_t count, const std::string& more) {
    text += fmt::format("{:>{}}  {:>9}  {:>9}  {:>9}  {:>9}{}{}\n", name, width, figure(of.precision),
                        figure(of.recall), figure(of.f1), grouped(count), more.empty() ? "" : "  ", more);
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    const HitCounts& label = figures.labels[i];
    row(names[i], {label.precision(), label.recall(), label.f1()}, label.support, "");
  }
  text +=
      fmt::format("\n{:>{}}  {:>9}  {:>9}  {:>9}  {:>9}  {}\n", report.has_sets ? "exact match" : "accuracy", width, "",
                  "", figure(figures.exact.share()), grouped(figures.exact.of), interval_words(wilson(figures.exact)));
  if (report.has_sets) row("micro avg", figures.micro, support, interval_words(report.intervals.micro));
  row("macro avg", figures.macro, support, interval_words(report.intervals.macro));
  row("weighted avg", figures.weighted, support, interval_words(report.intervals.weighted));
  for (const std::string& note : notes_on(figures, report.names)) text += fmt::format("note: {}\n", visible(note));
  return text;
}

void put_report(nlohmann::ordered_json* object, const LabelReport& report) {
  const Classification& figures = report.figures;
  Object& target = *object;
  target["texts"] = figures.exact.of;
  target["accuracy"] = figures.exact.share();
  target["accuracy_interval"] = or_null(std::optional(wilson(figures.exact)));
  put_average(object, "macro", figures.macro, report.intervals.macro);
  put_average(object, "weighted", figures.weighted, report.intervals.weighted);
  put_average(object, "micro", figures.micro, report.intervals.micro);
  Object& labels = target["labels"] = Object::array();
  for (std::size_t i = 0; i < report.names.size(); ++i) {
    const HitCounts& label = figures.labels[i];
    labels.push_back({{"label", report.names[i]},
                      {"precision", or_null(label.precision())},
                      {"recall", or_null(label.recall())},
                      {"f1", or_null(label.f1())},
                      {"support", label.support},
                      {"answers", label.answered},
                      {"hits", label.hits}});
  }
  target["notes"] = notes_on(figures, report.names);
}

std::string confusion_table(std::span<const ConfusionCell> cells, std::span<const std::string> all_names) {
  const std::vector<std::string> names = shown(all_names);
  const std::vector<std::int32_t> labels = occurring(cells);
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> texts;
  std::int64_t largest = 0;
  for (const ConfusionCell& cell : cells) {
    texts[{cell.right, cell.answer}] = cell.texts;
    largest = std::max(largest, cell.texts);
  }
  std::vector<std::string> heads;
  for (const std::int32_t label : labels) heads.push_back(names[static_cast<std::size_t>(label)]);
  const std::size_t first = widest(heads, 0);
  const std::size_t least = grouped(largest).size();
  std::size_t line = first;
  for (const std::string& head : heads) line += 2 + std::max(least, width_of(head));
  if (line > kScreen) return most_frequent(cells, names);
  std::string text = "confusion (a row per label of the data, a column per answer):\n\n" + std::string(first, ' ');
  for (const std::string& head : heads) text += fmt::format("  {:>{}}", head, least);
  text += "\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += fmt::format("{:>{}}", heads[i], first);
    for (std::size_t j = 0; j < labels.size(); ++j) {
      text += fmt::format("  {:>{}}", grouped(texts[{labels[i], labels[j]}]), std::max(least, width_of(heads[j])));
    }
    text += "\n";
  }
  return text;
}

}  // namespace unroll
