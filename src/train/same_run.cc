#include "train/same_run.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "dist/collect.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// What decides the run, a line each: "NAME\tVALUE".
std::string described_run(const RunPlan& plan, const EarlierRun& earlier) {
  std::string lines;
  for (const auto& [name, value] : plan.recorded) lines += fmt::format("{}\t{}\n", name, quote(value));
  lines += fmt::format("the length\t{}\n", describe(plan.length));
  lines += fmt::format("the model to write\t{}\n", quote(plan.save));
  const char* const found = earlier.checkpoint ? "unfinished" : earlier.finished ? "finished" : "none";
  lines += fmt::format("the earlier run\t{}\n", found);
  if (earlier.checkpoint) lines += fmt::format("the step to resume after\t{}\n", earlier.checkpoint->position().step);
  return lines;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// "`lr` is X, and Y on rank 0".
std::string difference(std::string_view here, std::string_view first) {
  const std::vector<std::string_view> mine = lines_of(here);
  const std::vector<std::string_view> wanted = lines_of(first);
  const auto parted = [](std::string_view line) {
    const std::size_t tab = line.find('\t');
    return std::pair(line.substr(0, tab), line.substr(tab + 1));
  };
  for (std::size_t i = 0; i < mine.size() && i < wanted.size(); ++i) {
    const auto [name, value] = parted(mine[i]);
    const auto [first_name, first_value] = parted(wanted[i]);
    if (name != first_name) return fmt::format("it has {}, and rank 0 {}", name, first_name);
    if (value != first_value) return fmt::format("{} is {}, and {} on rank 0", name, value, first_value);
  }
  return "it has another number of options than rank 0";
}

}  // namespace

void expect_same_processors(Ranks& ranks) {
  const std::vector<std::string> sets = texts_of_ranks(ranks, training_instruction_set());
  for (int rank = 1; rank < ranks.size(); ++rank) {
    const std::string& set = sets[static_cast<std::size_t>(rank)];
    if (set == sets.front()) continue;
    throw Error(
        ErrorCode::kUsage,
        fmt::format("rank {} on {} computes with {}, and rank 0 on {} with {}: they round sums in another order; "
                    "set UNROLL_MAX_ISA=avx2 in the environment of all ranks, which every one of these "
                    "processors has",
                    rank, ranks.host(rank), set, ranks.host(0), sets.front()));
  }
}

void expect_same_everywhere(Ranks& ranks, const RunPlan& plan, const EarlierRun& earlier) {
  const std::vector<std::string> runs = texts_of_ranks(ranks, described_run(plan, earlier));
  for (int rank = 1; rank < ranks.size(); ++rank) {
    const std::string& run = runs[static_cast<std::size_t>(rank)];
    if (run == runs.front()) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("rank {} on {} is about to make another run than rank 0 on {}: {}; all ranks need the same "
                            "options, and the same files to read",
                            rank, ranks.host(rank), ranks.host(0), difference(run, runs.front())));
  }
}

}  // namespace unroll
