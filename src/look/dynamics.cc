#include "unroll/look/dynamics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include "look/layer_back.h"
#include "look/spectra.h"
#include "look/steps_back.h"
#include "look/unrolled_data.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// The parts of the state in order: h and c of every layer, (rows, H) each.
std::vector<MatView<float>> state_parts(const StepsBack& back, const NetworkConfig& config) {
  std::vector<MatView<float>> parts;
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const RecurrentState<float> state = back.carried(l);
    parts.push_back(state.h);
    if (state.c.data != nullptr) parts.push_back(state.c);
  }
  return parts;
}

std::int64_t state_numbers(const NetworkConfig& config) {
  return config.layers * config.hidden * (has_cell_state(config.cell) ? 2 : 1);
}

// Row i of the Jacobian is what the gradient of number i becomes one step before.
SquareMatrix jacobian_of(UnrolledText::Data& text, std::int64_t step) {
  const std::int64_t S = state_numbers(text.config());
  const std::int64_t H = text.config().hidden;
  StepsBack back(text, S);
  for (std::int64_t i = 0; i < S; ++i) state_parts(back, text.config())[static_cast<std::size_t>(i / H)](i, i % H) = 1;
  const std::vector<std::int64_t> steps(static_cast<std::size_t>(S), step);
  FloatBuffer nothing(S * H);
  std::ranges::fill(nothing.span(), 0.0F);
  back.back(steps, MatView<const float>(nothing.data(), S, H));
  SquareMatrix jacobian{.n = S, .values = std::vector<double>(static_cast<std::size_t>(S * S))};
  auto out = jacobian.values.begin();
  for (std::int64_t i = 0; i < S; ++i) {
    for (const MatView<float>& part : state_parts(back, text.config())) {
      out = std::copy_n(part.row(i), H, out);
    }
  }
  return jacobian;
}

double ln_norm_of_state(const StepsBack& back, const NetworkConfig& config) {
  double sum = 0;
  for (const MatView<float>& part : state_parts(back, config)) {
    for (const float value : part.flat()) sum += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::log(sum) / 2 + back.exponent(0) * std::numbers::ln2;
}

// Sums of ln growth, and the steps that they are over.
struct Growth {
  double ln = 0;
  std::int64_t steps = 0;
};

// Adds the growth of a vector that goes back through steps (first, last).
void add_growth(UnrolledText::Data& text, std::int64_t first, std::int64_t last, Growth& growth) {
  constexpr std::int64_t kFewest = 20;
  constexpr std::int64_t kLeftOut = 10;
  if (last - first < kFewest) return;
  StepsBack back(text, 1);
  std::int64_t place = 0;
  for (const MatView<float>& part : state_parts(back, text.config())) {
    for (float& value : part.flat()) value = std::cos(1.3F * static_cast<float>(++place)) + 0.2F;
  }
  FloatBuffer nothing(text.config().hidden);
  std::ranges::fill(nothing.span(), 0.0F);
  const std::int64_t turning = (last - first) / kLeftOut;
  double before = 0;
  for (std::int64_t t = last; t > first; --t) {
    if (last - t == turning) before = ln_norm_of_state(back, text.config());
    back.back(std::span(&t, 1), MatView<const float>(nothing.data(), 1, text.config().hidden));
    back.rescale();
  }
  growth.ln += ln_norm_of_state(back, text.config()) - before;
  growth.steps += last - first - turning;
}

std::span<const float> block_of(MatView<const float> W, std::int64_t H, std::int64_t gate) {
  return W.row_range(gate * H, H).flat();
}

// The lower and the upper bound of what counts as saturated.
struct Ends {
  double low = 0.1;
  double high = 0.9;
};

void count_ends(std::span<const float> values, const Ends& ends, GateSaturation& counts) {
  for (const float value : values) {
    counts.low += static_cast<double>(value) < ends.low ? 1 : 0;
    counts.high += static_cast<double>(value) > ends.high ? 1 : 0;
  }
}

Ends ends_of(Cell cell, char gate) {
  const bool by_tanh = gate == 'g' || gate == 'n' || cell == Cell::kRnnTanh;
  if (cell == Cell::kRnnRelu) {
    return {.low = std::numeric_limits<double>::denorm_min(), .high = std::numeric_limits<double>::infinity()};
  }
  return by_tanh ? Ends{.low = -0.9, .high = 0.9} : Ends{};
}

GateSaturation saturation_of(const UnrolledText& text, std::int64_t l, std::size_t g, char gate) {
  const NetworkConfig& config = text.model().config();
  const auto H = static_cast<std::size_t>(config.hidden);
  GateSaturation saturation{.layer = l, .gate = gate};
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    if (gate == 'h') {
      count_ends(text.h(l, t), ends_of(config.cell, gate), saturation);
    } else {
      const std::vector<float> gates = text.gates(l, t);
      count_ends(std::span(gates).subspan(g * H, H), ends_of(config.cell, gate), saturation);
    }
  }
  const double all = static_cast<double>(H) * static_cast<double>(text.steps());
  saturation.low /= all;
  saturation.high /= all;
  return saturation;
}

}  // namespace

std::vector<StepJacobian> step_jacobians(const UnrolledText& text, const std::vector<std::int64_t>& steps) {
  const std::int64_t S = state_numbers(text.model().config());
  if (S > kLargestJacobian) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the state has {} numbers: Jacobians are formed of {} at most", S, kLargestJacobian));
  }
  std::vector<StepJacobian> jacobians;
  for (const std::int64_t step : steps) {
    if (step < 0 || step >= text.steps()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("`step` is {}: expected 0 to {}, the last step of the text that was read", step,
                              text.steps() - 1),
                  "step");
    }
    const SquareMatrix jacobian = jacobian_of(text.data(), step);
    double squares_sum = 0;
    for (const double value : jacobian.values) squares_sum += value * value;
    jacobians.push_back({.step = step,
                         .largest = largest_singular_value(jacobian),
                         .frobenius = std::sqrt(squares_sum),
                         .radius = spectral_radius(jacobian)});
  }
  return jacobians;
}

std::vector<RecurrentRadius> recurrent_radii(const Model& model) {
  expect_language_model(model);
  const NetworkConfig& config = model.config();
  std::vector<RecurrentRadius> radii;
  if (!has_recurrent_weights(config.cell)) return radii;
  Parameters parameters(config);
  read_parameters(config, model.data().weights.view(), parameters);
  const std::string_view letters = gate_letters(config.cell);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    for (std::int64_t g = 0; g < gate_count(config.cell); ++g) {
      const std::span<const float> block = block_of(parameters.layer(l).W, config.hidden, g);
      const SquareMatrix W{.n = config.hidden, .values = {block.begin(), block.end()}};
      radii.push_back({.layer = l,
                       .gate = letters.empty() ? '\0' : letters[static_cast<std::size_t>(g)],
                       .radius = spectral_radius(W)});
    }
  }
  return radii;
}

std::optional<double> largest_lyapunov_exponent(const UnrolledText& text) {
  Growth growth;
  std::int64_t first = 0;
  for (std::int64_t t = 1; t <= text.steps(); ++t) {
    if (t < text.steps() && !text.begins(t)) continue;
    add_growth(text.data(), first, t - 1, growth);
    first = t;
  }
  if (growth.steps == 0) return std::nullopt;
  // Zero from the beginning on is minus infinity less itself.
  return std::isnan(growth.ln) ? -std::numeric_limits<double>::infinity()
                               : growth.ln / static_cast<double>(growth.steps);
}

std::vector<double> unit_memory(const UnrolledText& text, std::int64_t layer, std::int64_t unit, std::int64_t t,
                                std::int64_t lags) {
  UnrolledText::Data& data = text.data();
  const NetworkConfig& config = data.config();
  if (t < 0 || t >= text.steps() || layer < 0 || layer >= text.layers() || unit < 0 || unit >= config.hidden) {
    throw Error(ErrorCode::kUsage, fmt::format("there is no step {}, layer {}, unit {}: expected below {}, {}, {}", t,
                                               layer, unit, text.steps(), text.layers(), config.hidden));
  }
  // No other layer reads this one and gives back to it.
  LayerBack back(data, layer);
  back.set_carried(unit, 1);
  std::vector<double> kept{1};
  for (std::int64_t row = data.row(layer, t); std::ssize(kept) <= lags && !back.begins(row); --row) {
    back.back(row, {});
    kept.push_back(back.carried(unit));
  }
  return kept;
}

std::vector<GateSaturation> gate_saturation(const UnrolledText& text) {
  const NetworkConfig& config = text.model().config();
  const std::string_view letters = gate_letters(config.cell);
  std::vector<GateSaturation> all;
  for (std::int64_t l = 0; l < text.layers(); ++l) {
    if (letters.empty()) all.push_back(saturation_of(text, l, 0, 'h'));
    for (std::size_t g = 0; g < letters.size(); ++g) {
      if (letters[g] == 'n' && !has_recurrent_weights(config.cell)) continue;
      all.push_back(saturation_of(text, l, g, letters[g]));
    }
  }
  return all;
}

}  // namespace unroll
