// One recurrent layer, forward and backward, timed on request: unroll's side of the section `layers`.
// recurrent_case.h describes arguments, output and steps.
#include <algorithm>

#include "base/buffer.h"
#include "nn/gru.h"
#include "nn/lstm.h"
#include "recurrent_case.h"
#include "unroll/version.h"

namespace unroll {
namespace {

class OurLayer final : public RecurrentSide {
 public:
  OurLayer(const RecurrentCase& c, RecurrentNumbers numbers)
      : case_(c),
        numbers_(std::move(numbers)),
        workers_(c.threads),
        weights_(c.cell, c.shape.E, c.shape.H, c.precision, true) {
    const RecurrentShape& s = case_.shape;
    const std::int64_t rows = s.T * s.B;
    tape_.x = MatView<const float>(numbers_.x.data(), rows, s.E);
    tape_.gates = matrix(rows, case_.gate_rows());
    tape_.h = matrix(rows + s.B, s.H);
    std::ranges::copy(numbers_.h0, tape_.h.data);
    if (is_lstm()) {
      tape_.c = matrix(rows + s.B, s.H);
      std::ranges::copy(numbers_.c0, tape_.c.data);
      dstate_.dc = matrix(s.B, s.H);
    } else {
      tape_.candidate = matrix(rows, s.H);
      dstate_.scratch = matrix(s.B, s.H);
    }
    tape_.products = matrix(s.B, case_.gate_rows());
    dstate_.dh = matrix(s.B, s.H);
    dx_ = matrix(rows, s.E);
    dparams_ = {.U = matrix(case_.gate_rows(), s.E),
                .W = matrix(case_.gate_rows(), s.H),
                .b_input = matrix(1, case_.gate_rows()).flat(),
                .b_hidden = matrix(1, case_.gate_rows()).flat()};
  }

  void pack() override {
    const RecurrentShape& s = case_.shape;
    const RecurrentView params{.U = MatView<const float>(numbers_.U.data(), case_.gate_rows(), s.E),
                               .W = MatView<const float>(numbers_.W.data(), case_.gate_rows(), s.H),
                               .b_input = numbers_.b_input,
                               .b_hidden = numbers_.b_hidden};
    weights_.copy_vectors(case_.cell, params);
    pack_all(workers_, weights_.packing_tasks(case_.cell, params));
  }

  void forward_backward() override {
    const MatView<const float> dout(numbers_.dout.data(), case_.shape.T * case_.shape.B, case_.shape.H);
    for (const std::span<float> gradient : {dparams_.U.flat(), dparams_.W.flat(), dparams_.b_input, dparams_.b_hidden,
                                            dstate_.dh.flat(), dstate_.dc.flat()}) {
      std::ranges::fill(gradient, 0.0F);
    }
    if (is_lstm()) {
      lstm_forward(workers_, case_.shape, weights_, tape_);
      lstm_backward(workers_, case_.shape, weights_, tape_, dout, dparams_, dstate_, dx_);
    } else {
      gru_forward(workers_, case_.shape, weights_, tape_);
      gru_backward(workers_, case_.shape, weights_, tape_, dout, dparams_, dstate_, dx_);
    }
  }

  std::vector<NamedResult> results() override {
    const auto copy = [](std::span<const float> values) { return std::vector<float>(values.begin(), values.end()); };
    const RecurrentShape& s = case_.shape;
    return {{"h", copy(tape_.h.row_range(s.B, s.T * s.B).flat())},
            {"dx", copy(dx_.flat())},
            {"dh0", copy(dstate_.dh.flat())},
            {"dU", copy(dparams_.U.flat())},
            {"dW", copy(dparams_.W.flat())},
            {"db_input", copy(dparams_.b_input)},
            {"db_hidden", copy(dparams_.b_hidden)}};
  }

  [[nodiscard]] std::string about() const override { return "unroll " + version() + ": " + instruction_set(); }

 private:
  [[nodiscard]] bool is_lstm() const { return case_.cell == Cell::kLstm; }

  MatView<float> matrix(std::int64_t rows, std::int64_t cols) {
    buffers_.emplace_back(rows * cols);
    return {buffers_.back().data(), rows, cols};
  }

  RecurrentCase case_;
  RecurrentNumbers numbers_;
  Workers workers_;
  RecurrentWeights weights_;
  std::vector<FloatBuffer> buffers_;
  RecurrentTape tape_;
  RecurrentGradientState dstate_;
  RecurrentParams<float> dparams_;
  MatView<float> dx_;
};

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  return unroll::run_recurrent_side("recurrent_layer", {argv + 1, argv + argc},
                                    [](const unroll::RecurrentCase& c, unroll::RecurrentNumbers numbers) {
                                      return std::make_unique<unroll::OurLayer>(c, std::move(numbers));
                                    });
}
