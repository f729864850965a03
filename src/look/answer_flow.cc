#include "unroll/look/answer_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "look/flow_summary.h"
#include "look/unrolled_data.h"
#include "unroll/error.h"
#include "unroll/look/answer_gradients.h"

namespace unroll {
namespace {

// An answer, and the step at which it is given.
struct PlacedAnswer {
  AskedAnswer answer;
  std::int64_t step = 0;
};

std::vector<PlacedAnswer> answers_in(const UnrolledText& text) {
  const bool per_word = text.model().config().readout == Readout::kSteps;
  std::vector<PlacedAnswer> all;
  for (std::int64_t r = 0; r < std::ssize(text.texts()); ++r) {
    const TextOfSteps& one = text.texts()[static_cast<std::size_t>(r)];
    for (std::int64_t word = 0; word < (per_word ? one.steps : 1); ++word) {
      all.push_back({.answer = {.text = r, .word = word}, .step = one.first + (per_word ? word : one.steps - 1)});
    }
  }
  return all;
}

std::vector<PlacedAnswer> asked_answers(const UnrolledText& text, const GradientFlowOptions& options) {
  std::vector<PlacedAnswer> all = answers_in(text);
  if (options.at) {
    if (*options.at < 0 || *options.at >= text.steps()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("`at` is {}: the text has the steps 0 to {}", *options.at, text.steps() - 1), "at");
    }
    return {*std::ranges::find_if(all, [&](const PlacedAnswer& one) { return one.step >= *options.at; })};
  }
  const auto count = std::min(std::ssize(all), options.positions);
  std::vector<PlacedAnswer> some;
  for (std::int64_t i = 0; i < count; ++i) {
    some.push_back(
        all[count == 1 ? all.size() - 1
                       : (all.size() - 1) * static_cast<std::size_t>(i) / static_cast<std::size_t>(count - 1)]);
  }
  return some;
}

std::span<const double> gradient_of(const AnswerGradients& back, const FlowLine& line, std::int64_t t) {
  if (line.of == FlowOf::kInput) return back.x(t);
  return line.of == FlowOf::kCell ? back.c(line.layer, t) : back.h(line.layer, t);
}

// What is collected of one line: a number for each answer.
struct CollectedLine {
  FlowLine line;
  std::vector<double> largest = {};
  std::vector<std::vector<double>> ratios = {};  // by lag

  void add(const AnswerGradients& back, std::int64_t step, std::int64_t lags) {
    double most = 0;
    for (std::int64_t t = back.first(); t < back.end(); ++t) most = std::max(most, norm(gradient_of(back, line, t)));
    if (!(most > 0)) return;
    largest.push_back(most);
    for (std::int64_t lag = 0; lag <= std::min(lags, step - back.first()); ++lag) {
      if (std::ssize(ratios) <= lag) ratios.emplace_back();
      ratios[static_cast<std::size_t>(lag)].push_back(norm(gradient_of(back, line, step - lag)) / most);
    }
  }

  [[nodiscard]] FlowLine summary() const {
    FlowLine summed = line;
    if (!largest.empty()) summed.norm = median_of_flow(largest);
    for (std::size_t lag = 0; lag < ratios.size(); ++lag) {
      summed.lags.push_back(summary_of_flow(static_cast<std::int64_t>(lag), ratios[lag]));
    }
    summed.per_step = per_step_of_flow(summed.lags);
    return summed;
  }
};

std::vector<CollectedLine> lines_to_collect(const UnrolledText& text) {
  std::vector<CollectedLine> lines(1);
  lines.front().line.of = FlowOf::kInput;
  for (std::int64_t l = 0; l < text.layers(); ++l) {
    lines.push_back({.line = {.of = FlowOf::kHidden, .layer = l}});
    if (has_cell_state(text.model().config().cell)) lines.push_back({.line = {.of = FlowOf::kCell, .layer = l}});
  }
  return lines;
}

}  // namespace

AnswerFlow answer_flow(const UnrolledText& text, const GradientFlowOptions& options) {
  expect_flow_options(options);
  AnswerGradients back(text);
  std::vector<CollectedLine> lines = lines_to_collect(text);
  std::vector<double> first;
  std::vector<double> shares;
  const std::vector<PlacedAnswer> answers = asked_answers(text, options);
  for (const PlacedAnswer& one : answers) {
    back.take(one.answer);
    for (CollectedLine& line : lines) line.add(back, one.step, options.lags);
    double most = 0;
    double sum = 0;
    for (std::int64_t t = back.first(); t < back.end(); ++t) {
      most = std::max(most, norm(back.x(t)));
      sum += norm(back.x(t));
    }
    if (!(most > 0)) continue;
    first.push_back(norm(back.x(back.first())) / most);
    shares.push_back(norm(back.x(back.first())) / sum);
  }
  AnswerFlow flow{.flow = {.predictions = std::ssize(answers), .lines = {}}};
  for (const CollectedLine& line : lines) flow.flow.lines.push_back(line.summary());
  if (first.empty()) return flow;
  flow.first_word = median_of_flow(std::move(first));
  flow.first_word_share = median_of_flow(std::move(shares));
  return flow;
}

}  // namespace unroll
