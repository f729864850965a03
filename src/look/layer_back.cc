#include "look/layer_back.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "look/through_h.h"
#include "network/recurrent_cells.h"

namespace unroll {
namespace {

ActivationShape shape_of_step(const NetworkConfig& config) {
  return {.config = config, .regularization = {}, .purpose = Purpose::kTraining, .T = 1, .B = 1};
}

void copy_rows(MatView<const float> from, std::int64_t first, std::int64_t count, MatView<float> to) {
  if (from.data == nullptr || from.cols == 0) return;
  std::ranges::copy(from.row_range(first, count).flat(), to.data);
}

void copy_norm_row(const NormTape& from, std::int64_t row, const NormTape& to) {
  copy_rows(from.normalized, row, 1, to.normalized);
  copy_rows(from.inverse, row, 1, to.inverse);
}

double largest_of(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

void scale_down(std::span<const double> from, int exponent, std::span<float> to) {
  for (std::size_t j = 0; j < from.size(); ++j) to[j] = static_cast<float>(std::ldexp(from[j], -exponent));
}

void scale_up(std::span<const float> from, int exponent, std::span<double> to) {
  for (std::size_t j = 0; j < to.size(); ++j) to[j] = std::ldexp(static_cast<double>(from[j]), exponent);
}

}  // namespace

LayerBack::LayerBack(UnrolledText::Data& text, std::int64_t layer)
    : text_(text),
      layer_(layer),
      memory_(Activations::planned_floats(shape_of_step(text.config()))),
      planned_(shape_of_step(text.config()), memory_.data()),
      unused_(text.config(), 1),
      tape_(planned_.levels.tapes[static_cast<std::size_t>(layer)]),
      reset_(1),
      dx_(text.tape(layer).x.cols),
      dy_(text.config().hidden),
      carried_h_(static_cast<std::size_t>(text.config().hidden)),
      carried_c_(has_cell_state(text.config().cell) ? carried_h_.size() : 0),
      x_(static_cast<std::size_t>(dx_.size())),
      h_(carried_h_.size()),
      c_(carried_c_.size()) {
  tape_.reset = reset_;
}

void LayerBack::set_carried(std::int64_t unit, double value) {
  (carried_c_.empty() ? carried_h_ : carried_c_).at(static_cast<std::size_t>(unit)) = value;
}

double LayerBack::carried(std::int64_t unit) const {
  return (carried_c_.empty() ? carried_h_ : carried_c_).at(static_cast<std::size_t>(unit));
}

void LayerBack::copy_row(std::int64_t row) {
  const RecurrentTape& from = whole();
  tape_.x = from.x.row_range(row, 1);
  copy_rows(from.gates, row, 1, tape_.gates);
  copy_rows(from.candidate, row, 1, tape_.candidate);
  copy_rows(from.h, row, 2, tape_.h);
  copy_rows(from.c, row, 2, tape_.c);
  copy_norm_row(from.norm.input, row, tape_.norm.input);
  copy_norm_row(from.norm.hidden, row, tape_.norm.hidden);
  copy_norm_row(from.norm.cell, row, tape_.norm.cell);
  reset_[0] = begins(row) && row > 0 ? 1 : 0;
}

void LayerBack::back(std::int64_t row, std::span<const double> dy) {
  const NetworkConfig& config = text_.config();
  const RecurrentWeights& weights = text_.weights.layers()[static_cast<std::size_t>(layer_)];
  copy_row(row);
  std::ranges::copy(carried_h_, h_.begin());
  for (std::size_t j = 0; j < dy.size(); ++j) h_[j] += dy[j];
  const double largest = std::max({largest_of(carried_h_), largest_of(carried_c_), largest_of(dy)});
  const int exponent = largest > 0 && std::isfinite(largest) ? std::ilogb(largest) : 0;
  const RecurrentGradientState dstate{
      .dh = planned_.levels.dh, .dc = planned_.levels.dc, .scratch = planned_.levels.dh_products};
  if (!carried_c_.empty()) {
    scale_down(h_, exponent, dy_.span());
    c_ = gradient_through_h(weights, tape_, 0, dy_.span());
    for (std::size_t j = 0; j < c_.size(); ++j) c_[j] = std::ldexp(c_[j], exponent) + carried_c_[j];
    scale_down(carried_c_, exponent, dstate.dc.flat());
  }
  scale_down(carried_h_, exponent, dstate.dh.flat());
  std::ranges::fill(dy_.span(), 0.0F);
  scale_down(dy, exponent, dy_.span());
  recurrent_backward(config.cell, text_.workers, {1, 1, tape_.x.cols, config.hidden}, weights, tape_,
                     MatView<const float>(dy_.data(), 1, config.hidden),
                     unused_.matrices().layers[static_cast<std::size_t>(layer_)], dstate,
                     MatView<float>(dx_.data(), 1, tape_.x.cols));
  scale_up(dstate.dh.flat(), exponent, carried_h_);
  if (!carried_c_.empty()) scale_up(dstate.dc.flat(), exponent, carried_c_);
  scale_up(dx_.span(), exponent, x_);
}

}  // namespace unroll
