// One vector per text from the outputs of all its steps: the readouts other than kSteps (unroll/readout.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "text/window.h"
#include "unroll/readout.h"

namespace unroll {

// What is pooled: the R texts of a window, each over the steps of all its pieces, in order. Step t of row b of the
// window is row t*B+b of h.
struct PoolingShape {
  Readout readout = Readout::kLast;  // not kSteps
  std::int64_t B = 0;
  std::int64_t D = 0;          // columns of h
  bool bidirectional = false;  // columns [0, D/2) are the forward layer's, [D/2, D) the backward layer's
  std::span<const WindowPiece> pieces;
  std::span<const WindowText> texts;
};

// The results of forward that backward needs, and scratch. Only what the readout uses has a size.
struct PoolingTape {
  MatView<float> attention;            // (T*B, 1) kAttention: a_t; unspecified at steps of no text
  MatView<float> text_dw;              // (R, D) kAttention, training: the part of dw that is each text's
  std::vector<std::int32_t> greatest;  // (R, D) kMax, kConcat: the row of h that holds the maximum
};

// Plans it for windows of up to `steps` = T*B steps and `texts` texts: take(name, rows, cols) returns a matrix.
template <class Take>
PoolingTape pooling_tape(Readout readout, std::int64_t D, std::int64_t steps, std::int64_t texts, bool training,
                         const Take& take) {
  constexpr const char* kName = "pooling of texts";
  PoolingTape tape;
  if (readout != Readout::kAttention) return tape;
  tape.attention = take(kName, steps, 1);
  if (training) tape.text_dw = take(kName, texts, D);
  return tape;
}

// out_r, from the outputs h_1 .. h_n of text r:
//
//   kLast       the forward half of h_n, the backward half of h_1
//   kMax        max over t of h_t, unit by unit
//   kMean       1/n sum over t of h_t
//   kConcat     these three, one after the other
//   kAttention  s_t = w . tanh(h_t)   a = softmax over t of s   sum over t of a_t h_t
//
// Shapes   w (D) with kAttention, otherwise empty; h (T*B, D); out (R, readout_size(readout, D)).
// Sets     out and the tape.
// Numerics sums over steps in float, in their order; scores and their softmax in double. The bits of a text depend
//          neither on other texts nor on where in the window its pieces are. Of equal maxima the first step's counts.
//          NaN in h gives NaN.
// Threads  uses `workers`.
void pooling_forward(Workers& workers, const PoolingShape& shape, std::span<const float> w, MatView<const float> h,
                     PoolingTape& tape, MatView<float> out);

// Given dout, the gradient of out:
//
//   kLast       dh_n, dh_1 += their half of dout      kMean  dh_t += dout / n
//   kMax        dh_t += dout where t has the maximum  kConcat: all three
//   kAttention  ds_t = a_t (dout . h_t - dout . out)  dh_t = a_t dout + ds_t w (1 - tanh(h_t)^2)
//               dw += sum over texts and t of ds_t tanh(h_t)
//
// Shapes   as above; dout as out; dw (D) with kAttention, otherwise empty; dh (T*B, D).
// Sets     dh; zero at steps of no text.
// Adds     to dw: the texts' parts in the order of texts.
// Source   docs/math/pooling.md.
void pooling_backward(Workers& workers, const PoolingShape& shape, std::span<const float> w, MatView<const float> h,
                      const PoolingTape& tape, MatView<const float> dout, std::span<float> dw, MatView<float> dh);

}  // namespace unroll
