// How far gradients reach: their norms by lag, over many predictions of a text.
//
//   const unroll::GradientFlow flow = unroll::gradient_flow(text, {.lags = 100});
//   const unroll::FlowLine& state = flow.lines.front();
//   std::cout << state.per_step << " per step\n";
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "unroll/look/unrolled_text.h"

namespace unroll {

struct GradientFlowOptions {
  std::int64_t lags = 100;              // the longest; at least 1
  std::int64_t positions = 64;          // predictions at most; at least 1
  std::optional<std::int64_t> at = {};  // the prediction at this step alone
};

// What a gradient is taken with respect to (unroll/look/state_gradients.h).
enum class FlowOf {
  kState,       // s of all layers: what one step hands to the next
  kLayerState,  // (h, c) of a layer with a cell state
  kHidden,      // h of a layer
  kCell,        // c of a layer: c + through_h
  kInput,       // x, what enters the first layer
};

// ||dL_t/ds_{t-k}|| / ||dL_t/ds_t|| at one lag k, over the predictions t that have a step k before them.
struct FlowAtLag {
  std::int64_t lag = 0;
  std::int64_t count = 0;  // predictions
  double lower = 0;        // quartiles, by linear interpolation
  double median = 0;
  double upper = 0;
};

struct FlowLine {
  FlowOf of = FlowOf::kState;
  std::int64_t layer = 0;            // of a layer: from 0
  double norm = 0;                   // median of ||dL_t/ds_t||, of which the ratios are shares
  std::vector<FlowAtLag> lags = {};  // from 0, as far as any prediction has
  // exp of the slope of the line of least squares through ln median by lag, over the lags whose median is above zero;
  // NaN with fewer than two of these.
  double per_step = 0;

  // The lag at which the median first comes down to `share`, interpolated in ln between lags; nothing where it stays
  // above.
  [[nodiscard]] std::optional<double> reaches(double share) const;
};

struct GradientFlow {
  std::int64_t predictions = 0;      // that were looked at
  std::vector<FlowLine> lines = {};  // kState, of each layer kHidden, kCell, kLayerState (the last two with c), kInput
};

// The steps that are looked at: `at`, or at most `positions`, evenly spaced among the predictions with `lags` steps
// before them since the beginning of the text or line; where a text has too few of these, among those with the most
// steps before them. Increasing.
[[nodiscard]] std::vector<std::int64_t> flow_positions(const UnrolledText& text, const GradientFlowOptions& options);

// The measurement in pieces. Not at the same time as anything else that uses the same UnrolledText, which must outlive
// it.
class GradientFlowRun {
 public:
  // Throws Error{kUsage} for options out of range and for a step `at` that predicts nothing, Error{kInput} for a text
  // without a prediction.
  explicit GradientFlowRun(const UnrolledText& text, const GradientFlowOptions& options = {});
  ~GradientFlowRun();
  GradientFlowRun(GradientFlowRun&&) noexcept;
  GradientFlowRun& operator=(GradientFlowRun&&) noexcept;

  // Measures one lag more; false when there is none.
  bool step();

  // Of the lags so far.
  [[nodiscard]] GradientFlow flow() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All steps of it.
[[nodiscard]] GradientFlow gradient_flow(const UnrolledText& text, const GradientFlowOptions& options = {});

}  // namespace unroll
