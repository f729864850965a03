#include "unroll/exchange/answers_saved.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "exchange/stored_model.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

void check_rule(const AnswerRule& rule, std::size_t K) {
  const bool fits = rule.thresholds.size() == K && rule.factors.size() == K &&
                    std::ranges::all_of(rule.thresholds, [](double t) { return t >= 0 && t <= 1; }) &&
                    std::ranges::all_of(rule.factors, [](double f) { return std::isfinite(f) && f > 0; });
  if (fits) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("a rule for answers has {} thresholds and {} factors: expected {} of each, thresholds from 0 "
                          "to 1 and finite factors above 0",
                          rule.thresholds.size(), rule.factors.size(), K));
}

// Numbers to be stored: none where all are the usual one, unless they were there.
std::vector<double> stored(const std::vector<double>& before, const std::vector<double>& numbers, double usual) {
  const bool is_usual = std::ranges::all_of(numbers, [&](double number) { return number == usual; });
  return is_usual && before.empty() ? std::vector<double>() : numbers;
}

}  // namespace

void save_with_rule(const Model& model, const AnswerRule& rule, const std::string& path) {
  expect_task(model, TaskKind::kClassify);
  const Model::Data& data = model.data();
  ModelUse use = data.use;
  check_rule(rule, use.task.labels.size());
  use.task.thresholds = stored(use.task.thresholds, rule.thresholds, use.task.multi_label ? 0.5 : 0);
  if (!use.task.multi_label) use.task.factors = stored(use.task.factors, rule.factors, 1);
  save_stored(data, use, path);
}

}  // namespace unroll
