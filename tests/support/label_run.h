// A model that labels texts in plain loops, one step after another, of which any state can be nudged on its way:
// numeric derivatives of an answer with respect to states and inputs.
#pragma once

#include <algorithm>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "network/parameters.h"
#include "network/ref/network.h"
#include "nn/ref/complex_step.h"
#include "support/nudged_run.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// Of one text, which is read in one piece, without characters of words.
class LabelRun {
 public:
  using Complex = std::complex<double>;

  LabelRun(const UnrolledText& text, std::int64_t number, const Parameters& parameters)
      : text_(text), steps_(text.texts()[static_cast<std::size_t>(number)]), config_(text.model().config()) {
    for (const ParameterTensor& tensor : parameters.tensors()) {
      for (const float value : parameters.values(tensor)) values_.emplace_back(static_cast<double>(value));
    }
  }

  // d(-ln p(label of the text, or of its word `at`)) / d(what is nudged, at its step of the text), by complex step.
  [[nodiscard]] std::vector<double> derivatives(std::int64_t at, std::int32_t label, Nudge nudge) const {
    constexpr double kStep = 1e-100;
    const std::int64_t size = nudge.what == Nudged::kInput ? config_.embed : config_.hidden;
    std::vector<double> all;
    for (nudge.unit = 0; nudge.unit < size; ++nudge.unit) {
      all.push_back(loss(at, label, nudge, Complex(0, kStep)).imag() / kStep);
    }
    return all;
  }

  [[nodiscard]] double probability(std::int64_t at, std::int32_t label) const {
    return std::exp(-loss(at, label, {}, Complex(0)).real());
  }

  // The state h after step t of a layer, each direction by itself.
  [[nodiscard]] std::vector<double> h(std::int64_t layer, std::int64_t t) const {
    std::vector<ref::Matrix<Complex>> states;
    static_cast<void>(outputs({}, Complex(0), &states));
    std::vector<double> row;
    for (std::int64_t j = 0; j < config_.hidden; ++j)
      row.push_back(states[static_cast<std::size_t>(layer)](t, j).real());
    return row;
  }

 private:
  [[nodiscard]] ref::NetworkParams<const Complex> params() const {
    return ref::network_params(config_, values_.data());
  }

  [[nodiscard]] Complex loss(std::int64_t at, std::int32_t label, const Nudge& nudge, Complex by) const {
    const ref::Matrix<Complex> y = scores(outputs(nudge, by, nullptr));
    const Task& task = text_.model().task();
    if (config_.readout == Readout::kSteps) return loss_of_tag(y, at, label);
    if (task.multi_label) return std::log(1.0 + std::exp(-y(0, label) / task.temperature));
    Complex sum(0);
    for (std::int64_t k = 0; k < y.cols; ++k) sum += std::exp(y(0, k) / task.temperature);
    return std::log(sum) - y(0, label) / task.temperature;
  }

  // Over all sequences of tags, one after another.
  [[nodiscard]] Complex loss_of_tag(const ref::Matrix<Complex>& y, std::int64_t at, std::int32_t label) const {
    const ref::NetworkParams<const Complex> p = params();
    const std::int64_t K = y.cols;
    std::vector<std::int64_t> tags(static_cast<std::size_t>(y.rows));
    Complex all(0);
    Complex having(0);
    for (bool more = true; more;) {
      Complex score(0);
      for (std::int64_t t = 0; t < y.rows; ++t) score += y(t, tags[static_cast<std::size_t>(t)]);
      if (config_.loss == Loss::kCrf) {
        score += p.crf.start[static_cast<std::size_t>(tags.front())] + p.crf.end[static_cast<std::size_t>(tags.back())];
        for (std::size_t t = 1; t < tags.size(); ++t) {
          score += p.crf.transitions[static_cast<std::size_t>(tags[t - 1] * K + tags[t])];
        }
      }
      all += std::exp(score);
      if (tags[static_cast<std::size_t>(at)] == label) having += std::exp(score);
      std::size_t t = 0;
      while (t < tags.size() && ++tags[t] == K) tags[t++] = 0;
      more = t < tags.size();
    }
    return std::log(all) - std::log(having);
  }

  [[nodiscard]] ref::Matrix<Complex> scores(const ref::Matrix<Complex>& outputs) const {
    const ref::NetworkParams<const Complex> p = params();
    ref::Matrix<Complex> read = outputs;
    if (config_.readout != Readout::kSteps) {
      const std::vector<WindowPiece> pieces{{.steps = static_cast<std::int32_t>(outputs.rows)}};
      const std::vector<WindowText> texts{{.count = 1}};
      ref::pooling_forward({.readout = config_.readout,
                            .B = 1,
                            .D = outputs.cols,
                            .bidirectional = config_.bidirectional,
                            .pieces = pieces,
                            .texts = texts},
                           p.attention, outputs, read);
    }
    ref::Matrix<Complex> y(read.rows, config_.outputs);
    for (std::int64_t r = 0; r < y.rows; ++r) {
      for (std::int64_t k = 0; k < y.cols; ++k) {
        y(r, k) = p.decoder_bias[static_cast<std::size_t>(k)];
        for (std::int64_t j = 0; j < read.cols; ++j) y(r, k) += p.decoder(k, j) * read(r, j);
      }
    }
    return y;
  }

  // The last level's outputs; h of each layer and direction in `states`, unless that is null.
  [[nodiscard]] ref::Matrix<Complex> outputs(const Nudge& nudge, Complex by,
                                             std::vector<ref::Matrix<Complex>>* states) const {
    const ref::NetworkParams<const Complex> p = params();
    ref::Matrix<Complex> x(steps_.steps, config_.embed);
    for (std::int64_t t = 0; t < steps_.steps; ++t) {
      std::copy_n(p.encoder.row(text_.input(steps_.first + t)), config_.embed, x.row(t));
      if (nudge.what == Nudged::kInput && t == nudge.step) x(t, nudge.unit) += by;
    }
    const std::int64_t D = directions(config_);
    for (std::int64_t l = 0; l < config_.layers; ++l) {
      ref::Matrix<Complex> y(steps_.steps, D * config_.hidden);
      for (std::int64_t d = 0; d < D; ++d) {
        const std::int64_t number = l * D + d;
        const ref::Matrix<Complex> h = run_layer(number, d == 1, x, nudge, by);
        for (std::int64_t t = 0; t < h.rows; ++t) std::copy_n(h.row(t), h.cols, y.row(t) + d * config_.hidden);
        if (states != nullptr) states->push_back(h);
      }
      if (config_.residual && l > 0) ref::add(x, y);
      x = y;
    }
    return x;
  }

  [[nodiscard]] ref::Matrix<Complex> run_layer(std::int64_t number, bool backward, const ref::Matrix<Complex>& x,
                                               const Nudge& nudge, Complex by) const {
    const RecurrentParams<const Complex> p = params().layers[static_cast<std::size_t>(number)];
    ref::State<Complex> state = ref::zero_state<Complex>(config_.cell, 1, config_.hidden);
    ref::Matrix<Complex> h(x.rows, config_.hidden);
    for (std::int64_t i = 0; i < x.rows; ++i) {
      const std::int64_t t = backward ? x.rows - 1 - i : i;
      ref::Matrix<Complex> input(1, x.cols);
      std::copy_n(x.row(t), x.cols, input.row(0));
      ref::Tape<Complex> tape;
      const ref::State<Complex> before = state;
      const RecurrentShape shape{.T = 1, .B = 1, .E = x.cols, .H = config_.hidden};
      ref::recurrent_forward(config_.cell, shape, p, input, std::span<const std::uint8_t>(), before, tape, state);
      const bool here = t == nudge.step && number == nudge.layer;
      if (here && nudge.what == Nudged::kHidden) state.h(0, nudge.unit) += by;
      if (here && nudge.what == Nudged::kWholeCell) {
        state.c(0, nudge.unit) += by;
        const std::vector<Complex> squashed = ref::tanh_of_cell(p, state.c.row(0), config_.hidden);
        for (std::int64_t k = 0; k < config_.hidden; ++k) {
          state.h(0, k) = tape.gates(0, 3 * config_.hidden + k) * squashed[static_cast<std::size_t>(k)];
        }
      }
      std::copy_n(state.h.row(0), config_.hidden, h.row(t));
    }
    return h;
  }

  const UnrolledText& text_;
  TextOfSteps steps_;
  const NetworkConfig& config_;
  std::vector<Complex> values_;
};

}  // namespace unroll
