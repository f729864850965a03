// The sections of a report. Each writes its heading and what it has to say, or nothing where there is nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/report/html.h"
#include "cli/report/subjects.h"
#include "cli/streams/terminal.h"
#include "unroll/data/labelled_texts.h"

namespace unroll {

struct ReportText {
  std::string path;
  LabelledTextOptions labelled = {};  // how labels stand in it; without paths
  int threads = 0;
};

// What each is, and how well it did.
void write_overview(Html& html, const std::vector<Subject>& subjects);

// Losses, rates, norms and speed by step.
void write_curves(Html& html, const std::vector<Subject>& subjects);

// Settings side by side; those that differ come first and are marked.
void write_settings(Html& html, const std::vector<Subject>& subjects);

// What was written while they were trained, and what language models write now.
void write_samples(Html& html, const std::vector<Subject>& subjects);

// Of language models: lines of the text with each symbol shaded by its surprisal.
void write_lines(Html& html, const std::vector<Subject>& subjects, const ReportText& text);

// Of language models: how far gradients reach in the text.
void write_gradients(Html& html, const std::vector<Subject>& subjects, const ReportText& text);

// Of classifiers and taggers: figures on the labelled text, and which label is taken for which.
void write_answers(Html& html, const std::vector<Subject>& subjects, const ReportText& text, Terminal& terminal);

// Whether the model predicts each symbol from those before it, without a label.
[[nodiscard]] bool writes_text(const Model& model);

// The style sheet.
[[nodiscard]] std::string_view report_style() noexcept;

}  // namespace unroll
