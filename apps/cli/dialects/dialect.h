// The output formats of `score`: its own, and those of other toolkits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/flags/log_base.h"
#include "unroll/score/accounting.h"
#include "unroll/score/loss_sums.h"
#include "unroll/scorer.h"
#include "unroll/tokenizer.h"

namespace unroll {

// What all lines have in common.
struct DialectContext {
  const Tokenizer& tokenizer;
  Accounting accounting;
  LogBase base = LogBase::kE;  // of dialects that leave it open
};

// A line of text and its score.
struct ScoredLine {
  std::int64_t number = 1;  // of the line in the text
  std::string_view id;      // of the utterance, where lines have one
  std::string_view text;    // what was scored
  const Score& score;
};

// Sums over lines.
struct ScoreTotals {
  std::int64_t lines = 0;
  std::int64_t tokens = 0;  // all, closing boundaries included where they are scored
  std::int64_t unknown_tokens = 0;
  std::int64_t bad = 0;  // lines that could not be scored
  LossSums loss = {};    // of tokens that count; where scores hold no tokens, none of them is unknown

  // Adds those of the next line.
  ScoreTotals& operator+=(const ScoreTotals& next);
};

// What a line adds.
[[nodiscard]] ScoreTotals totals_of_line(const DialectContext& context, const Score& score);

// What a summary says beside the sums.
struct SummaryContext {
  bool end = true;             // closing boundaries are scored
  std::string text_name = {};  // as the user gave it
};

// A dialect is a row of a table. Numbers are the shortest decimals that read back as the same double, in any locale, so
// that the rows of every dialect add up to the same sum.
struct Dialect {
  std::string_view name;
  std::string_view unit = {};     // of its numbers, for the header; empty where the base is the user's choice
  bool comments = false;          // its readers skip lines that begin with #, so the header stands in the output
  bool tokens = true;             // it wants the score of each token
  bool ranks = false;             // and their ranks or entropies
  bool of_words = false;          // only for tokenizers whose tokens are words
  bool ids = false;               // lines have ids
  bool leaves_out_blank = false;  // its rows and sums leave out lines of white space alone
  std::string_view columns = {};  // what its columns are, for the header; empty: nothing to say
  std::string_view title = {};    // first line of the output; empty: none
  std::string (*line)(const DialectContext& context, const ScoredLine& line);
  std::string (*summary)(const SummaryContext& context, const ScoreTotals& totals) = nullptr;  // may be null
};

// All of them, plain first.
[[nodiscard]] std::span<const Dialect> dialects();

// The dialect of that name. Throws Error{kUsage} naming the known ones.
[[nodiscard]] const Dialect& parse_dialect(std::string_view name);

// log_prob TAB tokens TAB text, the text as it is.
[[nodiscard]] std::string plain_line(const DialectContext& context, const ScoredLine& line);

// A token that is given (TokenScore::given) does not count in any of them, and has no rank and no entropy: NA or null.

// log_prob TAB rank TAB entropy TAB token for each token, NA for a log_prob that does not count; then an empty line.
[[nodiscard]] std::string token_lines(const DialectContext& context, const ScoredLine& line);

// {"text","log_base":"e","log_prob","unknown_tokens","tokens":[{"text","log_prob","rank","entropy","offset"}]} on one
// line, null for a log_prob that does not count; a text that is not valid UTF-8 also has "bytes", the list of its byte
// values.
[[nodiscard]] std::string json_object(const DialectContext& context, const ScoredLine& line);

// sentence_id TAB token_id TAB token TAB surprisal, ids from 1, bits, NA for a token that does not count. What the
// models of LM Zoo print and SyntaxGym reads.
[[nodiscard]] std::string surprisal_lines(const DialectContext& context, const ScoredLine& line);

// word sentid sentpos wlen surp entropy entred, separated by blanks, both ids from 0, bits. What neural-complexity
// prints (van Schijndel & Linzen 2018), but with a row for the closing boundary where that is scored.
//
//   surp     -log2 p(w_t), NA where the word does not count
//   entropy  H_t = -sum of p(w) log2 p(w) over the prediction of w_t, that is before it is read
//   entred   max(0, H_(t-1) - H_t), 0 for the first word: how much w_(t-1) reduced the uncertainty about the next word
//            (Hale 2006, with the entropy over the next word for that over whole sentences)
[[nodiscard]] std::string word_lines(const DialectContext& context, const ScoredLine& line);

// The block of `ngram -ppl -debug 2` for a sentence, and for the file; log10. ppl counts the closing boundary, ppl1
// does not. OOVs are unknown tokens that do not count, as in SRILM; "[ngram]" says how many symbols of the line, its
// begin included, are in context and token. A token that is given has no row and is not a word of the sums.
[[nodiscard]] std::string srilm_block(const DialectContext& context, const ScoredLine& line);
[[nodiscard]] std::string srilm_summary(const SummaryContext& context, const ScoreTotals& totals);

// The line of `query`: "word=id length log10prob" and a tab for each token, then "Total: x OOV: n". A token that does
// not count has 0. OOVs are all unknown tokens.
[[nodiscard]] std::string kenlm_line(const DialectContext& context, const ScoredLine& line);
[[nodiscard]] std::string kenlm_summary(const SummaryContext& context, const ScoreTotals& totals);

// One log10 probability: `rnnlm -nbest -debug 0`.
[[nodiscard]] std::string rnnlm_line(const DialectContext& context, const ScoredLine& line);

// "utterance lp lp ...", natural logarithms, 0 for a token that does not count: rnnlm-sentence-probs with the utterance
// id of a Kaldi table before it.
[[nodiscard]] std::string kaldi_line(const DialectContext& context, const ScoredLine& line);

// What a token adds to a sum: its log-probability in nats, 0 where it does not count.
[[nodiscard]] double added_nats(const TokenScore& token) noexcept;

// Whether the last token of the line is the closing boundary.
[[nodiscard]] bool has_end(const DialectContext& context, const Score& score);

}  // namespace unroll
