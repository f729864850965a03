// What `score` prints.
#pragma once

#include <string>

#include "unroll/model.h"
#include "unroll/scorer.h"

namespace unroll {

enum class LogBase { kE, k2, k10 };

struct ScoreFormat {
  LogBase base = LogBase::kE;
  bool tokens = false;  // a row per token instead of one per line
  bool json = false;    // an object per line; always base e
  bool no_end = false;  // the end of a line is not scored
};

// Lines that begin with '#': policy and precision, base of logarithms, columns. Empty for JSON, whose objects say what
// they hold.
[[nodiscard]] std::string format_header(const ScoreFormat& format, const ScorerOptions& options, const Model& model);

// The rows of one line of text. Numbers are the shortest decimals that read back as the same double, in any locale.
//
//   plain     log_prob TAB tokens TAB text, the text as it is
//   tokens    log_prob TAB rank TAB entropy TAB token for each token, then an empty line; in a token backslash, tab,
//             newline, carriage return and NUL are written \\ \t \n \r \0
//   JSON      {"text","log_base":"e","log_prob","unknown_tokens",
//             "tokens":[{"text","log_prob","rank","entropy","offset"}]}; beside a text that is not whole UTF-8 stands
//             "bytes", the list of its byte values
[[nodiscard]] std::string format_score(const ScoreFormat& format, const Score& score, const std::string& line);

// A token as it stands in a column of its own.
[[nodiscard]] std::string escaped(std::string_view token);

}  // namespace unroll
