// The files of all shards as one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/shards/side_file.h"
#include "cli/shards/unit_totals.h"
#include "cli/streams/output.h"

namespace unroll {

class MergedShards {
 public:
  // Reads the side files of `paths`, in any order, and checks that they are all N shards, once each, of one verb,
  // model, text and options, and that each file has the bytes that its side file tells of. Throws Error{kInput} where
  // they do not belong together, naming both files, Error{kFile} where one is missing, and Error{kFormat} where one
  // is damaged.
  explicit MergedShards(const std::vector<std::string>& paths);

  // The instruction sets that computed them, each once, in order.
  [[nodiscard]] const std::vector<std::string>& instruction_sets() const noexcept { return instruction_sets_; }

  // Adds the units of all, in order. Throws Error{kFormat} for numbers that a unit cannot have.
  [[nodiscard]] std::unique_ptr<UnitTotals> totals() const;

  // Writes the head of the first, the units of all in order, and the tail of `totals`: as JSON if `json`, or if the
  // shards were asked for that. Throws Error{kInput} where heads differ.
  void write(const UnitTotals& totals, bool json, Output& out) const;

 private:
  struct File {
    std::string path;
    ShardIdentity identity;
    SideEnd end;
    std::int64_t head = 0;  // bytes
  };
  void check_together() const;

  std::vector<File> files_;  // by number
  std::vector<std::string> instruction_sets_;
};

}  // namespace unroll
