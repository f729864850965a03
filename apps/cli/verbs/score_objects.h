// `score` of JSON lines: the same objects, with the scores of their texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/dialects/dialect.h"
#include "cli/flags/log_base.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/line_batches.h"
#include "unroll/scorer.h"

namespace unroll {

// How texts stand in the objects, and what becomes of lines that cannot be scored.
struct ObjectOptions {
  std::string key = "text";   // of the text
  std::int64_t most_bad = 0;  // lines that may be bad
};

// Adds to each object log_prob, tokens and perplexity, whose names are these.
inline constexpr std::string_view kObjectFields = "log_prob tokens perplexity";

// Scores the texts of objects, batch by batch, in order. A text of several lines is scored as these lines are, one by
// one, and has the sums of their scores. A line of the file that is blank stays as it is.
class ObjectScoring {
 public:
  // Scores the lines of the file at `path` that `out` still needs. Everything must outlive this. Throws what Scorer and
  // LineBatches throw.
  ObjectScoring(const ObjectOptions& options, const std::string& path, const Model& model, ScorerOptions scorer,
                const DialectContext& context, UnitOutput& out);

  // Prints all objects, those of bad lines with the field "error". Throws Error{kInput}, naming the first bad line,
  // once there are more than allowed: the lines before have been printed.
  void run();

  [[nodiscard]] const ScoreTotals& totals() const noexcept { return totals_; }

  // How many lines were bad, and which was the first; empty: none.
  [[nodiscard]] std::string note() const;

 private:
  // A line of the file: blank, bad, or an object with a text.
  struct Entry {
    std::string why = {};        // it is bad
    std::size_t first_line = 0;  // of its text, in lines_
    std::size_t lines = 0;
  };

  void read_entries();
  void answer();
  void print(std::size_t entry, std::span<const Score> scores);
  void print_bad(std::size_t entry);

  // Scores the lines of entries from `first` up to `end`, and prints these. Returns the entry whose text cannot be
  // read, after those before it were printed, or `end`.
  std::size_t print_scored(std::size_t first, std::size_t end);

  const ObjectOptions& options_;
  DialectContext context_;
  UnitOutput& out_;
  Scorer scorer_;
  LineBatches batches_;
  LineBatch batch_;
  std::vector<Entry> entries_;      // of the batch
  std::vector<std::string> lines_;  // of their texts
  ScoreTotals totals_;
  std::int64_t bad_ = 0;
  std::string first_bad_;  // its place, and why
};

}  // namespace unroll
