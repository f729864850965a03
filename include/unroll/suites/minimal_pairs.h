// Minimal pairs: of two sentences that differ in little, does a model find the acceptable one more probable?
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "unroll/judge/interval.h"
#include "unroll/model.h"

namespace unroll {

struct MinimalPair {
  std::string good;        // the acceptable sentence
  std::string bad;         // the other one
  std::string paradigm;    // pairs of one kind
  std::string phenomenon;  // paradigms of one kind; empty where the file has none
  std::string place = {};  // what messages call it: "'pairs.tsv', line 3"; may be empty
};

// Reads pairs from a file, plain or gzipped.
//
// One that ends in .jsonl has an object per line as BLiMP has it (Warstadt et al. 2020): `sentence_good` and
// `sentence_bad`; `UID` is the paradigm, `linguistics_term` the phenomenon, other keys are ignored. Any other file has
// a pair per line: good, tab, bad, and optionally a tab and the paradigm. Without one, the paradigm is the file's name
// without folder and extension. Empty lines are skipped, and a carriage return at the end of a line.
//
// Throws Error{kFile}, and Error{kInput} naming file and line: not an object, a key that is missing or not a string, a
// sentence that is empty or holds a line end, too few or too many columns, a file without a pair.
[[nodiscard]] std::vector<MinimalPair> read_minimal_pairs(const std::string& path);

// One sentence under a model, nats.
struct SentenceScore {
  double log_prob = 0;  // of all its tokens, and with PairOptions::end the closing boundary
  std::int64_t tokens = 0;
  std::int64_t unknown_tokens = 0;
};

// One pair under a model. Sentences that the model reads as the same symbols score the same bits: a tie.
struct PairScore {
  SentenceScore good;
  SentenceScore bad;

  [[nodiscard]] bool correct() const noexcept { return good.log_prob > bad.log_prob; }
  [[nodiscard]] bool tie() const noexcept { return good.log_prob == bad.log_prob; }
  [[nodiscard]] bool unknown() const noexcept { return good.unknown_tokens + bad.unknown_tokens > 0; }
};

struct PairOptions {
  bool end = true;                                                           // the closing boundary counts
  int threads = 0;                                                           // 0: one per core that the process may use
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // pairs; may be empty
};

// Scores each sentence by itself, as Scorer does. Throws Error{kInput} for text that the tokenizer cannot read,
// naming the pair's place and the sentence, and for sentences that begin with different tokens where the model does not
// predict the first one (BeginPolicy::kNone).
[[nodiscard]] std::vector<PairScore> score_pairs(const Model& model, std::span<const MinimalPair> pairs,
                                                 const PairOptions& options = {});

}  // namespace unroll
