#include "unroll/look/gradient_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <span>
#include <utility>

#include "look/flow_summary.h"
#include "look/unrolled_data.h"
#include "unroll/error.h"
#include "unroll/look/state_gradients.h"

namespace unroll {
namespace {

constexpr double kGone = -std::numeric_limits<double>::infinity();

// Steps before each step since the text or its line began; -1 where nothing is predicted.
std::vector<std::int64_t> depths_of(const UnrolledText& text) {
  std::vector<std::int64_t> depths;
  std::int64_t depth = 0;
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    depth = text.begins(t) ? 0 : depth + 1;
    depths.push_back(text.target(t) < 0 ? -1 : depth);
  }
  return depths;
}

// The depth that is asked for: as many steps as lags, or as few as leave enough predictions.
std::int64_t depth_for(const std::vector<std::int64_t>& depths, const GradientFlowOptions& options) {
  std::vector<std::int64_t> falling = depths;
  std::ranges::sort(falling, std::ranges::greater());
  const auto predictions = std::ranges::count_if(depths, [](std::int64_t depth) { return depth >= 0; });
  if (predictions == 0) throw Error(ErrorCode::kInput, "the text predicts nothing: give one of two symbols or more");
  const auto last = static_cast<std::size_t>(std::min<std::int64_t>(options.positions, predictions) - 1);
  return std::min(options.lags, falling[last]);
}

// The step `at`, which must predict something.
std::int64_t expect_prediction(std::int64_t at, const std::vector<std::int64_t>& depths) {
  if (at < 0 || at >= std::ssize(depths)) {
    throw Error(ErrorCode::kUsage, fmt::format("`at` is {}: the text has the steps 0 to {}", at, depths.size() - 1),
                "at");
  }
  if (depths[static_cast<std::size_t>(at)] < 0) {
    throw Error(ErrorCode::kUsage, fmt::format("`at` is {}: that step predicts no symbol", at), "at");
  }
  return at;
}

double ln_norm(std::span<const float> a, std::span<const float> b, int exponent) {
  double sum = 0;
  for (const float value : a) sum += static_cast<double>(value) * static_cast<double>(value);
  for (const float value : b) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::log(sum) / 2 + exponent * std::numbers::ln2;
}

double ln_norm_of_sum(std::span<const float> a, std::span<const float> b, int exponent) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += std::pow(static_cast<double>(a[j]) + static_cast<double>(b[j]), 2);
  return std::log(sum) / 2 + exponent * std::numbers::ln2;
}

double median_norm(std::vector<double> ln_norms) {
  for (double& norm : ln_norms) norm = std::exp(norm);
  return median_of_flow(std::move(ln_norms));
}

std::vector<FlowLine> lines_of(const NetworkConfig& config) {
  std::vector<FlowLine> lines(1);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    lines.push_back({.of = FlowOf::kHidden, .layer = l});
    if (!has_cell_state(config.cell)) continue;
    lines.push_back({.of = FlowOf::kCell, .layer = l});
    lines.push_back({.of = FlowOf::kLayerState, .layer = l});
  }
  lines.push_back({.of = FlowOf::kInput});
  return lines;
}

std::vector<ChosenPrediction> predictions_at(const std::vector<std::int64_t>& steps) {
  std::vector<ChosenPrediction> predictions;
  for (const std::int64_t step : steps) predictions.push_back({.step = step});
  return predictions;
}

}  // namespace

std::optional<double> FlowLine::reaches(double share) const {
  for (std::size_t i = 0; i < lags.size(); ++i) {
    if (lags[i].median > share) continue;
    if (i == 0 || !(lags[i].median > 0)) return static_cast<double>(lags[i].lag);
    const double before = std::log(lags[i - 1].median);
    const double after = std::log(lags[i].median);
    return static_cast<double>(lags[i - 1].lag) + (before - std::log(share)) / (before - after);
  }
  return std::nullopt;
}

std::vector<std::int64_t> flow_positions(const UnrolledText& text, const GradientFlowOptions& options) {
  expect_predictions(text.data());
  expect_flow_options(options);
  const std::vector<std::int64_t> depths = depths_of(text);
  const std::int64_t least = depth_for(depths, options);
  if (options.at) return {expect_prediction(*options.at, depths)};
  std::vector<std::int64_t> candidates;
  for (std::size_t t = 0; t < depths.size(); ++t) {
    if (depths[t] >= least) candidates.push_back(static_cast<std::int64_t>(t));
  }
  const auto count = std::min(std::ssize(candidates), options.positions);
  std::vector<std::int64_t> steps;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place =
        count == 1 ? candidates.size() - 1
                   : (candidates.size() - 1) * static_cast<std::size_t>(i) / static_cast<std::size_t>(count - 1);
    steps.push_back(candidates[place]);
  }
  return steps;
}

struct GradientFlowRun::Impl {
  Impl(const UnrolledText& text, const GradientFlowOptions& the_options)
      : options(the_options),
        steps(flow_positions(text, options)),
        gradients(text, predictions_at(steps)),
        lines(lines_of(text.model().config())),
        ln_at_zero(lines.size(), std::vector<double>(steps.size(), kGone)) {}

  [[nodiscard]] double ln_norm_of(const FlowLine& line, std::int64_t i) const {
    const std::int64_t l = line.layer;
    const int exponent = gradients.exponent(i);
    switch (line.of) {
      case FlowOf::kState:
        return gradients.ln_carried_norm(i);
      case FlowOf::kLayerState:
        return ln_norm(gradients.h(l, i), gradients.c(l, i), exponent);
      case FlowOf::kHidden:
        return ln_norm(gradients.h(l, i), {}, exponent);
      case FlowOf::kCell:
        return ln_norm_of_sum(gradients.c(l, i), gradients.through_h(l, i), exponent);
      case FlowOf::kInput:
        return ln_norm(gradients.x(i), {}, exponent);
    }
    return kGone;
  }

  bool step() {
    if (gradients.lag() >= options.lags || !gradients.next()) return false;
    for (std::size_t n = 0; n < lines.size(); ++n) {
      std::vector<double> ratios;
      for (std::int64_t i = 0; i < std::ssize(steps); ++i) {
        if (!gradients.has(i)) continue;
        const double ln = ln_norm_of(lines[n], i);
        double& zero = ln_at_zero[n][static_cast<std::size_t>(i)];
        if (gradients.lag() == 0) zero = ln;
        if (zero != kGone) ratios.push_back(std::exp(ln - zero));
      }
      if (gradients.lag() == 0) lines[n].norm = median_norm(ln_at_zero[n]);
      if (!ratios.empty()) lines[n].lags.push_back(summary_of_flow(gradients.lag(), std::move(ratios)));
    }
    return true;
  }

  GradientFlowOptions options;
  std::vector<std::int64_t> steps;
  StateGradients gradients;
  std::vector<FlowLine> lines;
  std::vector<std::vector<double>> ln_at_zero;  // of each line, of each prediction
};

GradientFlowRun::GradientFlowRun(const UnrolledText& text, const GradientFlowOptions& options)
    : impl_(std::make_unique<Impl>(text, options)) {}
GradientFlowRun::~GradientFlowRun() = default;
GradientFlowRun::GradientFlowRun(GradientFlowRun&&) noexcept = default;
GradientFlowRun& GradientFlowRun::operator=(GradientFlowRun&&) noexcept = default;

bool GradientFlowRun::step() { return impl_->step(); }

GradientFlow GradientFlowRun::flow() const {
  GradientFlow flow{.predictions = std::ssize(impl_->steps), .lines = impl_->lines};
  for (FlowLine& line : flow.lines) line.per_step = per_step_of_flow(line.lags);
  return flow;
}

GradientFlow gradient_flow(const UnrolledText& text, const GradientFlowOptions& options) {
  GradientFlowRun run(text, options);
  while (run.step()) {
  }
  return run.flow();
}

}  // namespace unroll
