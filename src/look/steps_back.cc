#include "look/steps_back.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "look/through_h.h"
#include "network/recurrent_cells.h"

namespace unroll {
namespace {

// to.row(b + first) = from.row(steps[b] + after) for all rows; nothing for a buffer that a cell does not have.
void gather_rows(MatView<const float> from, std::span<const std::int64_t> steps, std::int64_t after, std::int64_t first,
                 MatView<float> to) {
  if (from.data == nullptr || from.cols == 0) return;
  for (std::size_t b = 0; b < steps.size(); ++b) {
    std::copy_n(from.row(steps[b] + after), from.cols, to.row(first + static_cast<std::int64_t>(b)));
  }
}

void gather_norm(const NormTape& from, std::span<const std::int64_t> steps, const NormTape& to) {
  gather_rows(from.normalized, steps, 0, 0, to.normalized);
  gather_rows(from.inverse, steps, 0, 0, to.inverse);
}

void add_rows_to(MatView<const float> x, MatView<float> y) {
  for (std::int64_t b = 0; b < x.rows; ++b) {
    for (std::int64_t j = 0; j < x.cols; ++j) y(b, j) += x(b, j);
  }
}

double sum_of_squares(MatView<const float> x, std::int64_t row) {
  double sum = 0;
  for (std::int64_t j = 0; x.data != nullptr && j < x.cols; ++j) {
    sum += static_cast<double>(x(row, j)) * static_cast<double>(x(row, j));
  }
  return sum;
}

void scale_row(MatView<float> x, std::int64_t row, int exponent) {
  for (std::int64_t j = 0; x.data != nullptr && j < x.cols; ++j) x(row, j) = std::ldexp(x(row, j), exponent);
}

}  // namespace

StepsBack::StepsBack(UnrolledText::Data& text, std::int64_t rows)
    : text_(text),
      rows_(rows),
      shape_{.config = text.config(), .regularization = {}, .purpose = Purpose::kTraining, .T = 1, .B = rows},
      memory_(Activations::planned_floats(shape_)),
      planned_(shape_, memory_.data()),
      unused_(text.config(), 1),
      carried_(text.config(), rows),
      layers_(static_cast<std::size_t>(text.config().layers)),
      reset_(static_cast<std::size_t>(rows)),
      exponents_(static_cast<std::size_t>(rows)) {
  expect_predictions(text);
  const std::int64_t H = text.config().hidden;
  for (std::int64_t l = 0; l < text.config().layers; ++l) {
    Layer& layer = layers_[static_cast<std::size_t>(l)];
    const auto take = [&](std::int64_t columns) {
      layer.memory.emplace_back(rows * columns);
      std::ranges::fill(layer.memory.back().span(), 0.0F);
      return MatView<float>(layer.memory.back().data(), rows, columns);
    };
    const std::int64_t inputs = level_inputs(text.config(), l);
    layer.x = take(inputs);
    layer.dx = take(inputs);
    layer.h = take(H);
    layer.tape = planned_.levels.tapes[static_cast<std::size_t>(l)];
    layer.tape.x = layer.x;
    layer.tape.reset = reset_;
    if (!has_cell_state(text.config().cell)) continue;
    layer.c = take(H);
    layer.through_h = take(H);
  }
}

void StepsBack::gather(std::int64_t l, std::span<const std::int64_t> steps) {
  const RecurrentTape& from = text_.tape(l);
  Layer& layer = layers_[static_cast<std::size_t>(l)];
  gather_rows(from.x, steps, 0, 0, layer.x);
  gather_rows(from.gates, steps, 0, 0, layer.tape.gates);
  gather_rows(from.candidate, steps, 0, 0, layer.tape.candidate);
  for (const std::int64_t after : {0, 1}) {
    gather_rows(from.h, steps, after, after * rows_, layer.tape.h);
    gather_rows(from.c, steps, after, after * rows_, layer.tape.c);
  }
  gather_norm(from.norm.input, steps, layer.tape.norm.input);
  gather_norm(from.norm.hidden, steps, layer.tape.norm.hidden);
  gather_norm(from.norm.cell, steps, layer.tape.norm.cell);
}

void StepsBack::set_through_h(std::int64_t l) {
  const Layer& layer = layers_[static_cast<std::size_t>(l)];
  const RecurrentWeights& weights = text_.weights.layers()[static_cast<std::size_t>(l)];
  const auto H = static_cast<std::size_t>(text_.config().hidden);
  for (std::int64_t b = 0; b < rows_; ++b) {
    const std::vector<double> d = gradient_through_h(weights, layer.tape, b, {layer.h.row(b), H});
    std::ranges::transform(d, layer.through_h.row(b), [](double value) { return static_cast<float>(value); });
  }
}

void StepsBack::back(std::span<const std::int64_t> steps, MatView<const float> dtop) {
  assert(std::ssize(steps) == rows_ && dtop.rows == rows_);
  for (std::size_t b = 0; b < steps.size(); ++b) reset_[b] = text_.begins(steps[b]) && steps[b] > 0 ? 1 : 0;
  const NetworkConfig& config = text_.config();
  MatView<const float> dy = dtop;
  for (std::int64_t l = config.layers - 1; l >= 0; --l) {
    Layer& layer = layers_[static_cast<std::size_t>(l)];
    gather(l, steps);
    const RecurrentState<float> state = carried_.layer(l);
    std::ranges::copy(state.h.flat(), layer.h.data);
    add_rows_to(dy, layer.h);
    if (state.c.data != nullptr) {
      std::ranges::copy(state.c.flat(), layer.c.data);
      set_through_h(l);
    }
    const RecurrentGradientState dstate{.dh = state.h, .dc = state.c, .scratch = planned_.levels.dh_products};
    recurrent_backward(config.cell, text_.workers, {1, rows_, layer.x.cols, config.hidden},
                       text_.weights.layers()[static_cast<std::size_t>(l)], layer.tape, dy,
                       unused_.matrices().layers[static_cast<std::size_t>(l)], dstate, layer.dx);
    if (config.residual && l > 0) add_rows_to(dy, layer.dx);
    dy = layer.dx;
  }
}

void StepsBack::rescale() {
  constexpr int kFar = 24;
  for (std::int64_t b = 0; b < rows_; ++b) {
    double sum = 0;
    for (std::int64_t l = 0; l < text_.config().layers; ++l) {
      sum += sum_of_squares(carried_.layer(l).h, b) + sum_of_squares(carried_.layer(l).c, b);
    }
    if (sum == 0 || !std::isfinite(sum)) continue;
    const int exponent = std::ilogb(sum) / 2;
    if (std::abs(exponent) < kFar) continue;
    for (std::int64_t l = 0; l < text_.config().layers; ++l) {
      scale_row(carried_.layer(l).h, b, -exponent);
      scale_row(carried_.layer(l).c, b, -exponent);
    }
    exponents_[static_cast<std::size_t>(b)] += exponent;
  }
}

}  // namespace unroll
