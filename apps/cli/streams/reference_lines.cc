#include "cli/streams/reference_lines.h"

#include <fmt/core.h>

#include <vector>

#include "cli/streams/line_batches.h"
#include "cli/streams/quantities.h"
#include "unroll/error.h"

namespace unroll {

LineProbability probability(const Score& score) { return {.log_prob = score.log_prob, .tokens = score.predictions}; }

OddLines read_reference(const std::string& path, const Model& model, const ScorerOptions& options, Terminal& terminal) {
  Scorer scorer(model, options);
  LineBatches batches(path, LineIds::kNumber, text_coding(model.tokenizer().kind()));
  LineBatch batch;
  std::vector<LineProbability> lines;
  while (batches.next(batch)) {
    const auto name = [&](std::size_t index) {
      return fmt::format("{}, line {}", batches.name(), batch.first_number + static_cast<std::int64_t>(index));
    };
    for (const Score& score : scorer.score(batch.lines, name)) {
      if (score.predictions > 0) lines.push_back(probability(score));
    }
    if (terminal.live_due()) {
      terminal.live(fmt::format("reference  {} lines", grouped(static_cast<std::int64_t>(lines.size()))));
    }
  }
  try {
    OddLines reference(lines);
    terminal.line(fmt::format("reference: {} lines, half of them to compare with: no percentile is below {:.4g}",
                              grouped(static_cast<std::int64_t>(lines.size())),
                              100.0 / static_cast<double>(reference.lines() + 1)));
    return reference;
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", batches.name(), error.what()));
  }
}

}  // namespace unroll
