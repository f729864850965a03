#include "words/word_outcomes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "infer/prediction.h"
#include "infer/state_rows.h"
#include "kernels/softmax.h"
#include "text/utf8.h"

namespace unroll {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

// -p ln p.
double entropy_term(double log_prob) {
  const double p = std::exp(log_prob);
  return p == 0 ? 0 : -p * log_prob;
}

}  // namespace

double log_sum(std::span<const double> log_probs, std::span<const std::int32_t> ids) {
  double most = kNothing;
  for (const std::int32_t id : ids) most = std::max(most, log_probs[static_cast<std::size_t>(id)]);
  double sum = 0;
  for (const std::int32_t id : ids) sum += std::exp(log_probs[static_cast<std::size_t>(id)] - most);
  return most + std::log(sum);
}

WordOutcomes::WordOutcomes(Inference& inference, const WordVocabulary& vocabulary, const WordScorerOptions& options)
    : inference_(inference), vocabulary_(vocabulary), options_(options) {
  const std::int64_t V = inference.tokenizer().size();
  log_choices_ = std::log(static_cast<double>(V - std::ssize(vocabulary.closing()) + 1));
  log_probs_.resize(static_cast<std::size_t>(kBatch * V));
}

WordOutcomes::Found WordOutcomes::search(const WordPlace& place, double log_prob) {
  opened_.clear();
  frontier_.clear();
  outcomes_.clear();
  entropy_ = slack_ = 0;
  most_dropped_ = kNothing;
  expand_root(place);
  std::vector<Prefix> batch;
  const auto less_probable = [](const Prefix& a, const Prefix& b) { return a.log_mass < b.log_mass; };
  for (std::int64_t left = options_.budget - 1; left > 0 && !frontier_.empty(); left -= std::ssize(batch)) {
    batch.clear();
    while (std::ssize(batch) < std::min(kBatch, left) && !frontier_.empty()) {
      std::ranges::pop_heap(frontier_, less_probable);
      batch.push_back(frontier_.back());
      frontier_.pop_back();
    }
    expand(batch, place);
  }
  for (const Prefix& prefix : frontier_) drop(prefix);
  return result(log_prob);
}

void WordOutcomes::expand_root(const WordPlace& place) {
  const bool must_close = place.before == WordStage::kText;
  const double given = must_close ? log_sum(place.log_probs, vocabulary_.closing()) : 0;
  children_.clear();
  const auto add = [&](std::int32_t id) {
    const double log_mass = place.log_probs[static_cast<std::size_t>(id)] - given;
    const bool end = id == vocabulary_.boundary();
    const WordStage stage = end ? WordStage::kClosed : vocabulary_.after(WordStage::kSpace, id);
    children_.push_back({.log_mass = log_mass, .symbol = id, .parent = -1, .depth = 1, .stage = stage});
  };
  if (must_close) {
    for (const std::int32_t id : vocabulary_.closing()) add(id);
  } else {
    for (std::int32_t id = 0; id < std::ssize(place.log_probs); ++id) add(id);
  }
  keep_most_probable(children_);
}

void WordOutcomes::expand(std::span<const Prefix> prefixes, const WordPlace& place) {
  const auto B = static_cast<std::int64_t>(prefixes.size());
  NetworkState state(inference_.config(), B);
  make_window(1, B, window_, [&](std::int64_t b, std::int64_t) {
    const Prefix& prefix = prefixes[static_cast<std::size_t>(b)];
    write_row(prefix.parent < 0 ? place.state : opened_[static_cast<std::size_t>(prefix.parent)].state, state, b);
    return WindowStep{.input = prefix.symbol};
  });
  inference_.forward(window_, state);
  const auto V = static_cast<std::size_t>(inference_.tokenizer().size());
  inference_.network.read_logits(inference_.weights, [&](std::int64_t row, std::span<float> logits) {
    apply_temperature(options_.temperature, logits);
    log_softmax(logits, std::span(log_probs_).subspan(static_cast<std::size_t>(row) * V, V));
  });
  for (std::int64_t b = 0; b < B; ++b) {
    const auto index = static_cast<std::int32_t>(opened_.size());
    std::vector<float> row(static_cast<std::size_t>(row_size(inference_.config())));
    read_row(state, b, row);
    opened_.push_back({.prefix = prefixes[static_cast<std::size_t>(b)], .state = std::move(row)});
    branch(index, std::span<const double>(log_probs_).subspan(static_cast<std::size_t>(b) * V, V));
  }
}

void WordOutcomes::branch(std::int32_t index, std::span<const double> log_probs) {
  const Prefix prefix = opened_[static_cast<std::size_t>(index)].prefix;
  const bool has_text = prefix.stage == WordStage::kText;
  if (has_text) {
    Prefix whole = prefix;
    whole.log_mass += log_sum(log_probs, vocabulary_.closing());
    add_outcome(whole);
  }
  children_.clear();
  for (std::int32_t id = 0; id < std::ssize(log_probs); ++id) {
    if (has_text && vocabulary_.closes(id)) continue;
    const bool end = id == vocabulary_.boundary();
    children_.push_back({.log_mass = prefix.log_mass + log_probs[static_cast<std::size_t>(id)],
                         .symbol = id,
                         .parent = index,
                         .depth = prefix.depth + 1,
                         .stage = end ? WordStage::kClosed : vocabulary_.after(prefix.stage, id)});
  }
  keep_most_probable(children_);
}

// Of siblings, at most `budget` can ever be expanded: the others are dropped at once.
void WordOutcomes::keep_most_probable(std::vector<Prefix>& children) {
  const auto less_probable = [](const Prefix& a, const Prefix& b) { return a.log_mass < b.log_mass; };
  const auto more_probable = [](const Prefix& a, const Prefix& b) {
    return a.log_mass > b.log_mass || (a.log_mass == b.log_mass && a.symbol < b.symbol);
  };
  std::erase_if(children, [&](const Prefix& child) {
    const bool closed = child.stage == WordStage::kClosed;
    const bool longest = child.depth >= options_.longest;
    if (closed) {
      add_outcome(child);
    } else if (longest) {
      drop(child);
    }
    return closed || longest;
  });
  const std::int64_t kept = std::min(std::ssize(children), options_.budget);
  std::ranges::nth_element(children, children.begin() + kept, more_probable);
  for (std::int64_t i = 0; i < std::ssize(children); ++i) {
    const Prefix& child = children[static_cast<std::size_t>(i)];
    if (i >= kept) {
      drop(child);
      continue;
    }
    frontier_.push_back(child);
    std::ranges::push_heap(frontier_, less_probable);
  }
}

void WordOutcomes::drop(const Prefix& prefix) {
  entropy_ += entropy_term(prefix.log_mass);
  slack_ += std::exp(prefix.log_mass) * static_cast<double>(options_.longest - prefix.depth) * log_choices_;
  most_dropped_ = std::max(most_dropped_, prefix.log_mass);
}

void WordOutcomes::add_outcome(const Prefix& prefix) {
  entropy_ += entropy_term(prefix.log_mass);
  outcomes_.push_back(prefix);
}

WordOutcomes::Found WordOutcomes::result(double log_prob) {
  // Another order of sums gives the same word a slightly different number.
  constexpr double kSame = 1e-9;
  Found found{.entropy = {.lower = entropy_, .upper = entropy_ + slack_}, .rank = std::nullopt, .top = {}};
  if (most_dropped_ <= log_prob + kSame) {
    found.rank = 1 + std::ranges::count_if(outcomes_, [&](const Prefix& o) { return o.log_mass > log_prob + kSame; });
  }
  const std::int64_t count = std::min(std::ssize(outcomes_), options_.top);
  std::ranges::partial_sort(outcomes_, outcomes_.begin() + count, [](const Prefix& a, const Prefix& b) {
    return std::pair(-a.log_mass, a.symbol) < std::pair(-b.log_mass, b.symbol);
  });
  for (std::int64_t i = 0; i < count; ++i) {
    const Prefix& outcome = outcomes_[static_cast<std::size_t>(i)];
    if (outcome.log_mass < most_dropped_) break;  // a dropped prefix may hold a more probable one
    const bool end = outcome.symbol == vocabulary_.boundary();
    found.top.push_back({.text = text_of(outcome), .log_prob = outcome.log_mass, .end = end});
  }
  return found;
}

std::string WordOutcomes::text_of(const Prefix& prefix) const {
  const Tokenizer& tokenizer = inference_.tokenizer();
  std::vector<std::int32_t> symbols;
  for (const Prefix* at = &prefix;; at = &opened_[static_cast<std::size_t>(at->parent)].prefix) {
    symbols.push_back(at->symbol);
    if (at->parent < 0) break;
  }
  std::string text;
  std::int32_t previous = -1;
  for (auto symbol = symbols.rbegin(); symbol != symbols.rend(); ++symbol) {
    const bool end = *symbol == vocabulary_.boundary();
    text += end ? tokenizer.symbol(*symbol) : tokenizer.written(previous, *symbol);
    previous = *symbol;
  }
  return prefix.symbol == vocabulary_.boundary() ? text : std::string(trimmed(text));
}

}  // namespace unroll
