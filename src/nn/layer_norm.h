// Layer normalisation inside the recurrent cells, between their products and their gates.
//
// A gate's sum becomes  norm_input LN(U x) + b + norm_hidden LN(W h) + b',  LN being taken over each gate's H units
// (kernels/layer_norm.h). Functions named `..._products_...` work with and without gains, so that a cell's sweep is
// written once; the others require gains.
//
// Threads  functions with `workers` use them; the others are called within a shard of rows.
// Source   Ba, Kiros & Hinton 2016, equations 20 to 22, per gate; docs/math/layer_norm.md.
#pragma once

#include "nn/recurrent_steps.h"

namespace unroll {

// tape.gates = norm_input LN(U x) + bias; without gains U x + bias. Sets tape.gates and tape.norm.input.
void input_products_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                            RecurrentTape& tape);

// Backward of one step of it: sets tape.norm.input to the gradient of U x, given that of the gates' sums in tape.gates.
// Without gains these are the same, and it does nothing. Adds to tape.norm.dinput.
void input_products_backward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                             const ShardStep& step);

// products = norm_hidden LN(products) for one step's recurrent products of all gates, or of the gates from unit `first`
// of G*H on. Skips rows whose previous state counts as zero: their products are not read. Sets tape.norm.hidden.
// Without gains it does nothing.
void hidden_products_forward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                             const ShardStep& step, MatView<float> products, std::int64_t first = 0);

// Its backward: given the gradient of forward's result, returns the gradient of the product itself, which is a part of
// tape.norm.hidden, or dproducts without gains. Adds to tape.norm.dhidden.
MatView<const float> hidden_products_backward(const RecurrentShape& shape, const RecurrentWeights& weights,
                                              RecurrentTape& tape, const ShardStep& step,
                                              MatView<const float> dproducts, std::int64_t first = 0);

// h = o tanh(norm_cell LN(c) + b_cell) for one step of an LSTM, with o in tape.gates and c in tape.c. Sets tape.h
// and tape.norm.cell; tape.products is scratch.
void cell_output_forward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                         const ShardStep& step);

// Its backward: dh comes from the next step. dc += the gradient through h; tape.gates: o in, its gradient before the
// nonlinearity out. Adds to tape.norm.dcell and db_cell; tape.products is scratch.
void cell_output_backward(const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                          const ShardStep& step, MatView<const float> dout, const RecurrentGradientState& dstate);

// Clears the sums of the gains' gradients before a backward sweep over rows [first, last). Nothing without gains.
void zero_gain_gradients(const RecurrentTape& tape, std::int64_t first, std::int64_t last);

// After the sweep, with d = tape.norm.input, the gradients of U x: dx = d U, dU += d^T x, and adds the gradients of the
// gains and of b_cell, summed over the rows.
void add_gradients_of_normalized_input(Workers& workers, const RecurrentWeights& weights, const RecurrentTape& tape,
                                       const RecurrentParams<float>& dparams, MatView<float> dx);

// The same for a cell whose gates all depend on U x + b + W h + b', with db, db' += sum of tape.gates and with dW.
void add_gradients_of_normalized_sums(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                                      const RecurrentTape& tape, const RecurrentParams<float>& dparams,
                                      MatView<float> dx);

// db += column sums of dgates; second_db too, unless it is empty.
void add_bias_gradients(Workers& workers, MatView<const float> dgates, std::span<float> db,
                        std::span<float> second_db = {});

}  // namespace unroll
