// The probability of text under a model, token by token. Natural logarithms (nats) throughout.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/adapt/adaptation.h"
#include "unroll/model.h"
#include "unroll/ngram/ngram.h"
#include "unroll/score/accounting.h"
#include "unroll/state.h"

namespace unroll {

// One predicted symbol.
struct TokenScore {
  std::int32_t id = 0;
  std::string text;         // of the symbol as the input has it; "\n" or "<eos>" for a closing boundary
  double log_prob = 0;      // nats, <= 0; what it adds to the line where it counts
  bool counted = true;      // false: left out of the line's sum (UnknownPolicy::kSkip); log_prob is then that of <unk>
  std::int64_t rank = 1;    // 1 + number of symbols that were more probable
  double entropy = 0;       // of the prediction, nats
  std::int64_t offset = 0;  // first byte in the scored text
};

// One scored line.
struct Score {
  double log_prob = 0;             // nats: the sum over the predictions that count
  std::int64_t predictions = 0;    // how many those are
  std::vector<TokenScore> tokens;  // all of the line, also those that do not count; empty without ScorerOptions::tokens
  std::int64_t unknown_tokens = 0;
};

struct ScorerOptions {
  Accounting accounting = {};  // what a line's score is the sum of
  bool tokens = true;          // keep the score of each token, not of lines only: about 100 bytes a token
  bool ranks = true;           // and its rank and entropy; without them these are 1 and 0, and nothing is computed
  int threads = 0;             // 0: one per core that the process may use
  Adaptation adaptation = {};  // to the lines as they come
  std::optional<NgramMix> ngram = {};  // what is told is the mixture of the adapted network with it
};

// Scores lines of text. A line's score depends on the model and, where state is carried or the model is adapted to the
// text, on the lines before; never on what it is batched with, on its place in the batch, or on the number of threads:
// the same line gets the same bits. A cache goes on from line to line, whatever becomes of the hidden state.
//
// All log-probabilities are natural logarithms (nats); divide by ln 2 for bits, by ln 10 for decimal ones.
// Not for two threads at once; several Scorers may share a Model.
class Scorer {
 public:
  // Throws what check() throws for accounting and adaptation, Error{kInput} for a context that the tokenizer cannot
  // read, Error{kMemory} where threads cannot be started, and Error{kUsage} for more than 1024 of them, for a context
  // together with a cache or dynamic evaluation, for dynamic evaluation of an int8 model, for a lambda out of range,
  // for n-grams beside a model whose tokens are no words, and for n-grams without "</s>" or without any of the model's
  // words.
  explicit Scorer(Model model, const ScorerOptions& options = {});
  ~Scorer();
  Scorer(Scorer&&) noexcept;
  Scorer& operator=(Scorer&&) noexcept;

  // Scores one line (without its newline). Throws Error{kInput} for text that the tokenizer cannot read, and where a
  // lambda of 0 leaves a word to n-grams that give it no probability; Error{kNumeric} where weights or state overflow.
  [[nodiscard]] Score score(std::string_view line);

  // Scores many lines, in order; equal to calling score() on each, only faster: where state is reset, lines of similar
  // length run side by side, so give it some thousands of tokens at once. Needs memory for all their scores.
  // `first_line` is the number of the first one in its file, for messages.
  [[nodiscard]] std::vector<Score> score(std::span<const std::string> lines, std::int64_t first_line = 1);
  [[nodiscard]] std::vector<Score> score(std::initializer_list<std::string_view> lines, std::int64_t first_line = 1);

  // Before anything was read: zero state, the boundary symbol as input. (The context of the accounting is not in it:
  // step() through its tokens.)
  [[nodiscard]] State initial_state() const;

  // ln p(token | state) in nats; `state` moves on past the token. Of the adaptation only the temperature counts: a
  // state does not hold the rest; n-grams and accounting do not count. The bits equal those of score() but for that.
  // Throws Error{kUsage} for a state or a symbol that is not this model's, and Error{kNumeric} where they overflow.
  double step(State& state, std::int32_t token);

  // ln p of each of the V symbols after `state`, in nats; the state stays as it is. Adapted and refused as by step().
  [[nodiscard]] std::vector<double> next_log_probs(const State& state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
