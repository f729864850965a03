#include "nn/gru.h"

#include "kernels/arrays.h"
#include "nn/layer_norm.h"
#include "nn/recurrent_steps.h"

namespace unroll {

void gru_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape) {
  input_products_forward(workers, shape, weights, tape);
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> products = tape.products.row_range(first, last - first);
    for (std::int64_t t = 0; t < shape.T; ++t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      weights.W.multiply(tape.h.row_range(s.at, s.count), {}, products);
      hidden_products_forward(shape, weights, tape, s, products);
      gru_gates_forward(s.gates, tape.gates.row(s.at), products.data, weights.candidate_bias.data(), tape.h.row(s.at),
                        tape.candidate.row(s.at), tape.h.row(s.after));
    }
  });
}

void gru_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                  MatView<const float> dout, const RecurrentParams<float>& dparams, RecurrentGradientState dstate,
                  MatView<float> dx) {
  const std::int64_t H = shape.H;
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> dh = dstate.dh.row_range(first, last - first);
    const MatView<float> products = tape.products.row_range(first, last - first);
    const MatView<float> dh_products = dstate.scratch.row_range(first, last - first);
    zero_gain_gradients(tape, first, last);
    for (std::int64_t t = shape.T - 1; t >= 0; --t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      gru_gates_backward(s.gates, tape.gates.row(s.at), tape.candidate.row(s.at), tape.h.row(s.at), dout.row(s.at),
                         dh.data, products.data);
      input_products_backward(shape, weights, tape, s);
      weights.W_back.multiply(hidden_products_backward(shape, weights, tape, s, products), {}, dh_products);
      add(dh_products.flat(), dh.flat());
      zero_reset_rows(reset_of(tape.reset, s), dh);
    }
  });
  const Precision precision = weights.W.precision();
  const auto two = static_cast<std::size_t>(2 * H);
  const MatView<const float> h_before = tape.h.row_range(0, shape.T * shape.B);
  if (weights.normalizes()) {
    add_gradients_of_normalized_input(workers, weights, tape, dparams, dx);
    add_weight_gradients(workers, precision, tape.norm.hidden.normalized, {{h_before, dparams.W, tape.reset}});
    add_bias_gradients(workers, tape.gates, dparams.b_input);
    add_bias_gradients(workers, tape.gates.col_range(0, 2 * H), dparams.b_hidden.first(two));
    return add_bias_gradients(workers, tape.candidate, dparams.b_hidden.subspan(two));
  }
  if (dx.data != nullptr) multiply_rows(workers, tape.gates, weights.U_back, {}, dx);
  add_weight_gradients(workers, precision, tape.gates.col_range(0, 2 * H),
                       {{tape.x, dparams.U.row_range(0, 2 * H)}, {h_before, dparams.W.row_range(0, 2 * H), tape.reset}},
                       dparams.b_input.first(two), dparams.b_hidden.first(two));
  add_weight_gradients(workers, precision, tape.gates.col_range(2 * H, H), {{tape.x, dparams.U.row_range(2 * H, H)}},
                       dparams.b_input.subspan(two));
  add_weight_gradients(workers, precision, tape.candidate, {{h_before, dparams.W.row_range(2 * H, H), tape.reset}},
                       dparams.b_hidden.subspan(two));
}

}  // namespace unroll
