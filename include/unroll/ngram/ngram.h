// Back-off n-gram models from ARPA files, alone or mixed with a network.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The context of an n-gram model: at most the last order() - 1 words, as far as they affect its predictions.
// A value: copy it to branch; equal states predict alike.
struct NgramState {
  std::vector<std::uint32_t> context = {};  // nodes of the last one, two, ... words in the model

  friend bool operator==(const NgramState&, const NgramState&) = default;
};

// The largest deviation from 1 of the probabilities after a context that counts as rounding.
inline constexpr double kNgramSumTolerance = 0.01;

// How near to 1 the probabilities after a context sum.
struct NgramSums {
  std::int64_t contexts = 0;       // that were summed: the empty one, and a sample of each length
  std::int64_t wrong = 0;          // of these, off by more than kNgramSumTolerance
  double worst_sum = 1;            // that is the farthest from 1
  std::string worst_context = {};  // whose it is, spaces between its words; empty: the empty context
};

// A back-off model of words:
//
//   p(w | c) = the probability that the file lists for the n-gram c w, if it lists one; else
//              backoff(c) p(w | c without its first word), where backoff(c) is 1 if the file lists none
//
// Immutable; copies share their data; const members may be called from any number of threads. Takes 16 bytes per
// n-gram, 8 per n-gram of the highest order, and about 130 per word. (Katz 1987; docs/math/ngram.md)
class Ngram {
 public:
  // Reads an ARPA file of any order, plain or gzip. Accepts text before \data\ and after \end\, blanks and empty lines
  // anywhere between, either line end, -inf for a probability of 0, back-off weights at the highest order (ignored),
  // and log-probabilities up to 0.01 above 0, which IRSTLM writes and which count as 0.
  //
  // A file whose probabilities do not sum to 1 is read as it is; see sums().
  //
  // Throws Error{kFile}, and Error{kFormat} naming file and line, and the column if a single field is wrong: a first
  // line that names IRSTLM's iARPA or qARPA, whose numbers are not back-off probabilities, no \data\, counts that are
  // not of order 1, 2, ... or differ from the sections, a missing section or \end\, a field that is not a number, a
  // probability above 1, a duplicate n-gram or word, a word that is not a 1-gram, an n-gram whose context (all its
  // words but the last) is not listed.
  static Ngram load(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept;  // of the file
  [[nodiscard]] std::int64_t order() const noexcept;
  [[nodiscard]] std::int64_t size() const noexcept;  // words, special ones included

  // Number of n-grams of this order. Throws Error{kUsage} unless it is 1 to order().
  [[nodiscard]] std::int64_t count(std::int64_t order) const;

  // What the words except "<s>" sum to: after the empty context, and after up to 2,000 contexts of each longer length
  // (all of them where there are at most 1,000). `wrong` above 0 tells a file that was edited or filtered, or that is
  // not a back-off model. Computed by load(), in a tenth of a second at most for each order.
  [[nodiscard]] const NgramSums& sums() const noexcept;

  // The number of a word, 0 to size() - 1; -1 if it is not listed.
  [[nodiscard]] std::int32_t id(std::string_view word) const;

  // The word with this number. Throws Error{kUsage} if there is none.
  [[nodiscard]] const std::string& word(std::int32_t id) const;

  [[nodiscard]] std::int32_t unknown() const noexcept;  // id of "<unk>", or else of "<UNK>"; -1 if not listed
  [[nodiscard]] std::int32_t end() const noexcept;      // id of "</s>"; -1 if not listed

  // The state at the start of a line: after "<s>", or the empty context if the file does not list "<s>".
  [[nodiscard]] NgramState begin() const;

  // Returns ln p(word | state), in nats, and advances `state` past the word. For -1, a word that is not listed, returns
  // -infinity and resets the context. Throws Error{kUsage} for an id that is not below size(), and for a state of
  // another model where that can be detected.
  double log_prob(NgramState& state, std::int32_t word) const;

  // Advances `state` past `word` without computing its probability. Throws as log_prob().
  void read(NgramState& state, std::int32_t word) const;

  // Sets out[w] to p(w | state) for every word; out (size()). Costs size() multiplications, and a look at each n-gram
  // of the state's contexts. Throws Error{kUsage} for an `out` of another size, and as log_prob() for the state.
  void probabilities(const NgramState& state, std::span<double> out) const;

 private:
  struct Data;
  explicit Ngram(std::shared_ptr<const Data> data) noexcept;
  std::shared_ptr<const Data> data_;
};

// A network interpolated with an n-gram model, word by word:
//
//   p(w) = lambda p_network(w) + (1 - lambda) p_ngram(w)
//
// For models whose tokens are words, with "<unk>" and a boundary in their vocabulary. The n-gram context is reset on
// each line, whether or not the network's state is carried. A word that the network does not know is "<unk>" to both.
// p_ngram is over the network's vocabulary, and sums to 1 over it as it does over the file's words except "<s>":
//
//   a word that the file lists   its probability
//   the closing boundary         that of "</s>"
//   words that it does not list  equal shares of its "<unk>", one of them for the network's "<unk>"; 0 if it has none
//   the network's "<unk>"        that share, plus all words of the file that the network does not know
//
// A word "<UNK>" of the network that is not its unknown word is the file's word "<UNK>", which is then not the file's
// unknown word.
//
// Nothing predicts "<s>": the number that files list for it (KenLM 0, SRILM -99) is not a probability. Back-off weights
// that give a word of a text a probability above 1 are an Error{kInput} naming the text's line, file and word; up to
// 0.05 nats above, which is rounding, it counts as 1.
//
// With lambda 1, predictions keep every bit. (Jelinek & Mercer 1980; docs/math/ngram.md)
struct NgramMix {
  Ngram ngram;
  double lambda = 0.5;  // the network's weight, 0 to 1
};

}  // namespace unroll
