// The probability of text under a model, token by token. Natural logarithms (nats) throughout.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/adaptation.h"
#include "unroll/model.h"

namespace unroll {

// What a model remembers: the hidden state of every layer and the symbol that it reads next.
//
// A value: copy it to branch, compare it to find equal histories, keep its numbers to go on later. Its size
// depends on the network alone, not on how much was read.
struct State {
  std::vector<float> h;    // (L, H)
  std::vector<float> c;    // (L, H) for LSTM, empty for other cells
  std::int32_t input = 0;  // the symbol that was read last and enters the network at the next step

  friend bool operator==(const State&, const State&) = default;
};

// One predicted symbol.
struct TokenScore {
  std::int32_t id = 0;
  std::string text;         // of the symbol as the input has it; "\n" or "<eos>" for a closing boundary
  double log_prob = 0;      // nats, <= 0
  std::int64_t rank = 1;    // 1 + number of symbols that were more probable
  double entropy = 0;       // of the prediction, nats
  std::int64_t offset = 0;  // first byte in the scored text
};

// One scored line.
struct Score {
  double log_prob = 0;             // nats: the sum over the predictions that count
  std::int64_t predictions = 0;    // how many those are
  std::vector<TokenScore> tokens;  // each of them; empty without ScorerOptions::tokens
  std::int64_t unknown_tokens = 0;
};

struct ScorerOptions {
  StatePolicy state = StatePolicy::kReset;  // kCarry: each line goes on from the state after the line before
  bool end = true;                          // a line's score includes its closing boundary
  bool tokens = true;                       // keep the score of each token, not of lines only: about 90 bytes a token
  int threads = 0;                          // 0: as many as there are cores
  Adaptation adaptation = {};               // to the lines as they come
};

// Scores lines of text. A line's score depends on the model and, where state is carried or the model is adapted to the
// text, on the lines before; never on what it is batched with, on its place in the batch, or on the number of threads:
// the same line gets the same bits. A cache goes on from line to line, whatever becomes of the hidden state.
// Not for two threads at once; several Scorers may share a Model.
class Scorer {
 public:
  explicit Scorer(Model model, const ScorerOptions& options = {});
  ~Scorer();
  Scorer(Scorer&&) noexcept;
  Scorer& operator=(Scorer&&) noexcept;

  // Scores one line (without its newline). Throws Error{kInput} for text that the tokenizer cannot read.
  [[nodiscard]] Score score(std::string_view line);

  // Scores many lines, in order; equal to calling score() on each, only faster. `first_line` is the number of the
  // first one in its file, for messages.
  [[nodiscard]] std::vector<Score> score(std::span<const std::string> lines, std::int64_t first_line = 1);

  // Before anything was read: zero state, the boundary symbol as input.
  [[nodiscard]] State initial_state() const;

  // Log-probability (nats) of `token` after `state`, which moves on past it. Of the adaptation only the temperature
  // counts: a state does not hold the rest. The bits equal those of score() but for that.
  double step(State& state, std::int32_t token);

  // Log-probabilities (nats) of all V symbols after `state`, which stays as it is; adapted as for step().
  [[nodiscard]] std::vector<double> next_log_probs(const State& state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
