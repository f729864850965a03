// The probability of words under a model with any tokenizer. Natural logarithms (nats) throughout.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/model.h"
#include "unroll/state_policy.h"

namespace unroll {

// A number that is known to lie between two others, both included.
struct Bounds {
  double lower = 0;
  double upper = 0;
};

// A word that could stand at a position instead.
struct WordAlternative {
  std::string text;  // of the end of the line: the boundary's symbol, after any white space before it
  double log_prob = 0;
  bool end = false;
};

// One word of a line, or its end.
struct WordScore {
  std::string text;     // as the line has it; of the end the boundary's symbol: "\n" (or "\r\n"), "<eos>", "</s>"
  double log_prob = 0;  // nats: ln p(word | the line before it), its end included
  std::int64_t predictions = 0;  // symbols of the word
  std::int64_t unknown_symbols = 0;
  std::int64_t offset = 0;  // first byte in the line
  bool end = false;         // the end of the line

  // Of the outcomes at this position, before the word is read; not computed without WordScorerOptions::outcomes.
  Bounds entropy;                         // nats; both bounds are the same where tokens are words
  std::optional<std::int64_t> rank = {};  // 1 + number of more probable outcomes; none where undecided
  std::vector<WordAlternative> top = {};  // the most probable outcomes, by falling probability
};

struct WordScorerOptions {
  StatePolicy state = StatePolicy::kReset;  // kCarry: the state is kept from line to line
  bool end = true;                          // score the end of each line too
  double temperature = 1;                   // divides the logits
  bool outcomes = true;                     // entropy, rank and alternatives of each word
  std::int64_t top = 0;                     // number of alternatives
  std::int64_t budget = 256;                // prefixes of words that are expanded for each word
  std::int64_t longest = 16;                // longer words with the same first symbols count as one in the entropy
  int threads = 0;                          // 0: one per core that the process may use
};

// Scores the words of lines.
//
// A word is a run of text between white space; where tokens are words (kWord, kWhitespace), a token. White space is the
// six ASCII characters; for kSentencePiece the space, which is U+2581 in its pieces. It belongs to the word after it,
// and before the end of the line to the end. Characters of it that a kChar vocabulary lacks are read as a space, where
// it has one, so that they end words as well. With the symbols x_a .. x_b of a word after the history h
// (docs/math/words.md),
//
//   p(word | h) = prod_i P(x_i | h, x_a .. x_(i-1)) * B(h, word) / B(h)
//
// where B is the probability that the next symbol closes the word before it: that it begins with white space or is the
// boundary. It is 1 where the word is closed already (at the start of a line, after a symbol that ends with white
// space, and always where tokens are words). So
//
//   * the probabilities of all words and of the end of the line sum to 1 after every history,
//   * the product over a line and its end is the line's probability, that of Scorer (of the line with spaces for the
//     white space that the vocabulary lacks).
//
// A word means its symbols as the tokenizer cuts it: other symbols with the same spelling are other words, as
// everywhere in scoring.
//
// Entropy, rank and alternatives: where tokens are words these are exact. Otherwise prefixes of words are expanded, the
// most probable first, up to `budget` of them; each costs one step of the network. The unexpanded prefixes bound the
// entropy from both sides; rank and alternatives are given as far as these cannot change them. Words of more than
// `longest` symbols with the same first ones count as one.
//
// Bits     the same for any number of threads and whatever was scored before (but for the state carried on).
// Threads  not for two at once; several may share a Model.
// Sources  Oh & Schuler, "Leading whitespaces of language models' subword vocabulary pose a confound for calculating
//          word probabilities" (2024); Pimentel & Meister, "How to compute the probability of a word" (2024).
class WordScorer {
 public:
  // Throws Error{kUsage} for options out of range (temperature above 0, top at least 0, budget and longest at least 1)
  // for a vocabulary with a symbol that spans words, such as "of the", and for a model that does not predict the first
  // symbol of a line (BeginPolicy::kNone).
  explicit WordScorer(Model model, const WordScorerOptions& options = {});
  ~WordScorer();
  WordScorer(WordScorer&&) noexcept;
  WordScorer& operator=(WordScorer&&) noexcept;

  // The words of one line (without its newline), then its end. `line_number` is for messages. Throws Error{kInput} for
  // text that the tokenizer cannot read, Error{kNumeric} where the model's weights or its state overflow.
  [[nodiscard]] std::vector<WordScore> score(std::string_view line, std::int64_t line_number = 1);

  // Whether each token is a word, so that entropy, rank and alternatives are exact.
  [[nodiscard]] bool tokens_are_words() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
