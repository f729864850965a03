#include "cli/verbs/rescore_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "cli/streams/quantities.h"
#include "json/json_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

Object object_of(const std::vector<ErrorCount>& utterances) {
  const ErrorCount sum = sum_of(utterances);
  const Interval interval = bootstrap_rate(utterances);
  return {{"errors", sum.errors},
          {"of", sum.of},
          {"rate", error_rate(utterances)},
          {"low", interval.low},
          {"high", interval.high}};
}

Object object_of(const Combination& weights) {
  return {{"lm_weight", weights.lm_weight}, {"word_weight", weights.word_weight}, {"lambda", weights.lambda}};
}

std::string cell(double rate, const Interval& interval, const char* sign) {
  const auto percent = [&](double share) {
    return *sign == '+' ? fmt::format("{:+.2f}", 100 * share) : fmt::format("{:.2f}", 100 * share);
  };
  return fmt::format("{:>7}%  {:>6} to {:>6}", percent(rate), percent(interval.low), percent(interval.high));
}

std::string cell(const std::vector<ErrorCount>& utterances) {
  return cell(error_rate(utterances), bootstrap_rate(utterances), "");
}

}  // namespace

std::string combination_as_flags(const Combination& combination, bool with_lambda) {
  std::string flags = fmt::format("--lm-weight {} --word-weight {}", combination.lm_weight, combination.word_weight);
  if (with_lambda) flags += fmt::format(" --lambda {}", combination.lambda);
  return flags;
}

void RescoreReport::add(const ScoredList& scored, const References& references) {
  const std::string& reference = references.of(scored.list, scored.file);
  if (!ids_.insert(scored.list.id).second) {
    const Hypothesis& first = scored.list.hypotheses.front();
    throw Error(ErrorCode::kInput,
                fmt::format("{}, line {}, column {}: a list '{}' came before in another file: give each list once",
                            scored.file, first.number, first.id_column, scored.list.id));
  }
  references_left_ = references.size() - std::ssize(ids_);
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
  tuned_ = {.lm_weight = scored.has_score() || (!lists_.empty() && tuned_.lm_weight),
            .lambda = scored.has_old_lm() && (lists_.empty() || tuned_.lambda)};
  hypotheses_ += std::ssize(judged.words);
  lists_.push_back(std::move(judged));
}

Combination RescoreReport::tuned_on(std::size_t first, std::size_t last) const {
  std::vector<TuningList> lists;
  for (std::size_t i = first; i < last; ++i) lists.push_back(lists_[i].tuning);
  return tune_combination(lists, tuned_);
}

void RescoreReport::choose() {
  const std::size_t half = (lists_.size() + 1) / 2;
  switch (options_.weights) {
    case RescoreWeights::kGiven:
      weights_ = {options_.given};
      break;
    case RescoreWeights::kTuned:
      weights_ = {tuned_on(0, lists_.size())};
      break;
    case RescoreWeights::kSplit:
      if (lists_.size() < 2) throw Error(ErrorCode::kInput, "--split needs two lists at least");
      weights_ = {tuned_on(half, lists_.size()), tuned_on(0, half)};
      break;
  }
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const Combination& weights = weights_.size() == 2 && i >= half ? weights_[1] : weights_[0];
    chosen_.push_back(best_of(weights, lists_[i].tuning.hypotheses));
  }
}

RescoreReport::Choices RescoreReport::choices(Errors errors) const {
  Choices result;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const std::vector<ErrorCount>& its = lists_[i].*errors;
    result.first.push_back(its.front());
    result.chosen.push_back(its[chosen_[i]]);
    result.oracle.push_back(std::ranges::min(its, {}, &ErrorCount::errors));
  }
  return result;
}

void RescoreReport::print(Output& out) {
  choose();
  const Choices words = choices(&Judged::words);
  if (std::ranges::all_of(words.first, [](const ErrorCount& one) { return one.of == 0; })) {
    throw Error(ErrorCode::kInput, "the references of these lists hold no word, so there is no error rate");
  }
  const Choices characters = choices(&Judged::characters);
  out.write(options_.json ? as_json(words, characters) : as_table(words, characters));
}

std::string RescoreReport::as_table(const Choices& words, const Choices& characters) const {
  std::string text = fmt::format("# {} lists, {} hypotheses; 95% intervals over lists drawn anew\n",
                                 grouped(std::ssize(lists_)), grouped(hypotheses_));
  if (references_left_ > 0) text += fmt::format("# {} references have no list\n", grouped(references_left_));
  const auto flags = [&](std::size_t i) { return combination_as_flags(weights_[i], tuned_.lambda); };
  if (options_.weights == RescoreWeights::kSplit) {
    text += fmt::format("# first half of the lists with what was tuned on the second: {}\n", flags(0));
    text += fmt::format("# second half with what was tuned on the first: {}\n", flags(1));
  }
  text +=
      fmt::format("{:<13}  {:>8}  {:>16}  {:>10}  {:>16}\n", "", "words", "95% interval", "characters", "95% interval");
  const auto row = [&](std::string_view name, const std::string& left, const std::string& right) {
    text += fmt::format("{:<13}  {}    {}\n", name, left, right);
  };
  const auto difference = [](const Choices& both) {
    return cell(error_rate(both.chosen) - error_rate(both.first), bootstrap_difference(both.chosen, both.first), "+");
  };
  row("first choice", cell(words.first), cell(characters.first));
  row("rescored", cell(words.chosen), cell(characters.chosen));
  row("difference", difference(words), difference(characters));
  row("oracle", cell(words.oracle), cell(characters.oracle));
  if (options_.weights == RescoreWeights::kTuned) {
    text += fmt::format("flags: {}\n", flags(0));
    text += "# tuned on these lists themselves: --split, or other lists, tell what they are worth\n";
  }
  return text;
}

std::string RescoreReport::as_json(const Choices& words, const Choices& characters) const {
  Object object{{"lists", lists_.size()},
                {"hypotheses", hypotheses_},
                {"references_without_list", references_left_},
                {"interval", "95%, bootstrap over lists"}};
  object["weights"] = Object::array();
  for (const Combination& weights : weights_) object["weights"].push_back(object_of(weights));
  if (options_.weights == RescoreWeights::kTuned) object["flags"] = combination_as_flags(weights_[0], tuned_.lambda);
  const auto put = [&](const char* name, const Choices& choices) {
    const Interval interval = bootstrap_difference(choices.chosen, choices.first);
    object[name] = {{"first", object_of(choices.first)},
                    {"rescored", object_of(choices.chosen)},
                    {"difference",
                     {{"rate", error_rate(choices.chosen) - error_rate(choices.first)},
                      {"low", interval.low},
                      {"high", interval.high}}},
                    {"oracle", object_of(choices.oracle)}};
  };
  put("words", words);
  put("characters", characters);
  return json_line(object);
}

}  // namespace unroll
