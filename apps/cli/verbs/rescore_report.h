// Error rates of lists with references, before and after rescoring.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "cli/streams/output.h"
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

  // Adds a list, of which it keeps the id and the numbers. Throws what References throws, and Error{kInput} for an id
  // that came before in another file.
  void add(const ScoredList& scored, const References& references);

  // Tunes weights where asked to, and prints. Throws Error{kInput} where the references hold no word.
  void print(Output& out);

 private:
  struct Judged {
    TuningList tuning;
    std::vector<ErrorCount> words;
    std::vector<ErrorCount> characters;
  };
  using Errors = std::vector<ErrorCount> Judged::*;

  // Errors of one kind under each choice, a list after another.
  struct Choices {
    std::vector<ErrorCount> first, chosen, oracle;
  };

  [[nodiscard]] Combination tuned_on(std::size_t first, std::size_t last) const;
  void choose();
  [[nodiscard]] Choices choices(Errors errors) const;
  [[nodiscard]] std::string as_table(const Choices& words, const Choices& characters) const;
  [[nodiscard]] std::string as_json(const Choices& words, const Choices& characters) const;

  ReportOptions options_;
  TunedWeights tuned_;
  std::vector<Judged> lists_;
  std::vector<Combination> weights_;  // of all, or of both halves
  std::vector<std::size_t> chosen_;   // of each list
  std::int64_t hypotheses_ = 0;
  std::unordered_set<std::string> ids_;
  std::int64_t references_left_ = 0;  // for which no list came
};

// The weights as flags of rescore.
[[nodiscard]] std::string combination_as_flags(const Combination& combination, bool with_lambda);

}  // namespace unroll
