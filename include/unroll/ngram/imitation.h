// Writes an n-gram model that imitates a network, for programs that read only n-grams.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unroll/model.h"
#include "unroll/text.h"

namespace unroll {

// Largest order of an imitation.
inline constexpr std::int64_t kLargestImitation = 9;

struct ImitationOptions {
  std::int64_t order = 3;  // 1 to 9
  // The text on which the network's predictions are learned, viewed; none: text that the network writes itself.
  std::optional<NamedText> text = {};
  std::int64_t tokens = 500000;  // of the text that the network writes
  std::uint64_t seed = 1;        // of the text that it writes
  double prune = 1e-7;           // n-grams that change the perplexity by a smaller share are dropped; 0: none
  int threads = 0;               // 0: one per core that the process may use; any number gives the same file
  // Progress of the present pass: what it does, tokens done, tokens in all. May be empty.
  std::function<void(const std::string& what, std::int64_t done, std::int64_t total)> progress = {};
};

// Statistics of the n-grams that were written.
struct Imitation {
  std::vector<std::int64_t> before_pruning;  // n-grams by order
  std::vector<std::int64_t> ngrams;          // in the file: the highest orders are left out where they hold none
  std::int64_t tokens = 0;                   // of the part of the text that was learned from
  std::int64_t held_out = 0;                 // tokens of the other tenth of the text
  double network_perplexity = 0;             // on these
  double ngram_perplexity = 0;
  double largest_sum_error = 0;  // |1 - sum of p| over all contexts, of the numbers in the file
};

// Writes an ARPA file of n-grams that imitate `model` to `path`.
//
// At each place of a context c in a text, the network predicts a whole distribution, from all of the text before. The
// n-grams list the mean of these, smoothed towards the shorter context where c is rare:
//
//   p(w | c) = (sum of p_network(w | all before) over the n places of c + 5 p(w | c without its first word)) / (n + 5)
//
// for each word w that follows c in the text, or that the network once gave at least 0.01; all others back off. N-grams
// that hardly change the perplexity are then dropped (Stolcke 1998), and the order is lowered where none of the longest
// is left. "<eos>" is "</s>"; "<unk>" is a word like any
// other. Every context sums to 1 within 1e-6 before a file is written. The same model, options and instruction set give
// the same file. (docs/math/ngram.md)
//
// Throws Error{kUsage} for options out of range, for a model whose tokens are not words, whose vocabulary holds "<s>"
// or "</s>" as words or lacks "<unk>", or that does not predict the first word of a line (BeginPolicy::kNone);
// Error{kInput} for a text that cannot be read or has less than two lines, or where no line ends in what the network
// writes; Error{kNumeric} where predictions are NaN or infinite or contexts do not sum to 1; Error{kFile} where the
// file cannot be written.
Imitation imitate(const Model& model, const ImitationOptions& options, const std::string& path);

}  // namespace unroll
