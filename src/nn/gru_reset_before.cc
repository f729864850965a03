#include "nn/gru_reset_before.h"

#include "kernels/arrays.h"
#include "nn/layer_norm.h"
#include "nn/recurrent_steps.h"

namespace unroll {

void gru_reset_before_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                              RecurrentTape& tape) {
  const std::int64_t H = shape.H;
  input_products_forward(workers, shape, weights, tape);
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    // The shard's scratch, first for the products of r and z, then for that of n.
    float* const scratch = tape.products.row(first);
    const MatView<float> rz_products(scratch, last - first, 2 * H);
    const MatView<float> n_product(scratch, last - first, H);
    for (std::int64_t t = 0; t < shape.T; ++t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      weights.W.multiply(tape.h.row_range(s.at, s.count), {}, rz_products);
      hidden_products_forward(shape, weights, tape, s, rz_products);
      gru_reset_before_gates_forward(s.gates, tape.gates.row(s.at), rz_products.data, tape.h.row(s.at),
                                     tape.candidate.row(s.at));
      weights.W_candidate.multiply(tape.candidate.row_range(s.at, s.count), {}, n_product);
      hidden_products_forward(shape, weights, tape, s, n_product, 2 * H);
      gru_reset_before_output_forward(s.gates, tape.gates.row(s.at), n_product.data, tape.h.row(s.at),
                                      tape.h.row(s.after));
    }
  });
}

void gru_reset_before_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                               RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                               RecurrentGradientState dstate, MatView<float> dx) {
  const std::int64_t H = shape.H;
  workers.run_shards(shape.B, [&](std::int64_t first, std::int64_t last) {
    const MatView<float> dh = dstate.dh.row_range(first, last - first);
    const MatView<float> dh_products = dstate.scratch.row_range(first, last - first);
    // The shard's scratch, first for dn, then for dr,dz.
    float* const scratch = tape.products.row(first);
    const MatView<float> dn(scratch, last - first, H);
    const MatView<float> drz(scratch, last - first, 2 * H);
    zero_gain_gradients(tape, first, last);
    for (std::int64_t t = shape.T - 1; t >= 0; --t) {
      const ShardStep s = shard_step(shape, tape.reset, t, first, last);
      gru_reset_before_output_backward(s.gates, tape.gates.row(s.at), tape.h.row(s.at), dout.row(s.at), dh.data,
                                       dn.data);
      weights.W_candidate_back.multiply(hidden_products_backward(shape, weights, tape, s, dn, 2 * H), {}, dh_products);
      gru_reset_before_gates_backward(s.gates, tape.gates.row(s.at), tape.h.row(s.at), dh_products.data, dh.data,
                                      drz.data);
      input_products_backward(shape, weights, tape, s);
      weights.W_back.multiply(hidden_products_backward(shape, weights, tape, s, drz), {}, dh_products);
      add(dh_products.flat(), dh.flat());
      zero_reset_rows(reset_of(tape.reset, s), dh);
    }
  });
  const Precision precision = weights.W.precision();
  const MatView<const float> h_before = tape.h.row_range(0, shape.T * shape.B);
  const auto two = static_cast<std::size_t>(2 * H);
  if (weights.normalizes()) {
    const MatView<const float> dproducts = tape.norm.hidden.normalized;
    add_gradients_of_normalized_input(workers, weights, tape, dparams, dx);
    add_weight_gradients(workers, precision, dproducts.col_range(0, 2 * H),
                         {{h_before, dparams.W.row_range(0, 2 * H), tape.reset}});
    add_weight_gradients(workers, precision, dproducts.col_range(2 * H, H),
                         {{tape.candidate, dparams.W.row_range(2 * H, H), tape.reset}});
    return add_bias_gradients(workers, tape.gates, dparams.b_input, dparams.b_hidden);
  }
  if (dx.data != nullptr) multiply_rows(workers, tape.gates, weights.U_back, {}, dx);
  add_weight_gradients(workers, precision, tape.gates.col_range(0, 2 * H),
                       {{tape.x, dparams.U.row_range(0, 2 * H)}, {h_before, dparams.W.row_range(0, 2 * H), tape.reset}},
                       dparams.b_input.first(two), dparams.b_hidden.first(two));
  add_weight_gradients(
      workers, precision, tape.gates.col_range(2 * H, H),
      {{tape.x, dparams.U.row_range(2 * H, H)}, {tape.candidate, dparams.W.row_range(2 * H, H), tape.reset}},
      dparams.b_input.subspan(two), dparams.b_hidden.subspan(two));
}

}  // namespace unroll
