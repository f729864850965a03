// Back-off n-grams from ARPA files, by themselves and beside a network.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// What an n-gram model remembers of the words before: the last order() - 1 of them, as far as that changes what it
// predicts. A value: copy it to branch; equal states predict alike.
struct NgramState {
  std::vector<std::uint32_t> context = {};  // where the last one, two, ... words stand in the model

  friend bool operator==(const NgramState&, const NgramState&) = default;
};

// A back-off model of words:
//
//   p(w | c) = what the file lists for the n-gram c w, or where it does not list it
//              backoff(c) p(w | c without its first word), with a backoff of 1 where the file lists none for c
//
// Immutable; copies share it; every const member may be called from any number of threads. It takes 16 bytes for an
// n-gram, 8 for one of the highest order, and some 130 for a word. (Katz 1987; docs/math/ngram.md)
class Ngram {
 public:
  // Reads an ARPA file of any order, plain or gzip. Taken as they come: text before \data\ and after \end\, blanks and
  // empty lines anywhere between, either line end, -inf for no probability, back-off weights at the highest order
  // (which mean nothing), and log-probabilities up to 0.01 above 0, which IRSTLM writes and which stand for 0.
  //
  // Throws Error{kFile}, and Error{kFormat} naming file and line, and the column where it is one field that is wrong:
  // no \data\, counts that are not of order 1, 2, ... or not what the sections hold, a section or \end\ missing, what
  // is no number, a probability above 1, an n-gram or a word twice, a word that is no 1-gram, an n-gram whose context
  // (all its words but the last) is not listed.
  static Ngram load(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept;  // of the file
  [[nodiscard]] std::int64_t order() const noexcept;
  [[nodiscard]] std::int64_t size() const noexcept;  // words, those with a meaning of their own included

  // n-grams of that order. Throws Error{kUsage} unless it is 1 to order().
  [[nodiscard]] std::int64_t count(std::int64_t order) const;

  // The number of a word, 0 to size() - 1; -1 where it is not listed.
  [[nodiscard]] std::int32_t id(std::string_view word) const;

  // The word of a number. Throws Error{kUsage} where there is none.
  [[nodiscard]] const std::string& word(std::int32_t id) const;

  [[nodiscard]] std::int32_t unknown() const noexcept;  // id of "<unk>", or else of "<UNK>"; -1: it has none
  [[nodiscard]] std::int32_t end() const noexcept;      // id of "</s>"; -1: it has none

  // At the start of a line: after "<s>", or after nothing where the file does not list that.
  [[nodiscard]] NgramState begin() const;

  // ln p(word | state), nats; `state` moves on past the word. Of -1, a word that is not listed: -infinity, and nothing
  // is known of what stood before the next word. Throws Error{kUsage} for an id that is not below size(), and for a
  // state of other n-grams where it shows.
  double log_prob(NgramState& state, std::int32_t word) const;

  // Moves on without asking. Throws the same.
  void read(NgramState& state, std::int32_t word) const;

  // p of every word after `state`: out (size()). Takes the time of size() multiplications and of the n-grams that the
  // state's contexts have. Throws Error{kUsage} for an `out` of another size, and as log_prob() for the state.
  void probabilities(const NgramState& state, std::span<double> out) const;

 private:
  struct Data;
  explicit Ngram(std::shared_ptr<const Data> data) noexcept;
  std::shared_ptr<const Data> data_;
};

// A network and an n-gram model as one. What is mixed is the probability of every word:
//
//   p(w) = lambda p_network(w) + (1 - lambda) p_ngram(w)
//
// For models whose tokens are words. The n-gram starts anew on each line, whatever becomes of the network's state. A
// word that the network does not know is "<unk>" to both. p_ngram is over the network's vocabulary, and sums to 1 over
// it as it does over the file's words but "<s>":
//
//   a word that the file lists   what it lists
//   the closing boundary         "</s>"
//   words that it does not list  its "<unk>" in equal shares, the network's "<unk>" having one; 0 where it has none
//   the network's "<unk>"        besides that share, all words of the file that the network does not know
//
// Nothing predicts "<s>": what files list for it (KenLM 0, SRILM -99) is no probability. Back-off weights that give a
// word of a text more than 1 are an Error{kInput} that names file and word; up to 0.05 nats above, which rounding may
// make, it counts as 1.
//
// Where lambda is 1, predictions keep every bit. (Jelinek & Mercer 1980; docs/math/ngram.md)
struct NgramMix {
  Ngram ngram;
  double lambda = 0.5;  // the network's share, 0 to 1
};

}  // namespace unroll
