#include "decide/rule_figures.h"

#include <algorithm>

namespace unroll {
namespace {

using AnswerSets = std::vector<std::vector<std::int32_t>>;

AnswerSets sets_by(const JudgedTexts& texts, const AnswerRule& rule) {
  AnswerSets sets;
  for (const ClassifiedText& said : texts.said) sets.push_back(answers_by(rule, said, texts.multi_label));
  return sets;
}

// Of each text, for a label, or for all together.
std::vector<HitCounts> counts_of_texts(const JudgedTexts& texts, const AnswerSets& answers,
                                       std::optional<std::size_t> label) {
  std::vector<HitCounts> counts(answers.size());
  const auto is_counted = [&](std::int32_t one) { return !label || static_cast<std::size_t>(one) == *label; };
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::vector<std::int32_t>& right = texts.right[i];
    counts[i].support = std::ranges::count_if(right, is_counted);
    counts[i].answered = std::ranges::count_if(answers[i], is_counted);
    counts[i].hits = std::ranges::count_if(
        answers[i], [&](std::int32_t one) { return is_counted(one) && std::ranges::find(right, one) != right.end(); });
  }
  return counts;
}

std::optional<Interval> interval_of(const Proportion& share) {
  if (share.of == 0) return std::nullopt;
  return Interval{.low = share.low(), .high = share.high()};
}

}  // namespace

RuleFigures figures_of_rule(const JudgedTexts& texts, const AnswerRule& rule, const TuneTarget& target,
                            std::optional<std::size_t> label) {
  const AnswerSets answers = sets_by(texts, rule);
  const auto K = static_cast<std::int64_t>(texts.labels.size());
  const BootstrapOptions bootstrap{.resamples = resamples_in_seconds(std::ssize(answers))};
  const std::vector<HitCounts> of_texts = counts_of_texts(texts, answers, label);
  RuleFigures figures;
  for (const HitCounts& counts : of_texts) figures.counts += counts;
  switch (target.measure) {
    case TuneMeasure::kAccuracy: {
      const Proportion exact = judge_labels(texts.right, answers, K).exact;
      figures.value = exact.share();
      figures.interval = interval_of(exact);
      break;
    }
    case TuneMeasure::kF1:
      figures.value = figures.counts.f1();
      figures.interval = bootstrap_f1(of_texts, bootstrap);
      break;
    case TuneMeasure::kMacroF1:
      figures.value = judge_labels(texts.right, answers, K).macro.f1;
      figures.interval = bootstrap_f1(texts.right, answers, K, bootstrap).macro;
      break;
    case TuneMeasure::kPrecision:
      figures.value = figures.counts.precision();
      figures.interval = interval_of({.hits = figures.counts.hits, .of = figures.counts.answered});
      break;
    case TuneMeasure::kRecall:
      figures.value = figures.counts.recall();
      figures.interval = interval_of({.hits = figures.counts.hits, .of = figures.counts.support});
      break;
  }
  return figures;
}

std::vector<HitCounts> counts_of_rule(const JudgedTexts& texts, const AnswerRule& rule) {
  return judge_labels(texts.right, sets_by(texts, rule), static_cast<std::int64_t>(texts.labels.size())).labels;
}

}  // namespace unroll
