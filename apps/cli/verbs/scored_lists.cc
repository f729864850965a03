#include "cli/verbs/scored_lists.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "cli/streams/quantities.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// A batch ends with the list that reaches this.
constexpr std::size_t kHypothesesAtOnce = 4096;

}  // namespace

ScoredLists::ScoredLists(HypothesisScorer& scorer, std::vector<std::string> paths, const NbestFormat& format,
                         bool lowercase, Terminal& terminal, const UnitRange& range)
    : scorer_(scorer),
      paths_(std::move(paths)),
      format_(format),
      lowercase_(lowercase),
      terminal_(terminal),
      range_(range) {}

bool ScoredLists::next(std::vector<ScoredList>& lists) {
  if (failure_) throw Error(*failure_);
  lists.clear();
  std::size_t hypotheses = 0;
  ScoredList list;
  try {
    while (read_ < range_.first && read(list)) list = {};
    while (hypotheses < kHypothesesAtOnce && read_ < range_.last && read(list)) {
      hypotheses += list.list.hypotheses.size();
      lists.push_back(std::move(list));
      list = {};
    }
  } catch (const Error& error) {
    if (lists.empty()) throw;
    failure_ = error;
  }
  if (lists.empty()) return false;
  score_readable(lists);
  if (terminal_.live_due()) terminal_.live("rescoring  " + summary());
  return true;
}

bool ScoredLists::read(ScoredList& list) {
  while (true) {
    if (reader_ && reader_->next(list.list)) {
      list.file = reader_->name();
      ++read_;
      return true;
    }
    if (opened_ == paths_.size()) return false;
    reader_.emplace(paths_[opened_++], format_);
  }
}

void ScoredLists::score_readable(std::vector<ScoredList>& lists) {
  try {
    score(lists);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput || !error.index()) throw;
    // The lists before the one whose text cannot be read get their scores all the same.
    std::int64_t texts = 0;
    const auto refused = std::ranges::find_if(
        lists, [&](const ScoredList& list) { return (texts += std::ssize(list.list.hypotheses)) > *error.index(); });
    if (refused == lists.begin()) throw;
    failure_ = error;
    lists.erase(refused, lists.end());
    score(lists);
  }
}

void ScoredLists::score(std::vector<ScoredList>& lists) {
  std::vector<std::string> texts;
  std::vector<std::pair<const ScoredList*, const Hypothesis*>> places;
  for (const ScoredList& scored : lists) {
    for (const Hypothesis& hypothesis : scored.list.hypotheses) {
      texts.push_back(lowercase_ ? lower_case(hypothesis.text) : hypothesis.text);
      places.emplace_back(&scored, &hypothesis);
    }
  }
  const std::vector<HypothesisScore> scores = scorer_.score(texts, [&](std::size_t index) {
    const auto& [scored, hypothesis] = places[index];
    return fmt::format("{}, line {}, column {}", scored->file, hypothesis->number, hypothesis->text_column);
  });
  const double unit = is_log10(format_) ? std::numbers::ln10 : 1;
  std::size_t index = 0;
  for (ScoredList& scored : lists) {
    for (const Hypothesis& hypothesis : scored.list.hypotheses) {
      const HypothesisScore& score = scores[index++];
      scored.tokens += score.tokens;
      scored.evidence.push_back({.score = hypothesis.score.value_or(0),
                                 .lm = score.log_prob / unit,
                                 .old_lm = hypothesis.lm_score.value_or(0),
                                 .words = static_cast<double>(hypothesis.words)});
    }
  }
  lists_ += std::ssize(lists);
  hypotheses_ += std::ssize(texts);
}

double ScoredLists::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string ScoredLists::summary() const {
  const SharedWork work = scorer_.work();
  const double shared = work.tokens > 0 ? 1 - static_cast<double>(work.steps) / static_cast<double>(work.tokens) : 0;
  return fmt::format("{} lists  {} hypotheses  {} tokens, {:.0f}% of them shared  {} tokens/s", grouped(lists_),
                     grouped(hypotheses_), grouped(work.tokens), 100 * shared,
                     grouped(static_cast<std::int64_t>(static_cast<double>(work.tokens) / seconds())));
}

}  // namespace unroll
