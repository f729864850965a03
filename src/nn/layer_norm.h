// Layer normalisation inside the recurrent cells: what stands between their products and their gates.
//
// A gate's sum becomes  norm_input LN(U x) + b + norm_hidden LN(W h) + b',  LN being taken over each gate's H units
// (kernels/layer_norm.h). Functions named `..._products_...` do without gains what they are named after and no more, so
// that a cell's sweep reads the same with and without them; the others require gains.
//
// Threads  those that take `workers` use them; the others belong into a shard of rows.
// Source   Ba, Kiros & Hinton 2016, equations 20 to 22, per gate; docs/math/layer_norm.md.
#pragma once

#include "nn/recurrent_steps.h"

namespace unroll {

// tape.gates = norm_input LN(U x) + bias; without gains U x + bias. Sets tape.gates and tape.norm.input.
void input_products_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                            RecurrentTape& tape);

// One step's way back through it: tape.norm.input becomes the gradient of U x, tape.gates holding that of the gates'
// sums. Without gains these are the same, and nothing is done. Adds to tape.norm.dinput.
void input_products_backward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                             const ShardStep& step);

// products = norm_hidden LN(products) for one step's recurrent products of all gates, or of those that begin at unit
// `first` of G*H. Nothing where the state before counts as zero: there the products are not read. Sets
// tape.norm.hidden. Without gains nothing is done.
void hidden_products_forward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                             const ShardStep& step, MatView<float> products, std::int64_t first = 0);

// The way back: dproducts is the gradient of what forward left; returns the gradient of the product itself, which is a
// part of tape.norm.hidden, and without gains dproducts. Adds to tape.norm.dhidden.
MatView<const float> hidden_products_backward(const RecurrentShape& shape, const RecurrentWeights& weights,
                                              RecurrentTape& tape, const ShardStep& step,
                                              MatView<const float> dproducts, std::int64_t first = 0);

// h = o tanh(norm_cell LN(c) + b_cell) for one step of an LSTM, o standing in tape.gates and c in tape.c. Sets tape.h
// and tape.norm.cell; tape.products is scratch.
void cell_output_forward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                         const ShardStep& step);

// The way back: dh comes from the step after. dc += what comes through h; tape.gates: o in, its gradient before the
// nonlinearity out. Adds to tape.norm.dcell and db_cell; tape.products is scratch.
void cell_output_backward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                          const ShardStep& step, MatView<const float> dout, const RecurrentGradientState& dstate);

// Before a sweep back over rows [first, last): no gradient of a gain has been summed yet. Nothing without gains.
void zero_gain_gradients(const RecurrentTape& tape, std::int64_t first, std::int64_t last);

// After it, with the gradients of U x in tape.norm.input: dx = those U, dU += those^T x, and the gradients of the gains
// and of b_cell are summed over the rows and added.
void add_gradients_of_normalized_input(Workers& workers, const RecurrentWeights& weights, const RecurrentTape& tape,
                                       const RecurrentParams<float>& dparams, MatView<float> dx);

// The same in a cell whose gates all see U x + b + W h + b': db, db' += sum of tape.gates and dW too.
void add_gradients_of_normalized_sums(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                                      const RecurrentTape& tape, const RecurrentParams<float>& dparams,
                                      MatView<float> dx);

// db += column sums of dgates; second_db too, unless it is empty.
void add_bias_gradients(Workers& workers, MatView<const float> dgates, std::span<float> db,
                        std::span<float> second_db = {});

}  // namespace unroll
