#include "nn/rnn.h"

#include "nn/layer_norm.h"
#include "nn/recurrent_steps.h"

namespace unroll {

void rnn_forward(Workers& workers, const RecurrentShape& shape, Nonlinearity f, const RecurrentWeights& weights,
                 RecurrentTape& tape) {
  input_products_forward(workers, shape, weights, tape);
  const auto gates_forward = f == Nonlinearity::kTanh ? rnn_tanh_gates_forward : rnn_relu_gates_forward;
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> products = tape.products.row_range(first, last - first);
    for (std::int64_t t = 0; t < shape.T; ++t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      weights.W.multiply(tape.h.row_range(s.at, s.count), {}, products);
      hidden_products_forward(shape, weights, tape, s, products);
      gates_forward(s.gates, tape.gates.row(s.at), products.data, tape.h.row(s.after));
    }
  });
}

void rnn_backward(Workers& workers, const RecurrentShape& shape, Nonlinearity f, const RecurrentWeights& weights,
                  RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                  RecurrentGradientState dstate, MatView<float> dx) {
  const auto gates_backward = f == Nonlinearity::kTanh ? rnn_tanh_gates_backward : rnn_relu_gates_backward;
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> dh = dstate.dh.row_range(first, last - first);
    zero_gain_gradients(tape, first, last);
    for (std::int64_t t = shape.T - 1; t >= 0; --t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      gates_backward(s.gates, tape.h.row(s.after), dout.row(s.at), dh.data, tape.gates.row(s.at));
      input_products_backward(shape, weights, tape, s);
      const MatView<const float> dgates = tape.gates.row_range(s.at, s.count);
      weights.W_back.multiply(hidden_products_backward(shape, weights, tape, s, dgates), {}, dh);
      zero_reset_rows(reset_of(tape.reset, s), dh);
    }
  });
  add_gradients_of_sums(workers, shape, weights, tape, dparams, dx);
}

}  // namespace unroll
