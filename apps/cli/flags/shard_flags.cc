#include "cli/flags/shard_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "cli/flags/output_path.h"
#include "cli/streams/file_hash.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostShards = 1'000'000;

// Flags that change no byte of the result, or decide which part of it is made.
constexpr std::array<std::string_view, 8> kWithoutEffect{"--threads", "--quiet", "--shard",     "--output",
                                                         "--resume",  "--model", "--overwrite", "--max-bad"};
// Flags that name a file whose content decides the result.
constexpr std::array<std::string_view, 4> kNamingFiles{"--ngram", "--percentile", "--references", "--noise-vocab"};

bool whole_number(std::string_view text, std::int64_t* number) {
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, *number);
  return failure == std::errc() && rest == end && (text.front() != '0' || text.size() == 1);
}

std::optional<std::int64_t> number_in_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  std::int64_t number = 0;
  if (whole_number(value, &number)) return number;
  throw Error(ErrorCode::kUsage, fmt::format("{} is \"{}\": expected a whole number", name, value));
}

std::int64_t slurm_number(const std::string& which) {
  const std::string name = "SLURM_ARRAY_TASK_" + which;
  if (const std::optional<std::int64_t> number = number_in_environment(name)) return *number;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} is not set: slurm is for the tasks of a job array (sbatch --array=1-N), "
                          "elsewhere give I/N",
                          name));
}

Shard shard_of_slurm() {
  const std::int64_t id = slurm_number("ID");
  const std::int64_t least = slurm_number("MIN");
  const std::int64_t step = slurm_number("STEP");
  const std::int64_t count = slurm_number("COUNT");
  const std::optional<std::int64_t> most = number_in_environment("SLURM_ARRAY_TASK_MAX");
  const bool fits = step >= 1 && count >= 1 && count <= kMostShards && id >= least && (id - least) % step == 0 &&
                    (id - least) / step < count && (!most || (*most - least) / step == count - 1);
  if (!fits || (most && (*most - least) % step != 0)) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("the array's ids have gaps: task {} of {} from {} on{} in steps of {}; use one range, such as "
                    "--array=1-{}",
                    id, count, least, most ? fmt::format(" to {}", *most) : "", step,
                    std::max(count, std::int64_t{1})));
  }
  return {.number = (id - least) / step + 1, .of = count};
}

std::string hash_of_options(const Flags& flags) {
  std::uint64_t hash = kFnv1aStart;
  for (const auto& [name, value] : flags.given_values()) {
    if (std::ranges::find(kWithoutEffect, name) != kWithoutEffect.end()) continue;
    const bool names_file = std::ranges::find(kNamingFiles, name) != kNamingFiles.end();
    hash = fnv1a(hash, fmt::format("{}={}\n", name, names_file ? fmt::format("{:016x}", hash_of_file(value)) : value));
  }
  return fmt::format("{:016x}", hash);
}

void expect_file(const std::string& path) {
  std::error_code unknown;
  if (path != "-" &&
      (std::filesystem::is_regular_file(path, unknown) || std::filesystem::is_directory(path, unknown))) {
    return;
  }
  if (path != "-" && !std::filesystem::exists(path, unknown)) return;  // whoever reads it says so
  throw Error(ErrorCode::kUsage, fmt::format("--shard and --output read the input twice, and {} can be read only once: "
                                             "give the path of a file",
                                             text_name(path)));
}

}  // namespace

Shard parse_shard(const std::string& text) {
  if (text == "slurm") return shard_of_slurm();
  const std::size_t slash = text.find('/');
  Shard shard;
  const bool reads = slash != std::string::npos && slash > 0 && slash + 1 < text.size() &&
                     whole_number(std::string_view(text).substr(0, slash), &shard.number) &&
                     whole_number(std::string_view(text).substr(slash + 1), &shard.of);
  if (reads && shard.of >= 1 && shard.of <= kMostShards && shard.number >= 1 && shard.number <= shard.of) return shard;
  throw Error(ErrorCode::kUsage, fmt::format("expected I/N with whole numbers, I from 1 to N and N up to 1,000,000, or "
                                             "slurm; found \"{}\"",
                                             text));
}

void declare_shard_flags(Flags* flags, const std::string& unit, ShardRequest* request) {
  flags->heading("Shards");
  flags->text(
      {"--shard", "I/N",
       fmt::format("part I of N: a block of whole {}, the same on every machine; slurm: I and N of the task of a "
                   "job array (docs/scale.md)",
                   unit),
       "all"},
      [request](const std::string& value) { request->shard = parse_shard(value); });
  flags->path(
      {"--output", "FILE",
       "write to FILE, which appears when it is complete, and to FILE.shard what unroll merge needs; where both "
       "are there already, of the same model, options and text, nothing is done",
       "standard output"},
      &request->output);
  flags->toggle({"--resume", "", "go on where an interrupted run with the same --output stopped", ""},
                &request->resume);
  flags->toggle({"--overwrite", "", "replace an existing FILE, and what an interrupted run left of it", ""},
                &request->overwrite);
}

void finish_shard_flags(const Flags& flags, const std::vector<std::string>& inputs, ShardRequest* request) {
  if (request->resume && request->output.empty()) {
    throw Error(ErrorCode::kUsage, "--resume is for --output: give both or neither");
  }
  if (!request->reads_twice()) return;
  for (const std::string& input : inputs) {
    if (!input.empty()) expect_file(input);
  }
  if (request->output == "-") {
    throw Error(ErrorCode::kUsage, "--output takes the path of a file, not standard output");
  }
  if (request->output.empty()) return;
  expect_no_input("--output", request->output, inputs);
  expect_no_input("--output", request->output + ".shard", inputs);
  request->options = hash_of_options(flags);
}

void refuse_with_shards(const ShardRequest& request, const std::string& excluded, const std::string& reason) {
  if (!request.reads_twice()) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} cannot be combined with {}: {}",
                                             request.shard ? "--shard" : "--output", excluded, reason));
}

void refuse_flags_with_shards(const Flags& flags, const ShardRequest& request, const std::vector<std::string>& names,
                              const std::string& reason) {
  for (const std::string& name : names) {
    if (flags.given(name)) refuse_with_shards(request, name, reason);
  }
}

}  // namespace unroll
