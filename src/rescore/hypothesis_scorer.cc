#include "unroll/nbest/hypothesis_scorer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "infer/inference.h"
#include "infer/line_tokens.h"
#include "infer/state_rows.h"
#include "infer/whole_lines.h"
#include "rescore/prefix_tree.h"
#include "rescore/tree_walk.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Enough texts for full rows, few enough for their states to fit into memory.
constexpr std::size_t kTextsAtOnce = 4096;
constexpr std::int64_t kTokensAtOnce = std::int64_t{1} << 20;
constexpr std::int64_t kLongestText = std::int64_t{1} << 30;

const Accounting& checked(const Accounting& accounting) {
  check(accounting);
  if (accounting.state == StatePolicy::kCarry) {
    throw Error(ErrorCode::kUsage,
                "hypotheses are alternatives, which do not continue each other: set `state` to reset", "state");
  }
  return accounting;
}

// Texts as ids one after another, and their scores as far as these need no prediction.
struct EncodedTexts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> starts{0};
  std::vector<HypothesisScore> scores;
};

}  // namespace

struct HypothesisScorer::Impl {
  Impl(Model model, const Accounting& its_accounting, int threads)
      : accounting(checked(its_accounting)), inference(std::move(model), threads, 1, kTreeRows) {
    expect_whole_lines(inference.model, "rescoring", accounting.begin);
    for (const Token& token : line_tokens(tokenizer(), {accounting.context, "the context"}))
      context.push_back(token.id);
  }

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.tokenizer(); }

  void append(const NamedText& text, std::size_t index, EncodedTexts& out) const {
    std::vector<Token> tokens = line_tokens(tokenizer(), text, index);
    if (std::ssize(tokens) > kLongestText) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: {} tokens are too many for a hypothesis", text.name, tokens.size()),
                  static_cast<std::int64_t>(index));
    }
    if (accounting.end) tokens.push_back({.id = tokenizer().boundary()});
    HypothesisScore& score = out.scores.emplace_back();
    out.ids.insert(out.ids.end(), context.begin(), context.end());
    for (const Token& token : tokens) {
      const bool unknown = token.id == tokenizer().unknown();
      score.unknown_tokens += unknown ? 1 : 0;
      score.tokens += counts(accounting, unknown) ? 1 : 0;
      out.ids.push_back(token.id);
    }
    out.starts.push_back(std::ssize(out.ids));
  }

  // Appends the scores of the next texts: as many as one tree takes.
  void score_some(const State& start, std::span<const std::string> texts, const LineNames& names,
                  std::vector<HypothesisScore>& scores) {
    const std::size_t first = scores.size();
    EncodedTexts encoded;
    while (first + encoded.scores.size() < texts.size() && encoded.scores.size() < kTextsAtOnce &&
           std::ssize(encoded.ids) < kTokensAtOnce) {
      const std::size_t index = first + encoded.scores.size();
      append({texts[index], names(index)}, index, encoded);
    }
    const PrefixTree tree(encoded.ids, encoded.starts, start.input);
    std::vector<double> log_probs(static_cast<std::size_t>(tree.size()));
    work.steps += walk(inference, tree, start, log_probs);
    work.tokens += std::ssize(encoded.ids);
    sum_up(tree, first, names, log_probs);
    for (std::size_t i = 0; i < encoded.scores.size(); ++i) {
      HypothesisScore& score = encoded.scores[i];
      score.log_prob = log_probs[static_cast<std::size_t>(tree.end_of(static_cast<std::int64_t>(i)))];
      scores.push_back(score);
    }
  }

  // Turns ln p of each node into the sum over the nodes up to it that count, in the order in which a Scorer adds them.
  // The context's nodes are the root's first ones. Sequences of the tree are the texts from number `first` on.
  void sum_up(const PrefixTree& tree, std::size_t first, const LineNames& names, std::vector<double>& log_probs) const {
    for (std::int32_t node = 1; node < tree.size(); ++node) {
      double& value = log_probs[static_cast<std::size_t>(node)];
      const double before = log_probs[static_cast<std::size_t>(tree[node].parent)];
      if (node <= std::ssize(context)) {
        value = 0;
        continue;
      }
      if (!std::isfinite(value)) {
        const std::size_t index = first + static_cast<std::size_t>(tree[node].sequence);
        throw Error(
            ErrorCode::kNumeric,
            fmt::format("{}: a prediction is {}: the model's weights or its state overflowed", names(index), value),
            static_cast<std::int64_t>(index));
      }
      const bool unknown = tree[node].id == tokenizer().unknown();
      value = counts(accounting, unknown) ? before + counted_log_prob(accounting, unknown, value) : before;
    }
  }

  Accounting accounting;
  Inference inference;
  std::vector<std::int32_t> context;  // read before each text
  SharedWork work;
};

HypothesisScorer::HypothesisScorer(Model model, const Accounting& accounting, int threads)
    : impl_(std::make_unique<Impl>(std::move(model), accounting, threads)) {}
HypothesisScorer::~HypothesisScorer() = default;
HypothesisScorer::HypothesisScorer(HypothesisScorer&&) noexcept = default;
HypothesisScorer& HypothesisScorer::operator=(HypothesisScorer&&) noexcept = default;

std::vector<HypothesisScore> HypothesisScorer::score(std::span<const std::string> texts, const LineNames& names) {
  return score_after(zero_state(impl_->inference.config(), impl_->tokenizer().boundary()), texts, names);
}

std::vector<HypothesisScore> HypothesisScorer::score_after(const State& start, std::span<const std::string> texts,
                                                           const LineNames& names) {
  check(impl_->inference.config(), start);
  const LineNames by_number = [](std::size_t index) { return fmt::format("text {}", index + 1); };
  std::vector<HypothesisScore> scores;
  scores.reserve(texts.size());
  while (scores.size() < texts.size()) impl_->score_some(start, texts, names ? names : by_number, scores);
  return scores;
}

SharedWork HypothesisScorer::work() const noexcept { return impl_->work; }

}  // namespace unroll
