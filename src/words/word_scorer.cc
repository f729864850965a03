#include "unroll/score/word_scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "infer/inference.h"
#include "infer/line_tokens.h"
#include "infer/prediction.h"
#include "infer/sequence.h"
#include "infer/state_rows.h"
#include "infer/whole_lines.h"
#include "kernels/softmax.h"
#include "text/utf8.h"
#include "unroll/adapt/adaptation.h"
#include "unroll/error.h"
#include "words/word_outcomes.h"
#include "words/word_symbols.h"

namespace unroll {
namespace {

void check(const WordScorerOptions& options) {
  const auto expect = [](bool right, const std::string& field, std::int64_t value, std::int64_t least) {
    if (right) return;
    throw Error(ErrorCode::kUsage, fmt::format("`{}` is {}: expected {} or above", field, value, least), field);
  };
  check(Adaptation{.temperature = options.temperature});
  expect(options.top >= 0, "top", options.top, 0);
  expect(options.budget >= 1, "budget", options.budget, 1);
  expect(options.longest >= 1, "longest", options.longest, 1);
}

}  // namespace

struct WordScorer::Impl {
  // The position at which a word begins.
  struct Place {
    std::vector<double> log_probs;  // of its first symbol
    std::vector<float> state;       // as WordPlace has it; not set where tokens are words, which are never expanded
    WordStage before = WordStage::kSpace;
  };

  Impl(Model model, const WordScorerOptions& checked_options)
      : options(checked_options),
        inference(std::move(model), options.threads, kSequenceSteps, WordOutcomes::kBatch),
        vocabulary(tokenizer()),
        outcomes(inference, vocabulary, options),
        state(inference.config(), 1),
        input(tokenizer().boundary()) {
    for (Place* const at : {&place, &place_before}) {
      at->log_probs.resize(static_cast<std::size_t>(tokenizer().size()));
      at->state.resize(static_cast<std::size_t>(row_size(inference.config())));
    }
  }

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.tokenizer(); }

  // Predicts the symbols of a word; returns the sum of their ln P. Sets `place` to its beginning.
  double predict(std::span<const std::int32_t> symbols) {
    log_probs.clear();
    for (std::size_t at = 0; at < symbols.size();) {
      // The first step runs alone, since the state after it is kept.
      const bool alone = at == 0 && options.outcomes && !vocabulary.tokens_are_words();
      const std::size_t count = alone ? 1 : std::min<std::size_t>(kSequenceSteps, symbols.size() - at);
      predict_window(symbols.subspan(at, count), at == 0);
      if (alone) read_row(state, 0, place.state);
      at += count;
    }
    return sum_of(log_probs);
  }

  // In one order, whether or not the first step runs alone.
  static double sum_of(std::span<const double> numbers) {
    double sum = numbers.front();
    for (auto rest = numbers.subspan(1); !rest.empty();) {
      const auto next = rest.first(std::min<std::size_t>(rest.size(), kSequenceSteps));
      sum += std::accumulate(next.begin(), next.end(), 0.0);
      rest = rest.subspan(next.size());
    }
    return sum;
  }

  void predict_window(std::span<const std::int32_t> symbols, bool first) {
    set_sequence(input, symbols, window);
    inference.forward(window, state);
    const std::size_t before = log_probs.size();
    log_probs.resize(before + symbols.size());
    inference.network.read_logits(inference.weights, [&](std::int64_t row, std::span<float> logits) {
      const auto index = static_cast<std::size_t>(row);
      apply_temperature(options.temperature, logits);
      log_probs[before + index] = log_softmax_at(logits, symbols[index]);
      if (first && index == 0) log_softmax(logits, place.log_probs);
    });
    input = symbols.back();
  }

  // Completes `score` with what is known only after the word: its end, and so its rank.
  void finish(const Place& at, double log_closing, WordScore& score, std::int64_t line_number) {
    score.log_prob += log_closing;
    if (!std::isfinite(score.log_prob)) {
      throw Error(ErrorCode::kNumeric,
                  fmt::format("line {}, byte {}: the prediction is {}: the model's weights or its state overflowed",
                              line_number, score.offset, score.log_prob));
    }
    if (!options.outcomes) return;
    WordOutcomes::Found found = outcomes.search({at.state, at.log_probs, at.before}, score.log_prob);
    score.entropy = found.entropy;
    score.rank = found.rank;
    score.top = std::move(found.top);
  }

  // A word's score without its probability.
  [[nodiscard]] WordScore described(std::string_view line, std::span<const Token> tokens, bool end) const {
    WordScore score{.text = tokenizer().symbol(tokens.back().id),
                    .predictions = std::ssize(tokens),
                    .offset = std::ssize(line),
                    .end = end,
                    .entropy = {}};
    for (const Token& token : tokens) score.unknown_symbols += token.id == tokenizer().unknown() ? 1 : 0;
    if (end) {
      const bool returns =
          tokens.size() > 1 && line[static_cast<std::size_t>(tokens[tokens.size() - 2].offset)] == '\r';
      if (returns) score.text.insert(0, 1, '\r');
      return score;
    }
    const auto first = static_cast<std::size_t>(tokens.front().offset);
    const auto last = static_cast<std::size_t>(tokens.back().offset + tokens.back().length);
    const std::string_view whole = line.substr(first, last - first);
    const std::string_view within = trimmed(whole);
    const std::string_view text = within.empty() ? whole : within;
    score.text = text;
    score.offset = text.data() - line.data();
    return score;
  }

  std::vector<WordScore> score(std::string_view line, std::int64_t line_number) {
    std::vector<Token> tokens = encode(line, line_number);
    std::vector<std::int32_t> ids;
    ids.reserve(tokens.size());
    for (const Token& token : tokens) ids.push_back(token.id);
    if (options.state == StatePolicy::kReset) state.set_zero();
    input = tokenizer().boundary();
    std::vector<WordScore> scores;
    for (const WordSymbols& word : vocabulary.cut(ids)) {
      const std::size_t count = word.last - word.first;
      std::swap(place, place_before);
      place.before = word.before;
      const double sum = predict(std::span(ids).subspan(word.first, count));
      const bool open = word.before == WordStage::kText;
      const double log_closing = open ? log_sum(place.log_probs, vocabulary.closing()) : 0;
      if (!scores.empty()) finish(place_before, log_closing, scores.back(), line_number);
      scores.push_back(described(line, std::span(tokens).subspan(word.first, count), word.end));
      scores.back().log_prob = sum - log_closing;
    }
    finish(place, 0, scores.back(), line_number);
    if (!options.end) scores.pop_back();
    return scores;
  }

  [[nodiscard]] std::vector<Token> encode(std::string_view line, std::int64_t line_number) const {
    std::vector<Token> tokens = line_tokens(tokenizer(), {line, fmt::format("line {}", line_number)});
    for (Token& token : tokens) {
      const bool unknown_space = token.id == tokenizer().unknown() && vocabulary.space() >= 0 &&
                                 is_ascii_space(line[static_cast<std::size_t>(token.offset)]);
      if (unknown_space) token.id = vocabulary.space();
    }
    tokens.push_back({.id = tokenizer().boundary(), .offset = std::ssize(line), .length = 0});
    return tokens;
  }

  WordScorerOptions options;
  Inference inference;
  WordVocabulary vocabulary;
  WordOutcomes outcomes;
  NetworkState state;
  std::int32_t input;  // what the network reads next
  Place place;         // of the word that is being predicted
  Place place_before;  // of the word before it
  Window window;
  std::vector<double> log_probs;  // of the word's symbols so far
};

WordScorer::WordScorer(Model model, const WordScorerOptions& options) {
  check(options);
  expect_whole_lines(model, "the probability of words");
  impl_ = std::make_unique<Impl>(std::move(model), options);
}
WordScorer::~WordScorer() = default;
WordScorer::WordScorer(WordScorer&&) noexcept = default;
WordScorer& WordScorer::operator=(WordScorer&&) noexcept = default;

std::vector<WordScore> WordScorer::score(std::string_view line, std::int64_t line_number) {
  return impl_->score(line, line_number);
}

bool WordScorer::tokens_are_words() const noexcept { return impl_->vocabulary.tokens_are_words(); }

}  // namespace unroll
