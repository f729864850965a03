#include "train/same_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "dist/collect.h"
#include "train/options.h"
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

using NamedTexts = std::vector<std::pair<std::string_view, std::string_view>>;

NamedTexts lines_of(std::string_view text) {
  NamedTexts lines;
  while (!text.empty()) {
    const std::size_t tab = text.find('\t');
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, tab), text.substr(tab + 1, end - tab - 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view value_in(const NamedTexts& lines, std::string_view name) {
  const auto found = std::ranges::find(lines, name, &NamedTexts::value_type::first);
  return found == lines.end() ? "not set" : found->second;
}

// "`run.lr` is 0.5, and 0.004 on rank 0".
std::string difference(std::string_view here, std::string_view first) {
  const NamedTexts mine = lines_of(here);
  const NamedTexts wanted = lines_of(first);
  for (const NamedTexts& lines : {mine, wanted}) {
    for (const auto& [name, value] : lines) {
      const std::string_view present = value_in(mine, name);
      const std::string_view other = value_in(wanted, name);
      if (present != other) return fmt::format("{} is {}, and {} on rank 0", name, present, other);
    }
  }
  return "its options are in another order";
}

// Throws where a rank's description is not that of rank 0.
void expect_same_descriptions(Ranks& ranks, const std::string& mine) {
  const std::vector<std::string> all = texts_of_ranks(ranks, mine);
  for (int rank = 1; rank < ranks.size(); ++rank) {
    const std::string& description = all[static_cast<std::size_t>(rank)];
    if (description == all.front()) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("rank {} on {} is about to make another run than rank 0 on {}: {}; all ranks need the same "
                            "options, and the same files to read",
                            rank, ranks.host(rank), ranks.host(0), difference(description, all.front())));
  }
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

void expect_same_options(Ranks& ranks, const TrainOptions& options) {
  std::string lines;
  for (const DescribedOption& described : describe_all(options)) {
    if (described.option.field == "run.threads") continue;
    lines += fmt::format("`{}`\t{}\n", described.option.field, quote(described.value));
  }
  lines += fmt::format("`run.plan_only`\t{}\n", options.run.plan_only);
  expect_same_descriptions(ranks, lines);
}

void expect_same_everywhere(Ranks& ranks, const RunPlan& plan, const EarlierRun& earlier) {
  expect_same_descriptions(ranks, described_run(plan, earlier));
}

}  // namespace unroll
