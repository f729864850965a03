#include "nn/lstm.h"

#include "nn/layer_norm.h"
#include "nn/recurrent_steps.h"

namespace unroll {

void lstm_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape) {
  input_products_forward(workers, shape, weights, tape);
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> products = tape.products.row_range(first, last - first);
    for (std::int64_t t = 0; t < shape.T; ++t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      weights.W.multiply(tape.h.row_range(s.at, s.count), {}, products);
      hidden_products_forward(shape, weights, tape, s, products);
      if (weights.normalizes()) {
        lstm_cell_forward(s.gates, tape.gates.row(s.at), products.data, tape.c.row(s.at), tape.c.row(s.after));
        cell_output_forward(shape, weights, tape, s);
      } else {
        lstm_gates_forward(s.gates, tape.gates.row(s.at), products.data, tape.c.row(s.at), tape.c.row(s.after),
                           tape.h.row(s.after));
      }
    }
  });
}

void lstm_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                   MatView<const float> dout, const RecurrentParams<float>& dparams, RecurrentGradientState dstate,
                   MatView<float> dx) {
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> dh = dstate.dh.row_range(first, last - first);
    zero_gain_gradients(tape, first, last);
    for (std::int64_t t = shape.T - 1; t >= 0; --t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      if (weights.normalizes()) {
        cell_output_backward(shape, weights, tape, s, dout, dstate);
        lstm_cell_backward(s.gates, tape.gates.row(s.at), tape.c.row(s.at), dstate.dc.row(first));
      } else {
        lstm_gates_backward(s.gates, tape.gates.row(s.at), tape.c.row(s.at), tape.c.row(s.after), dout.row(s.at),
                            dh.data, dstate.dc.row(first));
      }
      input_products_backward(shape, weights, tape, s);
      const MatView<const float> dgates = tape.gates.row_range(s.at, s.count);
      weights.W_back.multiply(hidden_products_backward(shape, weights, tape, s, dgates), {}, dh);
      zero_reset_rows(reset_of(tape.reset, s), dh);
    }
  });
  add_gradients_of_sums(workers, shape, weights, tape, dparams, dx);
}

}  // namespace unroll
