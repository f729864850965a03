#include "cli/evaluations/label_evaluation.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

LabelReport report_on(const LabelledTexts& texts, const LabelSets& right, const LabelSets& answers) {
  const auto K = static_cast<std::int64_t>(texts.labels.size());
  return {.names = texts.labels,
          .figures = judge_labels(right, answers, K),
          .intervals = bootstrap_f1(right, answers, K, {.resamples = resamples_in_seconds(std::ssize(right))}),
          .has_sets = texts.multi_label};
}

nlohmann::ordered_json number_or_null(const std::optional<double>& number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json();
}

// Accuracy and macro F1 of one model of several.
Classification figures_alone(const LabelEvaluation& found, const AnsweredTexts& alone) {
  return judge_labels(right_labels(found.texts), alone.answers, std::ssize(found.texts.labels));
}

}  // namespace

void judge_answers(LabelEvaluation& found) {
  const LabelSets right = right_labels(found.texts);
  found.report = report_on(found.texts, right, found.answered.answers);
  if (found.texts.multi_label) return;
  found.cells = confusion(single_labels(right), single_labels(found.answered.answers));
}

std::string label_json(const LabelEvaluation& found, const std::optional<double>& texts_per_s) {
  nlohmann::ordered_json object;
  put_report(&object, found.report);
  object["nats_per_text"] = number_or_null(found.answered.nats.nats_per_text);
  object["texts_without_nats"] = found.answered.nats.left_out;
  object["calibration_error"] = number_or_null(found.answered.calibration_error);
  nlohmann::ordered_json& cells = object["confusion"] = nlohmann::ordered_json::array();
  for (const ConfusionCell& cell : found.cells) {
    cells.push_back({{"label", found.texts.labels[static_cast<std::size_t>(cell.right)]},
                     {"answer", found.texts.labels[static_cast<std::size_t>(cell.answer)]},
                     {"texts", cell.texts}});
  }
  for (const std::string& note : found.notes) object["notes"].push_back(note);
  object["multi_label"] = found.texts.multi_label;
  object["precision"] = found.precision;
  if (texts_per_s) object["texts_per_s"] = *texts_per_s;
  for (std::size_t i = 0; i < found.alone.size(); ++i) {
    const Classification figures = figures_alone(found, found.alone[i]);
    object["models"].push_back({{"model", found.models[i]},
                                {"accuracy", figures.exact.share()},
                                {"macro_f1", number_or_null(figures.macro.f1)},
                                {"nats_per_text", number_or_null(found.alone[i].nats.nats_per_text)}});
  }
  return json_line(object);
}

std::string label_table(const LabelEvaluation& found, const std::optional<double>& texts_per_s) {
  std::string text;
  for (std::size_t i = 0; i < found.alone.size(); ++i) {
    text += fmt::format("model {:<15} {:.4f} accuracy  {}\n", i + 1, figures_alone(found, found.alone[i]).exact.share(),
                        visible(found.models[i]));
  }
  if (!found.alone.empty()) text += fmt::format("average of {} models:\n", found.alone.size());
  text += report_table(found.report);
  for (const std::string& note : found.notes) text += fmt::format("note: {}\n", visible(note));
  if (!found.cells.empty()) text += "\n" + confusion_table(found.cells, found.texts.labels);
  const std::int64_t left_out = found.answered.nats.left_out;
  text += fmt::format("\nnats per text         {}{}\n", figure(found.answered.nats.nats_per_text),
                      left_out == 0 ? "" : fmt::format("  (without those of unknown labels: {})", grouped(left_out)));
  text += fmt::format("calibration error     {}\n", figure(found.answered.calibration_error));
  text += fmt::format("precision             {}\n", found.precision);
  if (texts_per_s) {
    text += fmt::format("speed                 {} texts/s\n", grouped(static_cast<std::int64_t>(*texts_per_s)));
  }
  return text;
}

}  // namespace unroll
