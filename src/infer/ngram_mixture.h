// An n-gram model over a network's vocabulary, and the mixture of both as NgramMix defines it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/prediction.h"
#include "kernels/softmax.h"
#include "text/window.h"
#include "unroll/ngram/ngram.h"
#include "unroll/tokenizer.h"

namespace unroll {

// ln(lambda e^network + (1 - lambda) e^ngram). Requires a finite `network`; returns `ngram` to the bit where lambda is
// 0.
[[nodiscard]] double log_of_mixture(double lambda, double network, double ngram);

// The lambda that makes a text most probable under the mixture, from ln p of its words by both models; within 2^-40.
// (The sum of logarithms is concave in lambda.)
[[nodiscard]] double best_lambda(std::span<const double> network, std::span<const double> ngram);

// Ids are the network's. Reading a boundary sets the n-gram's state to that at the start of a line.
//
// Numerics logarithms and sums in double; -infinity where the n-gram gives no probability.
// Threads  const members may be called by any number of them.
class NgramMixture {
 public:
  // Throws Error{kUsage} for a lambda out of range, for a tokenizer whose tokens are not words, and for n-grams without
  // "</s>" or without any of the words.
  NgramMixture(const NgramMix& mix, const Tokenizer& tokenizer);

  [[nodiscard]] NgramState begin() const { return ngram_.begin(); }
  void read(NgramState& state, std::int32_t id) const;

  // ln p_ngram(id | state); advances the state past `id`. +infinity where wrong back-off weights make it more than 0.
  double log_prob(NgramState& state, std::int32_t id) const;

  // ln p_ngram of each id of a text that begins at the start of a line. Throws Error{kInput} naming the line, by
  // `text_name` and its number, where it would be +infinity.
  [[nodiscard]] std::vector<double> log_probs(std::span<const std::int32_t> ids, std::string_view text_name) const;

  // p_ngram of every id after `state`.
  [[nodiscard]] std::vector<double> probabilities(const NgramState& state) const;

  // log_of_mixture() with its own lambda.
  [[nodiscard]] double mixed(double network, double ngram) const { return log_of_mixture(lambda_, network, ngram); }

  [[nodiscard]] double lambda() const noexcept { return lambda_; }

 private:
  // The probability of a word that the file does not list, and of the network's unknown word, from those of all words
  // of the file.
  [[nodiscard]] double share_of_unknown(std::span<const double> listed) const;
  [[nodiscard]] double unknown_probability(std::span<const double> listed) const;

  Ngram ngram_;
  double lambda_;
  std::int32_t boundary_;
  std::int32_t unknown_;
  std::int32_t file_unknown_;            // the file's word for all that it does not list; -1: none
  std::vector<std::int32_t> places_;     // of each id in the file; -1: not listed
  std::vector<std::int32_t> unclaimed_;  // of words of the file that the network does not know
  double shares_ = 0;                    // of the file's "<unk>"
};

// The mixture; none where lambda is 1, or without n-grams. Throws what NgramMixture throws in either case.
[[nodiscard]] std::optional<NgramMixture> mixture_of(const std::optional<NgramMix>& mix, const Tokenizer& tokenizer);

// Whether log_prob is -infinity because a lambda of 0 leaves the prediction to the n-grams alone.
[[nodiscard]] bool denied_by_ngrams(double log_prob, const std::optional<NgramMix>& mix) noexcept;

// The message of an Error{kInput} about such a word at `where`.
[[nodiscard]] std::string denied_by_ngrams_message(std::string_view where);

// The message of an Error{kInput} about a word at `where` to which back-off weights give more than 1.
[[nodiscard]] std::string overweight_message(std::string_view where, const Ngram& ngram, std::string_view word);

// The n-grams' predictions of windows: row b continues row b of the window before. A row should begin with a boundary;
// until one is read its context is empty.
class NgramRows {
 public:
  // Views the mixture, which must outlive it.
  explicit NgramRows(const NgramMixture& mixture) : mixture_(&mixture) {}

  // Reads the next window, which may have fewer rows than the one before. The const members are about this window.
  void read(const Window& window, Detail detail);

  // ln p of target r of the window by the mixture, where the network's ln p is `network`.
  [[nodiscard]] double mixed(std::int64_t r, double network) const;

  // The same with rank and entropy, from the network's ln p of every id. Requires a read() with kRankAndEntropy. May be
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
