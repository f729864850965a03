// Reads N-best lists and scores them with a model, some lists at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/streams/terminal.h"
#include "cli/streams/unit_range.h"
#include "unroll/error.h"
#include "unroll/nbest/combination.h"
#include "unroll/nbest/hypothesis_scorer.h"
#include "unroll/nbest/nbest.h"

namespace unroll {

struct ScoredList {
  std::string file;  // as messages call it
  NbestList list;
  std::vector<Evidence> evidence;  // of each hypothesis, in the unit of the dialect
  std::int64_t tokens = 0;         // predictions that count, of all hypotheses

  [[nodiscard]] bool has_score() const { return list.hypotheses.front().score.has_value(); }
  [[nodiscard]] bool has_old_lm() const { return list.hypotheses.front().lm_score.has_value(); }
};

class ScoredLists {
 public:
  // Views all but `paths`; shows progress on the terminal. `lowercase`: the model reads hypotheses in lower case.
  // Of the lists of all files it returns those of `range`.
  ScoredLists(HypothesisScorer& scorer, std::vector<std::string> paths, const NbestFormat& format, bool lowercase,
              Terminal& terminal, const UnitRange& range = {});

  // Sets `lists` to the next ones, in order, one at least; false at the end. Throws what NbestReader and
  // HypothesisScorer throw, naming the place in the file; for wrong input only after all lists before it were returned.
  bool next(std::vector<ScoredList>& lists);

  // A line about the lists so far, for people.
  [[nodiscard]] std::string summary() const;

 private:
  bool read(ScoredList& list);
  void score(std::vector<ScoredList>& lists);
  void score_readable(std::vector<ScoredList>& lists);
  [[nodiscard]] double seconds() const;

  HypothesisScorer& scorer_;
  std::vector<std::string> paths_;
  const NbestFormat& format_;
  bool lowercase_;
  Terminal& terminal_;
  UnitRange range_;
  std::int64_t read_ = 0;  // lists, skipped ones too
  std::optional<NbestReader> reader_;
  std::size_t opened_ = 0;        // of the paths
  std::optional<Error> failure_;  // met after lists that were not returned yet
  std::int64_t lists_ = 0;
  std::int64_t hypotheses_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace unroll
