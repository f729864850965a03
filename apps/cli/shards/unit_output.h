// Where the answers of a verb go, unit by unit: standard output, or the file of a shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/flags/shard_flags.h"
#include "cli/shards/counted_input.h"
#include "cli/shards/input_stamps.h"
#include "cli/shards/unit_totals.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/streams/unit_range.h"
#include "unroll/model.h"

namespace unroll {

// What a verb computes.
struct ShardPlan {
  std::string verb = {};
  std::string parameters = "{}";             // of totals_of()
  std::string unit = "lines";                // what messages call units
  std::vector<std::string> models = {};      // model_hash() of each
  std::function<CountedInput()> count = {};  // called where the request reads the input twice
  std::vector<std::string> inputs = {};      // files and folders that count() and the verb read, each for itself
  bool json = false;                         // the form of the tail
};

// A verb writes what comes before all units, then each unit and its sums, and finishes:
//
//   UnitOutput out(request, plan, terminal);
//   if (out.is_complete()) return 0;
//   out.text().write(header);
//   out.end_head();
//   for (unit of out.units()) { out.text().write(answer); out.end_unit(sums); }
//   out.finish();
class UnitOutput {
 public:
  // `plan` need not outlive this. With request.output, takes up what an interrupted run left, and says so on
  // `terminal`. Throws Error{kUsage} where a file is there that the request does not let it replace, Error{kFile},
  // and Error{kFormat} as totals_of().
  UnitOutput(const ShardRequest& request, const ShardPlan& plan, Terminal& terminal);
  ~UnitOutput();
  UnitOutput(const UnitOutput&) = delete;
  UnitOutput& operator=(const UnitOutput&) = delete;

  // Whether an equal run wrote the whole file before: there is nothing left to do.
  [[nodiscard]] bool is_complete() const noexcept;

  // Those that are still to be answered.
  [[nodiscard]] UnitRange units() const noexcept;

  // UnitSums::counts, added over the units that an interrupted run left; empty of none.
  [[nodiscard]] const std::vector<std::int64_t>& kept_counts() const noexcept;

  // Whether sums are kept: else those that end_unit() is given may be empty, unless the tail is made of them.
  [[nodiscard]] bool is_file() const noexcept;

  [[nodiscard]] Output& text() noexcept;

  // The head and a unit may each be empty.
  void end_head();
  void end_unit(const UnitSums& sums);

  // Passes on whole units: to a reader, or to the files, from where a killed run goes on.
  void flush();

  // Writes the tail, puts the files in their places, prints the totals on standard output. Throws Error{kInput} where
  // units are missing that were counted, and where an input was changed meanwhile; what was written is then removed.
  void finish();

 private:
  struct File;

  void take_kept(const UnitSums& sums);
  void expect_same_input();
  [[nodiscard]] std::string tail_of_all() const;

  Output text_;
  UnitRange units_;
  std::unique_ptr<UnitTotals> totals_;
  std::vector<std::int64_t> kept_counts_;
  InputStamps inputs_;  // before they are counted
  bool json_;
  bool is_part_;                // of several
  std::unique_ptr<File> file_;  // null: standard output
};

// The checksum of a model; where its file, at `path`, has none, the hash of that.
[[nodiscard]] std::string model_hash(const Model& model, const std::string& path);

}  // namespace unroll
