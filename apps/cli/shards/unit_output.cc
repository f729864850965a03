#include "cli/shards/unit_output.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "cli/shards/shard_files.h"
#include "cli/streams/file_hash.h"
#include "cli/streams/quantities.h"
#include "unroll/error.h"
#include "unroll/version.h"

namespace unroll {
namespace {

constexpr std::size_t kRecordBytes = std::size_t{1} << 20;

std::string hexadecimal(std::uint64_t number) { return fmt::format("{:016x}", number); }

ShardIdentity identity_of(const ShardRequest& request, const ShardPlan& plan, const CountedInput& input) {
  return {.verb = plan.verb,
          .shard = request.shard.value_or(Shard{}),
          .units = input.units,
          .text = hexadecimal(input.hash),
          .models = plan.models,
          .options = request.options,
          .version = version(),
          .instruction_set = instruction_set(),
          .json = plan.json,
          .parameters = plan.parameters};
}

}  // namespace

struct UnitOutput::File {
  File(const std::string& path, ShardIdentity identity) : name(path), files(path, std::move(identity)) {}

  std::string name;
  ShardFiles files;
  std::string records;  // of the side file, not yet written
  std::string head;     // until end_head()
  bool in_head = true;
  bool complete = false;
  std::int64_t expected = 0;   // units of the shard
  std::int64_t units = 0;      // that were ended, kept ones too
  std::int64_t unit_ends = 0;  // Output::bytes() there
};

std::string model_hash(const Model& model, const std::string& path) {
  return model.checksum().empty() ? hexadecimal(hash_of_file(path)) : model.checksum();
}

UnitOutput::UnitOutput(const ShardRequest& request, const ShardPlan& plan, Terminal& terminal)
    : totals_(totals_of(plan.verb, plan.parameters)),
      inputs_(request.reads_twice() ? plan.inputs : std::vector<std::string>{}),
      json_(plan.json),
      is_part_(request.shard.value_or(Shard{}).of > 1) {
  if (!request.reads_twice()) return;
  const CountedInput input = plan.count();
  units_ = range_of(request.shard.value_or(Shard{}), input.units);
  if (request.output.empty()) return;
  const std::int64_t all = units_.last - units_.first;
  file_ = std::make_unique<File>(request.output, identity_of(request, plan, input));
  File& file = *file_;
  file.complete =
      (request.resume && file.files.finish_renaming(request.overwrite)) || file.files.are_complete(request.overwrite);
  if (file.complete) {
    terminal.line(fmt::format("'{}' is there already, of the same model, options and text: {} {}", request.output,
                              grouped(all), plan.unit));
    return;
  }
  file.files.start(request.resume, request.overwrite, [this](const UnitSums& sums) { take_kept(sums); });
  file.units = file.files.kept_units();
  file.expected = all;
  units_.first += file.units;
  if (file.files.has_head()) {
    terminal.line(fmt::format("going on with '{}' after {} of {} {}", request.output, grouped(file.units), grouped(all),
                              plan.unit));
  }
  text_ = Output([&file](std::string_view bytes) {
    if (file.in_head) {
      file.head += bytes;
    } else {
      file.files.write(bytes);
    }
  });
}

UnitOutput::~UnitOutput() = default;

void UnitOutput::take_kept(const UnitSums& sums) {
  try {
    totals_->add(sums);
  } catch (const Error& error) {
    throw about_side_file(file_->name, error);
  }
  kept_counts_.resize(std::max(kept_counts_.size(), sums.counts.size()));
  for (std::size_t i = 0; i < sums.counts.size(); ++i) kept_counts_[i] += sums.counts[i];
}

const std::vector<std::int64_t>& UnitOutput::kept_counts() const noexcept { return kept_counts_; }

bool UnitOutput::is_complete() const noexcept { return file_ && file_->complete; }
bool UnitOutput::is_file() const noexcept { return file_ != nullptr; }
UnitRange UnitOutput::units() const noexcept { return units_; }
Output& UnitOutput::text() noexcept { return text_; }

void UnitOutput::end_head() {
  if (!file_) return;
  File& file = *file_;
  text_.flush();
  file.in_head = false;
  file.unit_ends = text_.bytes();
  if (file.files.has_head()) return;
  file.files.write(file.head);
  file.records += side_line(SideHead{.bytes = std::ssize(file.head)});
}

void UnitOutput::end_unit(const UnitSums& sums) {
  totals_->add(sums);
  if (!file_) return;
  File& file = *file_;
  file.records += side_line(SideUnit{.bytes = text_.bytes() - file.unit_ends, .sums = sums});
  file.unit_ends = text_.bytes();
  ++file.units;
  if (file.records.size() >= kRecordBytes) flush();
}

void UnitOutput::flush() {
  text_.flush();
  if (!file_ || file_->records.empty()) return;
  file_->files.record(file_->records);
  file_->records.clear();
}

// A part may have nothing to report on; the whole has.
std::string UnitOutput::tail_of_all() const {
  try {
    return totals_->tail(json_);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput || !is_part_) throw;
    return "";
  }
}

// Units of a changed input must not be taken up by the next run.
void UnitOutput::expect_same_input() {
  const std::string changed = inputs_.changed_path();
  if (changed.empty() && (!file_ || file_->units == file_->expected)) return;
  if (file_) file_->files.discard();
  if (!changed.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("'{}' was changed while it was read: run the command again", changed));
  }
  throw Error(ErrorCode::kInput,
              fmt::format("the shard of '{}' has {} lines, but {} were counted: the input was changed "
                          "while it was read; run the command again",
                          file_->name, file_->units, file_->expected));
}

void UnitOutput::finish() {
  expect_same_input();
  const std::string tail = tail_of_all();
  flush();
  text_.write(tail);
  text_.flush();
  if (!file_) return;
  file_->files.finish(file_->units, std::ssize(tail));
  Output out;
  out.write(totals_->report(false));
  out.flush();
}

}  // namespace unroll
