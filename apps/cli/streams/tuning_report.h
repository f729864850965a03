// What `tune` prints of a classifier's thresholds and factors.
#pragma once

#include <string>

#include "unroll/label/answer_tuning.h"

namespace unroll {

// A tuning with what it is about.
struct TuningReport {
  std::string target;  // as it was asked for: "p@r:0.9:spam"
  TuneTarget parsed;
  std::vector<std::string> labels;  // of the classifier
  std::int64_t texts = 0;
  AnswerRule present;  // the rule before
  AnswerTuning tuning;
  std::vector<std::string> notes = {};  // on the texts
};

// The table of cuts or of labels, the figures before and after, the flags for `classify`.
[[nodiscard]] std::string tuning_table(const TuningReport& report);

// The same as one JSON object on one line.
[[nodiscard]] std::string tuning_json(const TuningReport& report);

// What `classify` needs to answer by the chosen rule; empty: nothing.
[[nodiscard]] std::string rule_flags(const TuningReport& report);

// Why the target cannot be reached, and what can. Requires that it is not.
[[nodiscard]] std::string why_unreached(const TuningReport& report);

}  // namespace unroll
