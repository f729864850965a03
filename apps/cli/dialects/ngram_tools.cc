// What the toolkits of n-gram models print: SRILM and KenLM.
#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "cli/dialects/dialect.h"
#include "cli/streams/escaped.h"

namespace unroll {
namespace {

constexpr std::string_view kBegin = "<s>";
constexpr std::string_view kEnd = "</s>";

// How many symbols are in the context that the line gives to its token number `index`, and the token.
std::size_t ngram_length(std::size_t index) { return index + 2; }

bool is_end(const DialectContext& context, const Score& score, std::size_t index) {
  return has_end(context, score) && index + 1 == score.tokens.size();
}

// 10^(-log10 p per token), as both call it.
double perplexity(double nats, std::int64_t tokens) { return std::exp(-nats / static_cast<double>(tokens)); }

// SRILM names unknown words <unk>, since that is what it looked up.
std::string srilm_word(const DialectContext& context, const TokenScore& token) {
  return token.id == context.tokenizer.unknown() ? "<unk>" : escaped_field(token.text);
}

// KenLM's word for a perplexity of no tokens.
std::string kenlm_perplexity(double nats, std::int64_t tokens) {
  return tokens > 0 ? fmt::format("{}", perplexity(nats, tokens)) : "NaN";
}

struct SrilmCounts {
  std::int64_t sentences = 0;  // that are closed
  std::int64_t lines = 0;
  std::int64_t words = 0;
  std::int64_t left_out = 0;  // of them
  double nats = 0;
};

std::string srilm_perplexity(double nats, std::int64_t tokens) {
  return tokens > 0 ? fmt::format("{}", perplexity(nats, tokens)) : "undefined";
}

// The second line follows from the first, as readers expect: logprob / (words - OOVs + sentences).
std::string srilm_statistics(const SrilmCounts& counts) {
  const std::int64_t known = counts.words - counts.left_out;
  return fmt::format(
      "{} sentences, {} words, {} OOVs\n"
      "0 zeroprobs, logprob= {} ppl= {} ppl1= {}\n",
      counts.lines, counts.words, counts.left_out, in_base(counts.nats, LogBase::k10),
      srilm_perplexity(counts.nats, known + counts.sentences), srilm_perplexity(counts.nats, known));
}

std::string sentence_of(const DialectContext& context, const ScoredLine& line) {
  const std::vector<TokenScore>& tokens = line.score.tokens;
  std::string text;
  for (std::size_t i = 0; i < tokens.size() && !is_end(context, line.score, i); ++i) {
    text += (i == 0 ? "" : " ") + escaped_field(tokens[i].text);
  }
  return text;
}

}  // namespace

std::string srilm_block(const DialectContext& context, const ScoredLine& line) {
  const bool begins_anew = context.accounting.state == StatePolicy::kReset && context.accounting.context.empty();
  SrilmCounts counts{.lines = 1, .nats = line.score.log_prob};
  std::string text = sentence_of(context, line) + '\n';
  std::string before(kBegin);
  for (std::size_t i = 0; i < line.score.tokens.size(); ++i) {
    const TokenScore& token = line.score.tokens[i];
    const bool end = is_end(context, line.score, i);
    if (token.given) {
      before = srilm_word(context, token);
      continue;
    }
    (end ? counts.sentences : counts.words) += 1;
    if (!token.counted) ++counts.left_out;
    const std::string word = end ? std::string(kEnd) : srilm_word(context, token);
    text += fmt::format("\tp( {} | {} {}) \t= ", word, before, i == 0 && begins_anew ? "" : "...");
    text += token.counted ? fmt::format("[{}gram] {:.7g} [ {} ]\n", ngram_length(i), std::exp(token.log_prob),
                                        in_base(token.log_prob, LogBase::k10))
                          : "[OOV] 0 [ -inf ]\n";
    before = word;
  }
  return text + srilm_statistics(counts) + '\n';
}

std::string srilm_summary(const SummaryContext& context, const ScoreTotals& totals) {
  const std::int64_t sentences = context.end ? totals.lines : 0;
  return fmt::format("file {}: ", visible(context.text_name)) +
         srilm_statistics({.sentences = sentences,
                           .lines = totals.lines,
                           .words = totals.tokens - sentences,
                           .left_out = totals.tokens - totals.loss.tokens,
                           .nats = -totals.loss.nats});
}

std::string kenlm_line(const DialectContext& context, const ScoredLine& line) {
  std::string text;
  for (std::size_t i = 0; i < line.score.tokens.size(); ++i) {
    const TokenScore& token = line.score.tokens[i];
    const std::string word = is_end(context, line.score, i) ? std::string(kEnd) : escaped_field(token.text);
    text += fmt::format("{}={} {} {}\t", word, token.id, ngram_length(i), in_base(added_nats(token), LogBase::k10));
  }
  return text +
         fmt::format("Total: {} OOV: {}\n", in_base(line.score.log_prob, LogBase::k10), line.score.unknown_tokens);
}

std::string kenlm_summary(const SummaryContext&, const ScoreTotals& totals) {
  const std::int64_t known = totals.tokens - totals.unknown_tokens;
  return fmt::format("Perplexity including OOVs:\t{}\nPerplexity excluding OOVs:\t{}\nOOVs:\t{}\nTokens:\t{}\n",
                     kenlm_perplexity(-totals.loss.nats, totals.loss.tokens),
                     kenlm_perplexity(totals.loss.unknown_nats - totals.loss.nats, known), totals.unknown_tokens,
                     totals.tokens);
}

}  // namespace unroll
