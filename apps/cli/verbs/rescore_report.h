// Error rates of lists with references, before and after rescoring.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "cli/shards/error_totals.h"
#include "cli/verbs/scored_lists.h"
#include "unroll/nbest/combination.h"
#include "unroll/nbest/error_rate.h"
#include "unroll/nbest/references.h"

namespace unroll {

// What weights are tuned for: few errors, or the choice of a hypothesis with the fewest errors of its list.
enum class RescoreMetric { kWords, kCharacters, kOracle };

// Where the weights come from.
enum class RescoreWeights {
  kGiven,
  kTuned,  // on all lists, so the reported rates are optimistic
  kSplit,  // for each half of the lists on the other half
};

struct ReportOptions {
  RescoreWeights weights = RescoreWeights::kGiven;
  RescoreMetric metric = RescoreMetric::kWords;
  Combination given = {};
  bool json = false;
};

class RescoreReport {
 public:
  explicit RescoreReport(const ReportOptions& options) : options_(options) {}

  // Judges a list. Where weights are given, returns what it adds to error_totals(); where they are tuned, keeps its
  // numbers and returns nothing. Throws what References throws, and Error{kInput} for an id that came before in another
  // file.
  UnitSums add(const ScoredList& scored, const References& references);

  // Whether weights are tuned: on all lists, which tuned_report() then reports on.
  [[nodiscard]] bool is_tuned() const noexcept { return options_.weights != RescoreWeights::kGiven; }

  // Tunes weights. Throws Error{kInput} where the references hold no word.
  [[nodiscard]] std::string tuned_report();

 private:
  struct Judged {
    TuningList tuning;
    std::vector<ErrorCount> words;
    std::vector<ErrorCount> characters;
  };
  using Errors = std::vector<ErrorCount> Judged::*;

  [[nodiscard]] Judged judge(const ScoredList& scored, const std::string& reference) const;
  [[nodiscard]] Combination tuned_on(std::size_t first, std::size_t last) const;
  void choose();
  [[nodiscard]] ErrorChoices choices(Errors errors) const;

  ReportOptions options_;
  TunedWeights tuned_;
  std::vector<Judged> lists_;         // where weights are tuned
  std::vector<Combination> weights_;  // of all, or of both halves
  std::vector<std::size_t> chosen_;   // of each list
  std::int64_t hypotheses_ = 0;
  std::unordered_set<std::string> ids_;
  std::int64_t references_left_ = 0;  // for which no list came
};

}  // namespace unroll
