// The flags of verbs that can do a part of their work, into a file that other parts are merged with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags/flags.h"

namespace unroll {

// Part number `number` of `of`, counted from 1.
struct Shard {
  std::int64_t number = 1;
  std::int64_t of = 1;
  friend bool operator==(const Shard&, const Shard&) = default;
};

// What the command line asked for.
struct ShardRequest {
  std::optional<Shard> shard = {};
  std::string output = {};  // empty: standard output
  bool resume = false;
  bool overwrite = false;
  std::string options = {};  // hash of the flags that decide results, 16 hexadecimal digits

  // Whether the input is counted, and so read twice.
  [[nodiscard]] bool reads_twice() const { return shard || !output.empty(); }
};

// "I/N"; "slurm": what the variables SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT say. Throws Error{kUsage} for another
// text, for a variable that is missing, and for ids of an array with gaps.
[[nodiscard]] Shard parse_shard(const std::string& text);

// Declares --shard, --output, --resume and --overwrite under the heading "Shards"; they set `request`, which must live
// until flags->parse() has returned. `unit` is what a shard has a block of: "lines".
void declare_shard_flags(Flags* flags, const std::string& unit, ShardRequest* request);

// Checks the flags and sets request->options, for which the files that flags name are read. `inputs` are the paths that
// the verb reads. Throws Error{kUsage} where flags contradict each other, where --output would replace an input, and
// where an input that has to be read twice is not a file; Error{kFile} where a flag's file cannot be read.
void finish_shard_flags(const Flags& flags, const std::vector<std::string>& inputs, ShardRequest* request);

// Throws Error{kUsage} for --shard and --output where `excluded`, as the message calls it, is on.
void refuse_with_shards(const ShardRequest& request, const std::string& excluded, const std::string& reason);

// Throws Error{kUsage} where one of these flags is given with --shard or --output.
void refuse_flags_with_shards(const Flags& flags, const ShardRequest& request, const std::vector<std::string>& names,
                              const std::string& reason);

}  // namespace unroll
