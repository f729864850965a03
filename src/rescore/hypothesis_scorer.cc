#include "unroll/nbest/hypothesis_scorer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "infer/inference.h"
#include "infer/line_tokens.h"
#include "infer/state_rows.h"
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
    throw Error(ErrorCode::kUsage, "hypotheses are alternatives: none goes on from the state after another");
  }
  return accounting;
}

// Texts as ids one after another, and what is known of their scores before anything is predicted.
struct EncodedTexts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> starts{0};
  std::vector<HypothesisScore> scores;
};

}  // namespace

struct HypothesisScorer::Impl {
  Impl(Model model, const Accounting& its_accounting, int threads)
      : accounting(checked(its_accounting)), inference(std::move(model), threads, 1, kTreeRows) {
    for (const Token& token : line_tokens(tokenizer(), {accounting.context, "the context"}))
      context.push_back(token.id);
  }

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.tokenizer(); }

  void append(std::string_view text, const std::string& name, EncodedTexts& out) const {
    std::vector<Token> tokens = line_tokens(tokenizer(), {text, name});
    if (std::ssize(tokens) > kLongestText) {
      throw Error(ErrorCode::kInput, fmt::format("{}: {} tokens are too many for a hypothesis", name, tokens.size()));
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

  // Appends the scores of as many texts as are worth a tree.
  void score_some(const State& start, std::span<const std::string> texts, const Names& name,
                  std::vector<HypothesisScore>& scores) {
    const std::size_t first = scores.size();
    EncodedTexts encoded;
    while (first + encoded.scores.size() < texts.size() && encoded.scores.size() < kTextsAtOnce &&
           std::ssize(encoded.ids) < kTokensAtOnce) {
      const std::size_t index = first + encoded.scores.size();
      append(texts[index], name(index), encoded);
    }
    const PrefixTree tree(encoded.ids, encoded.starts, start.input);
    std::vector<double> log_probs(static_cast<std::size_t>(tree.size()));
    work.steps += walk(inference, tree, start, log_probs);
    work.tokens += std::ssize(encoded.ids);
    sum_up(tree, log_probs, [&](std::int32_t sequence) { return name(first + static_cast<std::size_t>(sequence)); });
    for (std::size_t i = 0; i < encoded.scores.size(); ++i) {
      HypothesisScore& score = encoded.scores[i];
      score.log_prob = log_probs[static_cast<std::size_t>(tree.end_of(static_cast<std::int64_t>(i)))];
      scores.push_back(score);
    }
  }

  // Turns ln p of each node into the sum over the nodes up to it that count, added from the first one on as a Scorer
  // adds them. The context's nodes are the root's first ones.
  template <class Name>
  void sum_up(const PrefixTree& tree, std::vector<double>& log_probs, const Name& name) const {
    for (std::int32_t node = 1; node < tree.size(); ++node) {
      double& value = log_probs[static_cast<std::size_t>(node)];
      const double before = log_probs[static_cast<std::size_t>(tree[node].parent)];
      if (node <= std::ssize(context)) {
        value = 0;
        continue;
      }
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::kNumeric,
                    fmt::format("{}: a prediction is {}: the model's weights or its state overflowed",
                                name(tree[node].sequence), value));
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

std::vector<HypothesisScore> HypothesisScorer::score(std::span<const std::string> texts, const Names& names) {
  return score_after(zero_state(impl_->inference.config(), impl_->tokenizer().boundary()), texts, names);
}

std::vector<HypothesisScore> HypothesisScorer::score_after(const State& start, std::span<const std::string> texts,
                                                           const Names& names) {
  check(impl_->inference.config(), start);
  const Names name = names ? names : [](std::size_t index) { return fmt::format("text {}", index + 1); };
  std::vector<HypothesisScore> scores;
  scores.reserve(texts.size());
  while (scores.size() < texts.size()) impl_->score_some(start, texts, name, scores);
  return scores;
}

SharedWork HypothesisScorer::work() const noexcept { return impl_->work; }

}  // namespace unroll
