// What classifiers say about a text.
#pragma once

#include <cstdint>
#include <vector>

namespace unroll {

// What a model says about one text. Of K labels y_k is the network's score, T the model's temperature, and
//
//   p = softmax(y / T), of one label a text;     p_k = sigmoid(y_k / T), of any number (Task::multi_label)
//
// in double precision. Of several models each p_k is the mean of theirs.
struct ClassifiedText {
  std::vector<double> probabilities;         // (K) in the order of Classifier::labels(); softmax: their sum is 1
  std::vector<double> log_probs;             // (K) ln p_k, nats; exact where p_k is too small for a double
  std::vector<double> log_complements = {};  // (K) ln (1 - p_k), of any number of labels; else empty
  std::int64_t tokens = 0;          // of the text, without the boundary; read of it, as the first model cuts it
  std::int64_t unknown_tokens = 0;  // of these
  bool was_cut = false;             // longer than 4096 tokens: what follows them was not read
};

}  // namespace unroll
