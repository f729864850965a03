#include "cli/streams/tuning_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/flags/shell_quoted.h"
#include "cli/streams/escaped.h"
#include "cli/streams/label_report.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

std::string measure_words(const TuneTarget& target) {
  const std::string of = target.label.empty() ? "" : fmt::format(" of {}", escaped(target.label));
  switch (target.measure) {
    case TuneMeasure::kAccuracy:
      return "accuracy";
    case TuneMeasure::kF1:
      return target.label.empty() ? "micro F1" : "F1" + of;
    case TuneMeasure::kMacroF1:
      return "macro F1";
    case TuneMeasure::kPrecision:
      return "precision" + of;
    case TuneMeasure::kRecall:
      return "recall" + of;
  }
  return {};
}

std::string target_words(const TuneTarget& target) {
  const std::string words = measure_words(target);
  if (target.floor == 0) return words;
  return fmt::format("{}, where {} is at least {}", words,
                     target.measure == TuneMeasure::kPrecision ? "recall" : "precision", target.floor);
}

std::string_view cut_name(const TuningReport& report) { return report.tuning.by_factor ? "factor" : "threshold"; }

std::string figures_row(const HitCounts& counts) {
  return fmt::format("{:>10} {:>10} {:>10} {:>10}", figure(counts.precision()), figure(counts.recall()),
                     figure(counts.f1()), grouped(counts.answered));
}

// Of two labels: the probability above which the one with this factor is answered.
std::optional<double> share_at(const TuningReport& report, double factor) {
  if (!report.tuning.by_factor || report.labels.size() != 2) return std::nullopt;
  const std::size_t other = report.labels[0] == report.parsed.label ? 1 : 0;
  const double against = report.tuning.rule.factors[other];
  return against / (factor + against);
}

std::string rows_table(const TuningReport& report) {
  const bool has_shares = share_at(report, 1).has_value();
  std::string text = fmt::format("  {:>12}{} {:>10} {:>10} {:>10} {:>10}\n", cut_name(report),
                                 has_shares ? fmt::format(" {:>12}", "probability") : "", "precision", "recall",
                                 "f1-score", "answers");
  for (std::size_t i = 0; i < report.tuning.rows.size(); ++i) {
    const TuneRow& row = report.tuning.rows[i];
    const std::optional<double> share = share_at(report, row.cut);
    text += fmt::format("{} {:>12}{} {}\n", i == report.tuning.chosen ? '>' : ' ', row.cut,
                        share ? fmt::format(" {:>12.4f}", *share) : "", figures_row(row.counts));
  }
  return text;
}

std::string labels_table(const TuningReport& report) {
  std::vector<std::string> names;
  std::size_t width = 5;
  for (const std::string& label : report.labels) names.push_back(escaped(label));
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string text = fmt::format("{:>{}} {:>12} {:>10} {:>10} {:>10} {:>10} {:>12}\n", "label", width, cut_name(report),
                                 "precision", "recall", "f1-score", "answers", "f1 before");
  for (const TunedLabel& row : report.tuning.labels) {
    // libfmt pads by columns of a terminal, not by bytes.
    text += fmt::format("{:>{}} {:>12} {} {:>12}\n", names[static_cast<std::size_t>(row.label)], width, row.after,
                        figures_row(row.counts_after), figure(row.counts_before.f1()));
  }
  return text;
}

std::string figures_line(std::string_view when, const RuleFigures& figures, bool has_counts) {
  const std::string counts = has_counts ? fmt::format("  precision {}  recall {}", figure(figures.counts.precision()),
                                                      figure(figures.counts.recall()))
                                        : "";
  return fmt::format("{:<7} {}  95%: {}{}\n", when, figure(figures.value), interval_words(figures.interval), counts);
}

bool has_counts(const TuneTarget& target) {
  return target.measure != TuneMeasure::kAccuracy && target.measure != TuneMeasure::kMacroF1;
}

void put_counts(Object& object, const HitCounts& counts) {
  object["precision"] = or_null(counts.precision());
  object["recall"] = or_null(counts.recall());
  object["f1"] = or_null(counts.f1());
  object["answers"] = counts.answered;
  object["support"] = counts.support;
}

Object figures_object(const RuleFigures& figures, bool counted) {
  Object object{{"value", or_null(figures.value)}, {"interval", nullptr}};
  if (figures.interval) object["interval"] = {figures.interval->low, figures.interval->high};
  if (counted) put_counts(object, figures.counts);
  return object;
}

Object by_label(const TuningReport& report, const std::vector<double>& numbers) {
  Object object = Object::object();
  auto& fields = object.get_ref<Object::object_t&>();  // not by key, which would search all labels before it
  for (std::size_t k = 0; k < numbers.size(); ++k) fields.emplace_back(report.labels[k], numbers[k]);
  return object;
}

}  // namespace

std::string rule_flags(const TuningReport& report) {
  const AnswerRule& rule = report.tuning.rule;
  std::string flags;
  const auto add = [&](std::string_view flag, const std::string& value) {
    flags += fmt::format("{}{} {}", flags.empty() ? "" : " ", flag, shell_quoted(value));
  };
  const bool is_one = std::ranges::count(rule.thresholds, rule.thresholds.front()) == std::ssize(rule.thresholds);
  if (is_one && rule.thresholds != report.present.thresholds) add("--threshold", fmt::format("{}", rule.thresholds[0]));
  for (std::size_t k = 0; k < report.labels.size(); ++k) {
    if (!is_one && rule.thresholds[k] != report.present.thresholds[k]) {
      add("--threshold", fmt::format("{}={}", report.labels[k], rule.thresholds[k]));
    }
    if (rule.factors[k] == report.present.factors[k]) continue;
    add("--factor", fmt::format("{}={}", report.labels[k], rule.factors[k]));
  }
  return flags;
}

std::string why_unreached(const TuningReport& report) {
  const TuneRow& row = report.tuning.rows[report.tuning.chosen];
  const bool is_recall = report.parsed.measure == TuneMeasure::kPrecision;
  return fmt::format("a {} of {} cannot be reached: the most is {}, with a {} of {}, at the {} {}",
                     is_recall ? "recall" : "precision", report.parsed.floor,
                     figure(is_recall ? row.counts.recall() : row.counts.precision()),
                     is_recall ? "precision" : "recall",
                     figure(is_recall ? row.counts.precision() : row.counts.recall()), cut_name(report), row.cut);
}

std::string tuning_table(const TuningReport& report) {
  const AnswerTuning& tuning = report.tuning;
  std::string text = fmt::format("target  {}\ntexts   {}\n\n", target_words(report.parsed), grouped(report.texts));
  text += tuning.rows.empty() ? labels_table(report) : rows_table(report);
  text += fmt::format("\n        {}\n", measure_words(report.parsed));
  text += figures_line("before", tuning.before, has_counts(report.parsed));
  text += figures_line("after", tuning.after, has_counts(report.parsed));
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", visible(note));
  const std::string flags = rule_flags(report);
  return text + fmt::format("flags: {}\n", flags.empty() ? "none, nothing is better" : visible(flags));
}

std::string tuning_json(const TuningReport& report) {
  const AnswerTuning& tuning = report.tuning;
  const bool counted = has_counts(report.parsed);
  Object object{{"target", report.target},
                {"reached", tuning.is_reached},
                {"texts", report.texts},
                {"before", figures_object(tuning.before, counted)},
                {"after", figures_object(tuning.after, counted)}};
  const std::string cut(cut_name(report));
  for (std::size_t i = 0; i < tuning.rows.size(); ++i) {
    Object row{{cut, tuning.rows[i].cut}};
    put_counts(row, tuning.rows[i].counts);
    row["chosen"] = i == tuning.chosen;
    object["rows"].push_back(std::move(row));
  }
  for (const TunedLabel& label : tuning.labels) {
    Object row{{"label", report.labels[static_cast<std::size_t>(label.label)]}, {cut, label.after}};
    put_counts(row, label.counts_after);
    row["f1_before"] = or_null(label.counts_before.f1());
    object["labels"].push_back(std::move(row));
  }
  object["thresholds"] = by_label(report, tuning.rule.thresholds);
  object["factors"] = by_label(report, tuning.rule.factors);
  object["flags"] = rule_flags(report);
  for (const std::string& note : report.notes) object["notes"].push_back(note);
  return json_line(object);
}

}  // namespace unroll
