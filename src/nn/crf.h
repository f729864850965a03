// A linear-chain conditional random field: the probability of a text's labels, one per step, from the scores of each
// label at each step and of each pair of neighbouring labels.
//
//   score(y) = start[y_1] + sum over t of scores_t[y_t] + sum over t < n of transitions[y_t][y_t+1] + end[y_n]
//   p(y)     = e^score(y) / Z,   Z = the sum of e^score over all K^n sequences of labels
//
// Shapes   scores (T*B, K): step t of row b of the window is row t*B+b; labels (T*B), 0 .. K-1 at the steps of texts;
//          transitions (K, K) by label and next label, start (K), end (K). Steps of no text are neither read nor set.
// Numerics everything in double, as logarithms: no score overflows or vanishes. Each sum has one order; the bits of a
//          text depend neither on other texts nor on its place. NaN in the scores of a text gives NaN.
// Cost     n K^2 exponentials per text, three times that with the gradient.
// Threads  functions with `workers` use them; the others are reentrant.
// Source   Lafferty, McCallum & Pereira 2001; docs/math/crf.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "text/window.h"

namespace unroll {

// The R texts of a window.
struct CrfShape {
  std::int64_t B = 0;
  std::int64_t K = 0;
  std::span<const WindowPiece> pieces;
  std::span<const WindowText> texts;
};

// T is float, or const float for reading.
template <class T>
struct CrfParams {
  MatView<T> transitions;  // (K, K) [label][next label]
  std::span<T> start;      // (K)
  std::span<T> end;        // (K)
};

// Scratch; its vectors grow to the size of the window.
struct CrfTape {
  std::vector<double> before;   // (T*B, K) ln of the sum of e^score over all beginnings that end in this label here
  std::vector<double> after;    // (T*B, K) the same over all ends that begin with this label here
  std::vector<double> log_sum;  // (R) ln Z
};

// Bytes of a tape for windows of `steps` = T*B steps.
[[nodiscard]] std::int64_t crf_tape_bytes(std::int64_t steps, std::int64_t K) noexcept;

// log_probs[r] = ln p(labels of text r).
void crf_log_probs(Workers& workers, const CrfShape& shape, const CrfParams<const float>& params,
                   MatView<const float> scores, std::span<const std::int32_t> labels, CrfTape& tape,
                   std::span<double> log_probs);

// The same with the gradient of  sum over r of -weights[r] log_probs[r].  With w the text's weight, p_t(k) the
// probability of label k at step t and p_t(i, j) that of i at step t and j after it:
//
//   dscores_t[k]      = w (p_t(k) - [k = y_t])
//   dtransitions[i][j] += sum over texts and t of w (p_t(i, j) - [i = y_t, j = y_t+1])
//   dstart[k]          += sum over texts of w (p_1(k) - [k = y_1])      dend: the same at step n
//
// Sets     scores, which become dscores.
// Adds     to dparams: one sum over the window in double, in the order of texts and steps.
void crf_loss_and_gradient(Workers& workers, const CrfShape& shape, const CrfParams<const float>& params,
                           MatView<float> scores, std::span<const std::int32_t> labels, std::span<const float> weights,
                           CrfTape& tape, std::span<double> log_probs, const CrfParams<float>& dparams);

// probabilities (T*B, K): row t*B+b is p_t, the probability of each label there given the whole text; they add to 1.
void crf_marginals(Workers& workers, const CrfShape& shape, const CrfParams<const float>& params,
                   MatView<const float> scores, CrfTape& tape, MatView<double> probabilities);

// Which sequences may be answered. A table is empty if it forbids nothing.
struct AllowedLabels {
  std::vector<std::uint8_t> transitions;  // (K*K) [label * K + next label]: 1 if it may follow
  std::vector<std::uint8_t> start;        // (K) 1 if a text may begin with it
  std::vector<std::uint8_t> end;          // (K) 1 if a text may end with it
};

struct LabelSequence {
  std::vector<std::int32_t> labels;  // one per step
  double score = 0;
};

// The `most` allowed sequences of labels of one text with the highest scores, best first (Viterbi for one): fewer if no
// more are allowed. Of equal scores the sequence comes first whose label is smaller where they last differ.
// ln p of a sequence is its score - crf_log_sum(). NaN counts as the lowest score. Costs n K^2 `most` steps.
//
// Without transitions between labels (`params` of zeros) these are the best sequences of independent labels.
[[nodiscard]] std::vector<LabelSequence> crf_best_sequences(const CrfShape& shape, const WindowText& text,
                                                            const CrfParams<const float>& params,
                                                            MatView<const float> scores, const AllowedLabels& allowed,
                                                            std::int64_t most);

// ln Z of one text: over all sequences, forbidden ones too.
[[nodiscard]] double crf_log_sum(const CrfShape& shape, const WindowText& text, const CrfParams<const float>& params,
                                 MatView<const float> scores);

}  // namespace unroll
