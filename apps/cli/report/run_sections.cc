#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cli/flags/recorded_setting.h"
#include "cli/report/sections.h"
#include "cli/streams/quantities.h"
#include "cli/streams/training_samples.h"
#include "unroll/error.h"
#include "unroll/precision.h"

namespace unroll {
namespace {

std::string network_words(const Model& model) {
  const NetworkConfig& config = model.config();
  return fmt::format("{}, {} of {}{}", cell_name(config.cell),
                     config.layers == 1 ? "1 layer" : fmt::format("{} layers", config.layers), grouped(config.hidden),
                     config.bidirectional ? ", both directions" : "");
}

std::string best_words(const RunCurves& curves) {
  const std::vector<ValidationPoint>& points = curves.validations();
  if (points.empty()) return "–";
  const auto best = std::ranges::min_element(points, {}, &ValidationPoint::nats);
  const std::string accuracy = best->accuracy ? fmt::format(", accuracy {:.2f}%", 100 * *best->accuracy) : "";
  return fmt::format("{:.4f} at step {}{}", best->nats, grouped(best->step), accuracy);
}

std::string last_loss_words(const RunCurves& curves) {
  const std::vector<SmoothStep> steps = smoothed(curves.bins());
  return steps.empty() ? "–" : fmt::format("{:.4f}", steps.back().nats);
}

// A name, and what each subject has of it.
using SettingRows = std::vector<std::pair<std::string, std::vector<std::string>>>;

// In the order of the first model that has an option.
SettingRows setting_rows(const std::vector<const Subject*>& subjects) {
  SettingRows rows;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    for (const auto& [name, value] : subjects[i]->model->training().options) {
      const auto [place, is_new] = places.emplace(name, rows.size());
      if (is_new) rows.emplace_back(name, std::vector<std::string>(subjects.size(), "–"));
      rows[place->second].second[i] = shown_setting(name, value);
    }
  }
  return rows;
}

// Those whose models record what they were trained with, and the names of the others.
struct KnownSettings {
  std::vector<const Subject*> of;
  std::vector<std::string> unknown;
};

KnownSettings known_settings(const std::vector<Subject>& subjects) {
  KnownSettings known;
  for (const Subject& subject : subjects) {
    if (subject.model && !subject.model->training().options.empty()) {
      known.of.push_back(&subject);
    } else {
      known.unknown.push_back(subject.name);
    }
  }
  return known;
}

// What is said above the tables.
std::string setting_words(const KnownSettings& known, std::size_t different, std::size_t equal) {
  std::string words;
  if (known.of.size() > 1) {
    std::vector<std::string> names;
    for (const Subject* subject : known.of) names.push_back(subject->name);
    const std::string whose = known.unknown.empty() ? "" : fmt::format(" of {}", fmt::join(names, ", "));
    words = different == 0 ? fmt::format("All settings{} are the same. ", whose)
                           : fmt::format(
                                 "{} of {} settings{} differ; – is the default of a setting that the record "
                                 "leaves out. ",
                                 different, different + equal, whose);
  }
  if (!known.unknown.empty()) {
    words +=
        fmt::format("Not known are the settings of {}: logs hold none, and models only where they were trained here.",
                    fmt::join(known.unknown, ", "));
  }
  return words;
}

bool differ(const std::vector<std::string>& values) {
  return std::ranges::any_of(values, [&](const std::string& value) { return value != values.front(); });
}

void write_setting_table(Html& html, const std::vector<const Subject*>& subjects, const SettingRows& rows,
                         bool marked) {
  html.open_table(marked ? "Settings that differ" : "Settings");
  std::vector<std::string> heading{"Setting"};
  for (const Subject* subject : subjects) heading.push_back(subject->name);
  html.heading_row(heading);
  for (const auto& [name, values] : rows) {
    std::vector<std::string> cells{(marked ? "≠ " : "") + name};
    cells.insert(cells.end(), values.begin(), values.end());
    html.row(cells, marked ? "differs" : "");
  }
  html.close();
  html.close();
}

void write_sample(Html& html, const std::string& caption, const std::string& text) {
  html.open("figure", "sample");
  html.put("figcaption", caption);
  html.open_any_direction("pre");
  html.words(text);
  html.close();
  html.close();
}

// At most a dozen of them, the first and the last included.
std::vector<RunSample> chosen(const std::vector<RunSample>& samples) {
  constexpr std::size_t kMost = 12;
  if (samples.size() <= kMost) return samples;
  std::vector<RunSample> some;
  for (std::size_t i = 0; i < kMost; ++i) some.push_back(samples[i * (samples.size() - 1) / (kMost - 1)]);
  return some;
}

// Nothing where the first symbol has to be given.
std::optional<std::string> written_now(const Model& model) {
  try {
    return sample_of(model, {});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
    return std::nullopt;
  }
}

}  // namespace

bool writes_text(const Model& model) {
  return model.task().kind == TaskKind::kLanguage && !model.config().bidirectional;
}

void write_overview(Html& html, const std::vector<Subject>& subjects) {
  html.open_table("Runs and models", "overview");
  html.heading_row({"", "task", "network", "parameters", "steps", "best held-out loss", "training loss at the end"});
  for (const Subject& subject : subjects) {
    std::vector<std::string> cells{subject.name, "–", "–", "–"};
    if (subject.model) {
      cells = {subject.name, std::string(task_name(subject.model->task().kind)), network_words(*subject.model),
               grouped(parameter_count(subject.model->config()))};
    }
    const std::int64_t steps = subject.curves.last_step();
    cells.push_back(steps > 0 ? grouped(steps) : "–");
    cells.push_back(best_words(subject.curves));
    cells.push_back(last_loss_words(subject.curves));
    html.row(cells);
  }
  html.close();
  html.close();
}

void write_curves(Html& html, const std::vector<Subject>& subjects) {
  const std::vector<NamedRun> runs = named_runs(subjects);
  if (runs.empty()) return;
  html.put("h2", "Curves");
  const Picture all = curves_picture(runs, false);
  html.put("p", all.sentence + ".");
  html.put(
      "p",
      "Losses are in nats for each prediction. The training loss is the mean of neighbouring steps, the band behind it "
      "what single steps had.",
      "small");
  if (runs.size() > 1) html.figure(curves_legend(runs, false));
  html.open("div", "panels");
  for (const Picture& panel : curve_panels(runs, false)) html.figure(panel);
  html.close();
  html.open("details");
  html.put("summary", "The numbers of all curves");
  html.table("The numbers of all curves", all.table);
  html.close();
}

void write_settings(Html& html, const std::vector<Subject>& subjects) {
  const KnownSettings known = known_settings(subjects);
  SettingRows different;
  SettingRows equal;
  for (auto& row : setting_rows(known.of)) (differ(row.second) ? different : equal).push_back(std::move(row));
  html.put("h2", "Settings");
  const std::string words = setting_words(known, different.size(), equal.size());
  if (!words.empty()) html.put("p", words);
  if (!different.empty()) write_setting_table(html, known.of, different, true);
  if (equal.empty()) return;
  html.open("details");
  html.put("summary", known.of.size() > 1 ? "Settings that are the same" : "All settings");
  write_setting_table(html, known.of, equal, false);
  html.close();
}

void write_samples(Html& html, const std::vector<Subject>& subjects) {
  Html samples;
  for (const Subject& subject : subjects) {
    Html one;
    if (subject.log) {
      for (const RunSample& sample : chosen(subject.log->samples)) {
        write_sample(one, fmt::format("after step {}", grouped(sample.step)), sample.text);
      }
    }
    if (subject.model && (writes_text(*subject.model) || subject.model->task().kind == TaskKind::kConditional)) {
      if (const std::optional<std::string> now = written_now(*subject.model)) {
        write_sample(one, "the saved model, at temperature 1 from seed 1", *now);
      }
    }
    if (one.text().empty()) continue;
    if (subjects.size() > 1) samples.put("h3", subject.name);
    samples.append(one);
  }
  if (samples.text().empty()) return;
  html.put("h2", "Samples");
  html.append(samples);
}

}  // namespace unroll
