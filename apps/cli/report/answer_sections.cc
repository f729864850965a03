#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/report/sections.h"
#include "cli/streams/label_report.h"
#include "cli/streams/quantities.h"
#include "cli/verbs/answered_texts.h"
#include "unroll/data/columns.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/judge/classification.h"
#include "unroll/judge/confusion.h"
#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

constexpr std::size_t kMostLabels = 16;  // of a matrix that is shown as a whole
constexpr std::size_t kMostMistakes = 20;
constexpr int kCellShades = 8;

// Right labels and answers, one of each.
struct JudgedAnswers {
  std::vector<std::string> names;
  std::vector<std::int32_t> right;
  std::vector<std::int32_t> answers;
};

void write_figures(Html& html, const Classification& figures, const std::vector<std::string>& names) {
  html.put("p", fmt::format("{} of {} right: {:.2f}%; macro F1 {}", grouped(figures.exact.hits),
                            grouped(figures.exact.of), 100 * figures.exact.share(), figure(figures.macro.f1)));
  html.open("details");
  html.put("summary", "Precision, recall and F1 of each label");
  html.open_table("Precision, recall and F1 of each label");
  html.heading_row({"label", "precision", "recall", "F1", "support"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const HitCounts& counts = figures.labels[i];
    if (counts.support + counts.answered == 0) continue;
    html.row(
        {names[i], figure(counts.precision()), figure(counts.recall()), figure(counts.f1()), grouped(counts.support)});
  }
  html.close();
  html.close();
  html.close();
}

// Shaded by the share of the right label's texts.
void write_matrix(Html& html, const std::vector<ConfusionCell>& cells, const std::vector<std::string>& names,
                  const std::vector<std::int32_t>& used) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> counts;
  std::map<std::int32_t, std::int64_t> sums;
  for (const ConfusionCell& cell : cells) {
    counts[{cell.right, cell.answer}] = cell.texts;
    sums[cell.right] += cell.texts;
  }
  html.open_table("How often each label was the answer, by the right label", "matrix");
  std::vector<std::string> heading{"right ↓ answer →"};
  for (const std::int32_t label : used) heading.push_back(names[static_cast<std::size_t>(label)]);
  html.heading_row(heading);
  for (const std::int32_t right : used) {
    html.open("tr");
    html.row_heading(names[static_cast<std::size_t>(right)]);
    for (const std::int32_t answer : used) {
      const std::int64_t count = counts[{right, answer}];
      const double share = sums[right] > 0 ? static_cast<double>(count) / static_cast<double>(sums[right]) : 0;
      const int shade = std::min(kCellShades - 1, static_cast<int>(kCellShades * share));
      html.put("td", grouped(count), fmt::format("{} s{}", right == answer ? "right" : "wrong", shade));
    }
    html.close();
  }
  html.close();
  html.close();
}

void write_mistakes(Html& html, std::vector<ConfusionCell> cells, const std::vector<std::string>& names) {
  std::erase_if(cells, [](const ConfusionCell& cell) { return cell.right == cell.answer; });
  std::ranges::stable_sort(cells, std::ranges::greater{}, &ConfusionCell::texts);
  if (cells.size() > kMostMistakes) cells.resize(kMostMistakes);
  if (cells.empty()) return html.put("p", "No answer is wrong.");
  html.open_table("The most frequent confusions");
  html.heading_row({"right", "answer", "times"});
  for (const ConfusionCell& cell : cells) {
    html.row({names[static_cast<std::size_t>(cell.right)], names[static_cast<std::size_t>(cell.answer)],
              grouped(cell.texts)});
  }
  html.close();
  html.close();
}

void write_confusions(Html& html, const JudgedAnswers& judged) {
  const std::vector<ConfusionCell> cells = confusion(judged.right, judged.answers);
  std::vector<std::int32_t> used;
  for (const ConfusionCell& cell : cells) used.insert(used.end(), {cell.right, cell.answer});
  std::ranges::sort(used);
  used.erase(std::unique(used.begin(), used.end()), used.end());
  if (used.size() <= kMostLabels) return write_matrix(html, cells, judged.names, used);
  html.put("p", fmt::format("The most frequent confusions of {} labels:", used.size()), "small");
  write_mistakes(html, cells, judged.names);
}

void write_classifier(Html& html, const Model& model, const ReportText& text, Terminal& terminal) {
  Classifier classifier(model, {.threads = text.threads});
  LabelledTextOptions options = text.labelled;
  options.paths = {text.path};
  const LabelledTexts texts = texts_for(classifier, options);
  const AnsweredTexts answered = answer_texts(classifier, texts, terminal);
  const LabelSets right = right_labels(texts);
  write_figures(html, judge_labels(right, answered.answers, std::ssize(texts.labels)), texts.labels);
  for (const std::string& note : notes_on_texts(texts, classifier.labels().size(), answered.cut)) {
    html.put("p", note, "small");
  }
  if (classifier.multi_label()) return;
  write_confusions(html,
                   {.names = texts.labels, .right = single_labels(right), .answers = single_labels(answered.answers)});
}

JudgedAnswers judged_words(Tagger& tagger, const TaggedTexts& texts) {
  JudgedAnswers judged;
  std::map<std::string, std::int32_t> places;
  const auto place = [&](const std::string& tag) {
    const auto [found, is_new] = places.emplace(tag, static_cast<std::int32_t>(places.size()));
    if (is_new) judged.names.push_back(tag);
    return found->second;
  };
  for (const std::string& tag : texts.tags) place(tag);
  std::vector<std::vector<std::string>> sentences;
  for (const TaggedSentence& sentence : texts.sentences) sentences.push_back(sentence.words);
  const std::vector<std::vector<TagSequence>> answers = tagger.tag(sentences);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    for (std::size_t k = 0; k < sentences[i].size(); ++k) {
      judged.right.push_back(texts.sentences[i].tags[k]);
      judged.answers.push_back(place(answers[i].front().tags[k]));
    }
  }
  return judged;
}

void write_tagger(Html& html, const Model& model, const ReportText& text) {
  const TaggedTexts texts = read_tagged_texts({text.path}, {.usual_tag_column = model.task().column});
  const TagEvaluation result = evaluate_tags(model, texts, {.threads = text.threads});
  html.put("p", fmt::format("{} words in {} sentences: {:.2f}% have the right tag{}", grouped(result.accuracy.of),
                            grouped(result.exact_sentences.of), 100 * result.accuracy.share(),
                            result.spans ? fmt::format("; F1 of spans {}", figure(result.spans->micro().f1)) : ""));
  for (const std::string& note : result.notes) html.put("p", note, "small");
  Tagger tagger(model, {.threads = text.threads});
  const JudgedAnswers judged = judged_words(tagger, texts);
  write_figures(html, judge_labels(judged.right, judged.answers, std::ssize(judged.names)), judged.names);
  write_confusions(html, judged);
}

bool answers_with_labels(const Model& model) {
  const TaskKind kind = model.task().kind;
  return (kind == TaskKind::kClassify || kind == TaskKind::kTag) && model.config().vocabulary > 0;
}

}  // namespace

void write_answers(Html& html, const std::vector<Subject>& subjects, const ReportText& text, Terminal& terminal) {
  bool begun = false;
  for (const Subject& subject : subjects) {
    if (!subject.model || !answers_with_labels(*subject.model)) continue;
    if (!std::exchange(begun, true)) html.put("h2", "Answers");
    html.put("h3", subject.name);
    if (subject.model->task().kind == TaskKind::kTag) {
      write_tagger(html, *subject.model, text);
    } else {
      write_classifier(html, *subject.model, text, terminal);
    }
  }
}

}  // namespace unroll
