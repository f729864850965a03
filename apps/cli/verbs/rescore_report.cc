#include "cli/verbs/rescore_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

// Errors of one kind of a list, whose hypothesis number `chosen` was taken.
ErrorChoices choices_of_list(const std::vector<ErrorCount>& hypotheses, std::size_t chosen) {
  return {.first = {hypotheses.front()},
          .chosen = {hypotheses[chosen]},
          .oracle = {std::ranges::min(hypotheses, {}, &ErrorCount::errors)}};
}

}  // namespace

UnitSums RescoreReport::add(const ScoredList& scored, const References& references) {
  const std::string& reference = references.of(scored.list, scored.file);
  if (!ids_.insert(scored.list.id).second) {
    const Hypothesis& first = scored.list.hypotheses.front();
    throw Error(ErrorCode::kInput,
                fmt::format("{}, line {}, column {}: a list '{}' came before in another file: give each list once",
                            scored.file, first.number, first.id_column, scored.list.id));
  }
  references_left_ = references.size() - std::ssize(ids_);
  Judged judged = judge(scored, reference);
  if (options_.weights == RescoreWeights::kGiven) {
    const std::size_t chosen = best_of(options_.given, judged.tuning.hypotheses);
    return sums_of_list(std::ssize(judged.words), choices_of_list(judged.words, chosen),
                        choices_of_list(judged.characters, chosen));
  }
  tuned_ = {.lm_weight = scored.has_score() || (!lists_.empty() && tuned_.lm_weight),
            .lambda = scored.has_old_lm() && (lists_.empty() || tuned_.lambda)};
  hypotheses_ += std::ssize(judged.words);
  lists_.push_back(std::move(judged));
  return {};
}

RescoreReport::Judged RescoreReport::judge(const ScoredList& scored, const std::string& reference) const {
  Judged judged;
  judged.tuning.hypotheses = scored.evidence;
  for (const Hypothesis& hypothesis : scored.list.hypotheses) {
    judged.words.push_back(word_errors(hypothesis.text, reference));
    judged.characters.push_back(character_errors(hypothesis.text, reference));
  }
  const auto fewest = std::ranges::min(judged.words, {}, &ErrorCount::errors).errors;
  for (std::size_t i = 0; i < judged.words.size(); ++i) {
    switch (options_.metric) {
      case RescoreMetric::kWords:
        judged.tuning.errors.push_back(judged.words[i].errors);
        break;
      case RescoreMetric::kCharacters:
        judged.tuning.errors.push_back(judged.characters[i].errors);
        break;
      case RescoreMetric::kOracle:
        judged.tuning.errors.push_back(judged.words[i].errors > fewest ? 1 : 0);
        break;
    }
  }
  return judged;
}

Combination RescoreReport::tuned_on(std::size_t first, std::size_t last) const {
  std::vector<TuningList> lists;
  for (std::size_t i = first; i < last; ++i) lists.push_back(lists_[i].tuning);
  return tune_combination(lists, tuned_);
}

void RescoreReport::choose() {
  const std::size_t half = (lists_.size() + 1) / 2;
  if (options_.weights == RescoreWeights::kTuned) {
    weights_ = {tuned_on(0, lists_.size())};
  } else if (lists_.size() < 2) {
    throw Error(ErrorCode::kInput, "--split needs two lists at least");
  } else {
    weights_ = {tuned_on(half, lists_.size()), tuned_on(0, half)};
  }
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const Combination& weights = weights_.size() == 2 && i >= half ? weights_[1] : weights_[0];
    chosen_.push_back(best_of(weights, lists_[i].tuning.hypotheses));
  }
}

ErrorChoices RescoreReport::choices(Errors errors) const {
  ErrorChoices result;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const ErrorChoices of_list = choices_of_list(lists_[i].*errors, chosen_[i]);
    result.first.push_back(of_list.first.front());
    result.chosen.push_back(of_list.chosen.front());
    result.oracle.push_back(of_list.oracle.front());
  }
  return result;
}

std::string RescoreReport::tuned_report() {
  choose();
  return error_report({.lists = std::ssize(lists_),
                       .hypotheses = hypotheses_,
                       .references_left = references_left_,
                       .weights = weights_,
                       .tuned = options_.weights == RescoreWeights::kTuned,
                       .with_lambda = tuned_.lambda,
                       .words = choices(&Judged::words),
                       .characters = choices(&Judged::characters)},
                      options_.json);
}

}  // namespace unroll
