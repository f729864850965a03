// The totals of rescored lists with references: error rates before and after.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/shards/unit_totals.h"
#include "unroll/nbest/combination.h"
#include "unroll/nbest/error_rate.h"

namespace unroll {

// Errors of one kind: of the first hypothesis of each list, of the chosen one, of the best one; a list after another.
struct ErrorChoices {
  std::vector<ErrorCount> first;
  std::vector<ErrorCount> chosen;
  std::vector<ErrorCount> oracle;
};

// What is reported on lists.
struct ErrorReport {
  std::int64_t lists = 0;
  std::int64_t hypotheses = 0;
  std::int64_t references_left = 0;  // for which no list came
  std::vector<Combination> weights;  // of all, or of both halves
  bool tuned = false;                // on these lists
  bool with_lambda = false;          // it was tuned too
  ErrorChoices words;
  ErrorChoices characters;
};

// A table, or one JSON object on a line. Throws Error{kInput} where the references hold no word.
[[nodiscard]] std::string error_report(const ErrorReport& report, bool json);

// The weights as flags of rescore.
[[nodiscard]] std::string combination_as_flags(const Combination& combination, bool with_lambda);

// The parameters of totals_of("rescore --references"): the weights of all lists, and the number of references.
[[nodiscard]] std::string error_parameters(const Combination& weights, std::int64_t references);

// What a list adds: of each kind the errors of the first, the chosen and the best hypothesis.
[[nodiscard]] UnitSums sums_of_list(std::int64_t hypotheses, const ErrorChoices& words, const ErrorChoices& characters);

[[nodiscard]] std::unique_ptr<UnitTotals> error_totals(const std::string& parameters);

}  // namespace unroll
