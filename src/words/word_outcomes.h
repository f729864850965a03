// Best-first search over word prefixes: entropy bounds, rank and alternatives at one position.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/inference.h"
#include "unroll/score/word_scorer.h"
#include "words/word_symbols.h"

namespace unroll {

// ln of the sum of e^x over the x of these symbols.
[[nodiscard]] double log_sum(std::span<const double> log_probs, std::span<const std::int32_t> ids);

// A position in a text, before a word: the state there, and the prediction of the next symbol.
struct WordPlace {
  std::span<const float> state;       // a row of NetworkState, after the symbol before was read
  std::span<const double> log_probs;  // of the next symbol, (V)
  WordStage before = WordStage::kSpace;
};

// Searches outcomes. A prefix u of d symbols has the mass m(u) = p(the word begins with u | h), an outcome its
// probability. With the outcomes R that were reached and the prefixes F that were not expanded,
//
//   lower  sum over R of -p ln p  +  sum over F of -m ln m
//   upper  lower  +  sum over F of m (longest - d) ln C,   C = 1 + the number of symbols that do not close a word
//
// Not for two threads at once.
class WordOutcomes {
 public:
  // The result for one position.
  struct Found {
    Bounds entropy;
    std::optional<std::int64_t> rank;
    std::vector<WordAlternative> top;
  };

  // All of these must outlive this. `inference` must take windows of kBatch rows.
  WordOutcomes(Inference& inference, const WordVocabulary& vocabulary, const WordScorerOptions& options);

  // Prefixes that are expanded side by side.
  static constexpr std::int64_t kBatch = 16;

  // `log_prob` is that of the word whose rank is asked for.
  [[nodiscard]] Found search(const WordPlace& place, double log_prob);

 private:
  // A prefix of a word, or a whole word: the symbol after that of `parent` (-1: the first).
  struct Prefix {
    double log_mass = 0;
    std::int32_t symbol = 0;
    std::int32_t parent = -1;
    std::int32_t depth = 1;
    WordStage stage = WordStage::kSpace;
  };
  // An expanded prefix.
  struct Opened {
    Prefix prefix;
    std::vector<float> state;  // after its last symbol was read
  };

  void expand_root(const WordPlace& place);
  void expand(std::span<const Prefix> prefixes, const WordPlace& place);
  // Sorts the symbols after the prefix opened_[index] into outcomes and further prefixes.
  void branch(std::int32_t index, std::span<const double> log_probs);
  void keep_most_probable(std::vector<Prefix>& children);
  // Drops a prefix unexpanded.
  void drop(const Prefix& prefix);
  void add_outcome(const Prefix& prefix);
  [[nodiscard]] Found result(double log_prob);
  [[nodiscard]] std::string text_of(const Prefix& prefix) const;

  Inference& inference_;
  const WordVocabulary& vocabulary_;
  const WordScorerOptions& options_;
  double log_choices_;  // ln C
  std::vector<Opened> opened_;
  std::vector<Prefix> frontier_;  // a heap by mass
  std::vector<Prefix> outcomes_;
  std::vector<Prefix> children_;   // scratch
  std::vector<double> log_probs_;  // scratch: (kBatch, V)
  double entropy_ = 0;             // of outcomes and dropped prefixes
  double slack_ = 0;               // of dropped prefixes
  double most_dropped_ = 0;        // the largest ln m of these
  Window window_;
};

}  // namespace unroll
