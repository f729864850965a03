#include "unroll/look/state_gradients.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "look/steps_back.h"
#include "look/unrolled_data.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// The symbol of each prediction, checked.
std::vector<std::int32_t> symbols_of_predictions(const UnrolledText::Data& text,
                                                 std::span<const ChosenPrediction> predictions) {
  expect_predictions(text);
  std::vector<std::int32_t> symbols;
  for (const ChosenPrediction& chosen : predictions) {
    if (chosen.step < 0 || chosen.step >= text.window.T) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("`step` is {}: expected 0 to {}, the last step of the text that was read", chosen.step,
                              text.window.T - 1),
                  "step");
    }
    const std::int32_t symbol =
        chosen.symbol == kIgnored ? text.window.targets[static_cast<std::size_t>(chosen.step)] : chosen.symbol;
    if (symbol == kIgnored) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("step {} predicts nothing: give a `symbol`, or another step", chosen.step), "step");
    }
    if (symbol < 0 || symbol >= text.config().vocabulary) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("`symbol` is {}: expected an id from 0 to {}", symbol, text.config().vocabulary - 1),
                  "symbol");
    }
    symbols.push_back(symbol);
  }
  return symbols;
}

double squares(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

std::span<const float> gradient_row(MatView<const float> rows, std::int64_t i) {
  if (rows.data == nullptr) return {};
  return {rows.row(i), static_cast<std::size_t>(rows.cols)};
}

}  // namespace

struct StateGradients::Impl {
  Impl(UnrolledText::Data& of, const std::vector<ChosenPrediction>& predictions)
      : text(of), symbols(symbols_of_predictions(of, predictions)), back(of, std::ssize(predictions)) {
    const auto rows = std::ssize(predictions);
    for (const ChosenPrediction& chosen : predictions) steps.push_back(chosen.step);
    alive.assign(steps.size(), 1);
    norms.resize(steps.size());
    exponents.resize(steps.size());
    dtop = FloatBuffer(rows * text.config().hidden);
    set_dtop();
  }

  [[nodiscard]] MatView<float> top() const { return {dtop.data(), std::ssize(steps), text.config().hidden}; }

  // Predictions of the same step may be of different symbols, so each gets the text's gradients with its symbol. Those
  // of different steps share a computation.
  void set_dtop() {
    Gradients unused(text.config(), text.window.T);
    std::vector<std::uint8_t> is_set(steps.size());
    while (std::ranges::find(is_set, 0) != is_set.end()) {
      Window asked = text.window;
      std::ranges::fill(asked.targets, kIgnored);
      std::vector<std::size_t> taken;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        std::int32_t& target = asked.targets[static_cast<std::size_t>(steps[i])];
        if (is_set[i] != 0 || (target != kIgnored && target != symbols[i])) continue;
        target = symbols[i];
        is_set[i] = 1;
        taken.push_back(i);
      }
      const MatView<const float> dy = text.network.output_gradients(text.weights, asked, 1, unused);
      for (const std::size_t i : taken) {
        std::copy_n(dy.row(steps[i]), dy.cols, top().row(static_cast<std::int64_t>(i)));
      }
    }
  }

  // Predictions that have come to where a line began stay at that step; nobody asks for them any more.
  void step_back() {
    if (lag >= 0) {
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (text.begins(steps[i])) alive[i] = 0;
        if (alive[i] != 0) --steps[i];
      }
      std::ranges::fill(dtop.span(), 0.0F);
      back.rescale();
    }
    ++lag;
  }

  bool next() {
    step_back();
    if (std::ranges::find(alive, 1) == alive.end()) return false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      double sum = squares(gradient_row(top(), row));
      for (std::int64_t l = 0; l < text.config().layers; ++l) {
        const RecurrentState<float> carried = back.carried(l);
        sum += squares(gradient_row(carried.h, row)) + squares(gradient_row(carried.c, row));
      }
      exponents[i] = back.exponent(row);
      norms[i] = std::log(sum) / 2 + exponents[i] * std::numbers::ln2;
    }
    back.back(steps, top());
    return true;
  }

  UnrolledText::Data& text;
  std::vector<std::int32_t> symbols;
  StepsBack back;
  std::vector<std::int64_t> steps;  // at which each prediction is now
  std::vector<std::uint8_t> alive;
  std::vector<double> norms;
  std::vector<int> exponents;
  FloatBuffer dtop;
  std::int64_t lag = -1;
};

StateGradients::StateGradients(const UnrolledText& text, std::vector<ChosenPrediction> predictions)
    : impl_(std::make_unique<Impl>(text.data(), predictions)) {}
StateGradients::~StateGradients() = default;
StateGradients::StateGradients(StateGradients&&) noexcept = default;
StateGradients& StateGradients::operator=(StateGradients&&) noexcept = default;

bool StateGradients::next() { return impl_->next(); }
std::int64_t StateGradients::lag() const noexcept { return impl_->lag; }
bool StateGradients::has(std::int64_t i) const { return impl_->alive.at(static_cast<std::size_t>(i)) != 0; }
int StateGradients::exponent(std::int64_t i) const { return impl_->exponents.at(static_cast<std::size_t>(i)); }
std::span<const float> StateGradients::x(std::int64_t i) const { return gradient_row(impl_->back.x(), i); }
std::span<const float> StateGradients::h(std::int64_t l, std::int64_t i) const {
  return gradient_row(impl_->back.h(l), i);
}
std::span<const float> StateGradients::c(std::int64_t l, std::int64_t i) const {
  return gradient_row(impl_->back.c(l), i);
}
std::span<const float> StateGradients::through_h(std::int64_t l, std::int64_t i) const {
  return gradient_row(impl_->back.through_h(l), i);
}
double StateGradients::ln_carried_norm(std::int64_t i) const { return impl_->norms.at(static_cast<std::size_t>(i)); }

}  // namespace unroll
