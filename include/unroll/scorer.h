// The probability of text under a model, token by token. Natural logarithms (nats) throughout.
//
//   unroll::Scorer scorer(unroll::Model::load("book.safetensors"));
//   const unroll::Score score = scorer.score("In the beginning");
//   std::cout << score.log_prob << " nats, " << score.tokens.size() << " tokens\n";
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  std::string text;       // of the symbol as the input has it; "\n" or "<eos>" for a closing boundary
  double log_prob = 0;    // nats, <= 0; what it adds to the line if it counts
  bool counted = true;    // false: left out of the line's sum: UnknownPolicy::kSkip (log_prob is that of <unk>), given
  bool given = false;     // not predicted (BeginPolicy::kNone): log_prob is 0, rank 1, entropy 0
  bool unknown = false;   // the vocabulary lacks it: it is read, and scored, as <unk>
  std::int64_t rank = 1;  // 1 + number of symbols that are more probable
  double entropy = 0;     // of the prediction, nats
  std::int64_t offset = 0;  // first byte in the scored text
};

// One scored line.
struct Score {
  double log_prob = 0;             // nats: the sum over the predictions that count
  std::int64_t predictions = 0;    // the number of those
  std::vector<TokenScore> tokens;  // of the whole line, counted or not; empty without ScorerOptions::tokens
  std::int64_t unknown_tokens = 0;
  std::int64_t length = 0;  // tokens of the line, counted or not, with its closing boundary where that is scored
};

// What messages call a line, by its index among the lines of a call.
using LineNames = std::function<std::string(std::size_t index)>;

struct ScorerOptions {
  Accounting accounting = {};          // which tokens a line's score is the sum of
  bool tokens = true;                  // keep the score of each token, not of lines only: about 100 bytes a token
  bool ranks = true;                   // compute its rank and entropy; without, these are 1 and 0
  int threads = 0;                     // 0: one per core that the process may use
  Adaptation adaptation = {};          // to the lines in their order
  std::string label = {};              // of a model with conditions: what the lines are given; required there
  std::optional<NgramMix> ngram = {};  // log_prob, rank and entropy are then those of the mixture
  // Called from the thread that called score(), between windows: tokens read of all of the call, contexts and
  // boundaries too. May be empty. What it throws ends the call; a Scorer that carries state or adapts is of no use
  // then.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

// Scores lines of text. A line's score depends on the model and, where state is carried or the model is adapted to the
// text, on the lines before it; never on the lines next to it in a batch or on the number of threads: the same line
// gets the same bits. A cache is kept from line to line even where the hidden state is reset.
//
// With a label each line begins from its state; lines are then read by themselves.
//
// All log-probabilities are natural logarithms (nats); divide by ln 2 for bits, by ln 10 for decimal ones.
// Not for two threads at once; several Scorers may share a Model.
class Scorer {
 public:
  // Throws what check() throws for accounting and adaptation, Error{kInput} for a context that the tokenizer cannot
  // read, Error{kMemory} where threads cannot be started, and Error{kUsage} for more than 1024 of them, for a label
  // that the model does not have, for one together with a carried state, a cache or dynamic evaluation, for a context
  // together with a cache or dynamic evaluation, for dynamic evaluation of an int8 model, for a lambda out of range,
  // for n-grams with a model whose tokens are not words or whose vocabulary lacks "<unk>" or a boundary, for n-grams
  // without "</s>" or without any of the model's words, and for a state or begin policy that needs a boundary which the
  // vocabulary lacks.
  explicit Scorer(Model model, const ScorerOptions& options = {});
  ~Scorer();
  Scorer(Scorer&&) noexcept;
  Scorer& operator=(Scorer&&) noexcept;

  // Sets ScorerOptions::tokens and ranks from the next call of score() on. No bit of a log-probability depends on them.
  void keep(bool tokens, bool ranks) noexcept;

  // Scores one line (without its newline). Throws Error{kInput} for text that the tokenizer cannot read, and where a
  // lambda of 0 leaves a word to n-grams that give it no probability; Error{kNumeric} where weights or state overflow.
  // Such an Error has the line's index().
  [[nodiscard]] Score score(std::string_view line);

  // Scores many lines, in order; equal to calling score() on each, only faster: where state is reset, lines of similar
  // length run side by side, so give it some thousands of tokens at once. Needs memory for all their scores.
  //
  // An Error names and indexes the first line that is to blame ("line 3" without `names`). After Error{kInput} the
  // lines before that one can be scored all the same: they get the scores that they would have got without it.
  [[nodiscard]] std::vector<Score> score(std::span<const std::string> lines, const LineNames& names = {});
  [[nodiscard]] std::vector<Score> score(std::initializer_list<std::string_view> lines, const LineNames& names = {});

  // The state before anything was read: zeros, and the boundary symbol as input; -1 with BeginPolicy::kNone. It does
  // not hold the context of the accounting: step() through its tokens.
  [[nodiscard]] State initial_state() const;

  // ln p(token | state) in nats; advances the state past the token. After an input of -1 the token is given: 0. Of the
  // adaptation only the temperature is applied, because a state does not hold the rest; n-grams and accounting are
  // ignored. Apart from that the bits equal those of score(). Throws Error{kUsage} for a state or a symbol that is not
  // this model's, Error{kNumeric} on overflow.
  double step(State& state, std::int32_t token);

  // ln p of each of the V symbols after `state`, in nats. Adapts and throws as step() does, and for an input of -1,
  // after which nothing is predicted.
  [[nodiscard]] std::vector<double> next_log_probs(const State& state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
