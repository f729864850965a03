// A language model in plain loops, one step after another, of which any state can be nudged on its way: numeric
// derivatives of a prediction with respect to states and inputs.
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "network/parameters.h"
#include "network/ref/network.h"
#include "nn/ref/complex_step.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// What is nudged: the input of the first layer; h for all that reads it, or for the next step alone; c for the next
// step, with h held, or for all that reads it.
enum class Nudged { kInput, kHidden, kCarriedHidden, kCell, kWholeCell };

struct Nudge {
  Nudged what = Nudged::kHidden;
  std::int64_t step = 0;
  std::int64_t layer = 0;
  std::int64_t unit = 0;
};

class NudgedRun {
 public:
  using Complex = std::complex<double>;

  NudgedRun(const UnrolledText& text, const Parameters& parameters) : text_(text), config_(text.model().config()) {
    for (const ParameterTensor& tensor : parameters.tensors()) {
      for (const float value : parameters.values(tensor)) values_.emplace_back(static_cast<double>(value));
    }
  }

  // d(-ln p(symbol) at step t) / d(what is nudged), by complex step.
  [[nodiscard]] double derivative(std::int64_t t, std::int32_t symbol, const Nudge& nudge) const {
    constexpr double kStep = 1e-100;
    return loss(t, symbol, nudge, Complex(0, kStep)).imag() / kStep;
  }

  // The same for every unit of a vector.
  [[nodiscard]] std::vector<double> derivatives(std::int64_t t, std::int32_t symbol, Nudge nudge) const {
    const std::int64_t size = nudge.what == Nudged::kInput ? config_.embed : config_.hidden;
    std::vector<double> all;
    for (nudge.unit = 0; nudge.unit < size; ++nudge.unit) all.push_back(derivative(t, symbol, nudge));
    return all;
  }

  // ds_t/ds_{t-1}, row by row, s being h and c of every layer in turn.
  [[nodiscard]] std::vector<double> jacobian(std::int64_t t) const {
    constexpr double kStep = 1e-100;
    const std::int64_t parts = config_.layers * (has_cell_state(config_.cell) ? 2 : 1);
    const std::int64_t S = parts * config_.hidden;
    std::vector<double> all(static_cast<std::size_t>(S * S));
    for (std::int64_t from = 0; from < S; ++from) {
      const std::int64_t part = from / config_.hidden;
      Nudge nudge{.step = t - 1, .unit = from % config_.hidden};
      nudge.layer = has_cell_state(config_.cell) ? part / 2 : part;
      nudge.what = has_cell_state(config_.cell) && part % 2 == 1 ? Nudged::kCell : Nudged::kCarriedHidden;
      std::vector<ref::State<Complex>> states = begin();
      static_cast<void>(outputs(t, nudge, Complex(0, kStep), states));
      std::size_t to = 0;
      for (const ref::State<Complex>& state : states) {
        for (const ref::Matrix<Complex>* const m : {&state.h, &state.c}) {
          for (const Complex& value : m->values) {
            all[to++ * static_cast<std::size_t>(S) + static_cast<std::size_t>(from)] = value.imag() / kStep;
          }
        }
      }
    }
    return all;
  }

 private:
  [[nodiscard]] std::vector<ref::State<Complex>> begin() const {
    const auto layers = static_cast<std::size_t>(config_.layers);
    return std::vector<ref::State<Complex>>(layers, ref::zero_state<Complex>(config_.cell, 1, config_.hidden));
  }

  [[nodiscard]] Complex loss(std::int64_t t, std::int32_t symbol, const Nudge& nudge, Complex by) const {
    const ref::NetworkParams<const Complex> p = ref::network_params(config_, values_.data());
    std::vector<ref::State<Complex>> states = begin();
    ref::Matrix<Complex> y = outputs(t, nudge, by, states);
    if (has_projection(config_)) {
      const ref::Matrix<Complex> h = y;
      ref::projection_forward(p.projection, h, y);
    }
    ref::SoftmaxTape<Complex> tape;
    return ref::softmax_loss_forward(p.decoder, p.decoder_bias, y, std::span(&symbol, 1), tape);
  }

  // The last level's output after steps 0 to t; sets `states` to those after it.
  [[nodiscard]] ref::Matrix<Complex> outputs(std::int64_t t, const Nudge& nudge, Complex by,
                                             std::vector<ref::State<Complex>>& states) const {
    const ref::NetworkParams<const Complex> p = ref::network_params(config_, values_.data());
    ref::Matrix<Complex> y;
    for (std::int64_t s = 0; s <= t; ++s) {
      if (s > 0 && text_.begins(s)) states = begin();
      y = ref::Matrix<Complex>(1, config_.embed);
      std::copy_n(p.encoder.row(text_.input(s)), config_.embed, y.row(0));
      if (nudge.what == Nudged::kInput && s == nudge.step) y(0, nudge.unit) += by;
      for (std::size_t l = 0; l < states.size(); ++l) {
        const bool here = s == nudge.step && static_cast<std::int64_t>(l) == nudge.layer;
        y = layer_step(p.layers[l], l, y, here ? by : Complex(0), nudge, states[l]);
      }
    }
    return y;
  }

  [[nodiscard]] ref::Matrix<Complex> layer_step(const RecurrentParams<const Complex>& p, std::size_t l,
                                                const ref::Matrix<Complex>& x, Complex by, const Nudge& nudge,
                                                ref::State<Complex>& state) const {
    ref::Tape<Complex> tape;
    const ref::State<Complex> before = state;
    const RecurrentShape shape{.T = 1, .B = 1, .E = x.cols, .H = config_.hidden};
    ref::recurrent_forward(config_.cell, shape, p, x, std::span<const std::uint8_t>(), before, tape, state);
    const std::int64_t j = nudge.unit;
    if (nudge.what == Nudged::kHidden || nudge.what == Nudged::kCarriedHidden) state.h(0, j) += by;
    if (nudge.what == Nudged::kCell || nudge.what == Nudged::kWholeCell) state.c(0, j) += by;
    ref::Matrix<Complex> y = tape.h;
    if (nudge.what == Nudged::kHidden) y(0, j) += by;
    if (nudge.what == Nudged::kWholeCell && by != Complex(0)) {
      const std::vector<Complex> squashed = ref::tanh_of_cell(p, state.c.row(0), config_.hidden);
      for (std::int64_t k = 0; k < config_.hidden; ++k) {
        y(0, k) = tape.gates(0, 3 * config_.hidden + k) * squashed[static_cast<std::size_t>(k)];
      }
      state.h = y;
    }
    if (config_.residual && l > 0) ref::add(x, y);
    return y;
  }

  const UnrolledText& text_;
  const NetworkConfig& config_;
  std::vector<Complex> values_;
};

}  // namespace unroll
