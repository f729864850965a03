// An n-gram model over a network's vocabulary, and the mixture of both as NgramMix defines it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/prediction.h"
#include "kernels/softmax.h"
#include "text/batcher.h"
#include "unroll/ngram/ngram.h"
#include "unroll/tokenizer.h"

namespace unroll {

// ln(lambda e^network + (1 - lambda) e^ngram) for a network that is finite. Where lambda is 0: ngram, to the bit.
[[nodiscard]] double log_of_mixture(double lambda, double network, double ngram);

// The lambda with which the mixture of these ln p of a text's words has the largest sum of logarithms, within 2^-40.
// The sum is concave in lambda.
[[nodiscard]] double best_lambda(std::span<const double> network, std::span<const double> ngram);

// Ids are the network's. The n-gram's state is that at the start of a line wherever a boundary was read.
//
// Numerics logarithms and sums in double; -infinity where the n-gram gives no probability.
// Threads  const members may be called by any number of them.
class NgramMixture {
 public:
  // Throws Error{kUsage} for a lambda out of range, for a tokenizer whose tokens are no words, and for n-grams without
  // "</s>" or without any of the words.
  NgramMixture(const NgramMix& mix, const Tokenizer& tokenizer);

  [[nodiscard]] NgramState begin() const { return ngram_.begin(); }
  void read(NgramState& state, std::int32_t id) const;

  // ln p_ngram(id | state); `state` moves on past it. Throws Error{kInput} where back-off weights make it more than 0.
  double log_prob(NgramState& state, std::int32_t id) const;

  // The same of each id of a text, which begins with a line.
  [[nodiscard]] std::vector<double> log_probs(std::span<const std::int32_t> ids) const;

  // p_ngram of every id after `state`.
  [[nodiscard]] std::vector<double> probabilities(const NgramState& state) const;

  // log_of_mixture() with its own lambda.
  [[nodiscard]] double mixed(double network, double ngram) const { return log_of_mixture(lambda_, network, ngram); }

  [[nodiscard]] double lambda() const noexcept { return lambda_; }

 private:
  // From p of all words of the file: that of a word that it does not list, and of the network's unknown one.
  [[nodiscard]] double share_of_unknown(std::span<const double> listed) const;
  [[nodiscard]] double unknown_probability(std::span<const double> listed) const;
  [[noreturn]] void refuse_weights(std::int32_t id, double log_prob) const;

  Ngram ngram_;
  double lambda_;
  std::int32_t boundary_;
  std::int32_t unknown_;
  std::vector<std::int32_t> places_;     // of each id in the file; -1: not listed
  std::vector<std::int32_t> unclaimed_;  // of words of the file that the network does not know
  double shares_ = 0;                    // of the file's "<unk>"
};

// The mixture; none where lambda is 1, or where there is no n-gram. Throws what NgramMixture throws all the same.
[[nodiscard]] std::optional<NgramMixture> mixture_of(const std::optional<NgramMix>& mix, const Tokenizer& tokenizer);

// Whether a log_prob is -infinity because a lambda of 0 has left it to n-grams alone.
[[nodiscard]] bool denied_by_ngrams(double log_prob, const std::optional<NgramMix>& mix) noexcept;

// Throws Error{kInput} that says so of the word that stands at `where`.
[[noreturn]] void refuse_denied(const std::string& where);

// The n-gram's part in the rows of windows: row b goes on from row b of the window before. A row begins with a
// boundary, else nothing is known of what stood before it.
class NgramRows {
 public:
  // Views the mixture, which must outlive it.
  explicit NgramRows(const NgramMixture& mixture) : mixture_(&mixture) {}

  // Takes the next window, which may have fewer rows than the one before. The const members tell about it.
  void read(const Window& window, Detail detail);

  // ln p of target r of the window by the mixture with a network that says `network`.
  [[nodiscard]] double mixed(std::int64_t r, double network) const;

  // The same with rank and entropy, from what the network says about every id. Requires a read() with them. May be
  // called by any number of threads.
  [[nodiscard]] SymbolPrediction predict(std::int64_t r, std::span<const double> network) const;

 private:
  const NgramMixture* mixture_;
  std::vector<NgramState> rows_;
  std::vector<NgramState> before_;  // each target of the window; empty without rank and entropy
  std::vector<double> log_probs_;   // of each target
  std::vector<std::int32_t> targets_;
};

}  // namespace unroll
