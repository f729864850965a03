#include "cli/shards/error_totals.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

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

std::string error_table(const ErrorReport& report) {
  std::string text = fmt::format("# {} lists, {} hypotheses; 95% intervals over lists drawn anew\n",
                                 grouped(report.lists), grouped(report.hypotheses));
  if (report.references_left > 0) {
    text += fmt::format("# {} references have no list\n", grouped(report.references_left));
  }
  const auto flags = [&](std::size_t i) { return combination_as_flags(report.weights[i], report.with_lambda); };
  if (report.weights.size() == 2) {
    text += fmt::format("# first half of the lists with what was tuned on the second: {}\n", flags(0));
    text += fmt::format("# second half with what was tuned on the first: {}\n", flags(1));
  }
  text +=
      fmt::format("{:<13}  {:>8}  {:>16}  {:>10}  {:>16}\n", "", "words", "95% interval", "characters", "95% interval");
  const auto row = [&](std::string_view name, const std::string& left, const std::string& right) {
    text += fmt::format("{:<13}  {}    {}\n", name, left, right);
  };
  const auto difference = [](const ErrorChoices& both) {
    return cell(error_rate(both.chosen) - error_rate(both.first), bootstrap_difference(both.chosen, both.first), "+");
  };
  row("first choice", cell(report.words.first), cell(report.characters.first));
  row("rescored", cell(report.words.chosen), cell(report.characters.chosen));
  row("difference", difference(report.words), difference(report.characters));
  row("oracle", cell(report.words.oracle), cell(report.characters.oracle));
  if (report.tuned) {
    text += fmt::format("flags: {}\n", flags(0));
    text += "# tuned on these lists themselves: --split, or other lists, tell what they are worth\n";
  }
  return text;
}

std::string error_json(const ErrorReport& report) {
  Object object{{"lists", report.lists},
                {"hypotheses", report.hypotheses},
                {"references_without_list", report.references_left},
                {"interval", "95%, bootstrap over lists"}};
  object["weights"] = Object::array();
  for (const Combination& weights : report.weights) object["weights"].push_back(object_of(weights));
  if (report.tuned) object["flags"] = combination_as_flags(report.weights[0], report.with_lambda);
  const auto put = [&](const char* name, const ErrorChoices& choices) {
    const Interval interval = bootstrap_difference(choices.chosen, choices.first);
    object[name] = {{"first", object_of(choices.first)},
                    {"rescored", object_of(choices.chosen)},
                    {"difference",
                     {{"rate", error_rate(choices.chosen) - error_rate(choices.first)},
                      {"low", interval.low},
                      {"high", interval.high}}},
                    {"oracle", object_of(choices.oracle)}};
  };
  put("words", report.words);
  put("characters", report.characters);
  return json_line(object);
}

void append_list(const ErrorChoices& list, std::vector<std::int64_t>& counts) {
  for (const ErrorCount& count : {list.first.front(), list.chosen.front(), list.oracle.front()}) {
    counts.push_back(count.errors);
    counts.push_back(count.of);
  }
}

// From six numbers, as append_list() wrote them.
void add_list(const std::int64_t* counts, ErrorChoices& choices) {
  choices.first.push_back({.errors = counts[0], .of = counts[1]});
  choices.chosen.push_back({.errors = counts[2], .of = counts[3]});
  choices.oracle.push_back({.errors = counts[4], .of = counts[5]});
}

class ErrorTotals final : public UnitTotals {
 public:
  explicit ErrorTotals(const Object& parameters) {
    const Object& weights = parameters.at("weights");
    report_.weights = {{.lm_weight = weights.at("lm_weight"),
                        .word_weight = weights.at("word_weight"),
                        .lambda = weights.at("lambda")}};
    report_.references_left = parameters.at("references");
  }

  void add(const UnitSums& unit) override {
    expect_sums(unit, 0, 13);
    ++report_.lists;
    --report_.references_left;
    report_.hypotheses += unit.counts[0];
    add_list(&unit.counts[1], report_.words);
    add_list(&unit.counts[7], report_.characters);
  }

  [[nodiscard]] std::string tail(bool json) const override { return error_report(report_, json); }
  [[nodiscard]] std::string report(bool) const override { return ""; }

 private:
  ErrorReport report_;
};

}  // namespace

std::string error_report(const ErrorReport& report, bool json) {
  if (std::ranges::all_of(report.words.first, [](const ErrorCount& one) { return one.of == 0; })) {
    throw Error(ErrorCode::kInput, "the references of these lists hold no word, so there is no error rate");
  }
  return json ? error_json(report) : error_table(report);
}

std::string combination_as_flags(const Combination& combination, bool with_lambda) {
  std::string flags = fmt::format("--lm-weight {} --word-weight {}", combination.lm_weight, combination.word_weight);
  if (with_lambda) flags += fmt::format(" --lambda {}", combination.lambda);
  return flags;
}

std::string error_parameters(const Combination& weights, std::int64_t references) {
  return Object{{"weights", object_of(weights)}, {"references", references}}.dump();
}

UnitSums sums_of_list(std::int64_t hypotheses, const ErrorChoices& words, const ErrorChoices& characters) {
  UnitSums sums{.counts = {hypotheses}};
  append_list(words, sums.counts);
  append_list(characters, sums.counts);
  return sums;
}

std::unique_ptr<UnitTotals> error_totals(const std::string& parameters) {
  return std::make_unique<ErrorTotals>(Object::parse(parameters));
}

}  // namespace unroll
