#include "cli/streams/line_batches.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

// The scores of a batch take about 100 bytes for each token, which for a char model is each byte.
constexpr std::size_t kBatchBytes = std::size_t{1} << 18;
constexpr std::size_t kBatchLines = std::size_t{1} << 14;
constexpr std::size_t kRememberedIds = std::size_t{1} << 16;
constexpr std::string_view kBlanks = " \t";

}  // namespace

LineBatches::LineBatches(const std::string& path, LineIds ids, TextCoding coding, const UnitRange& range)
    : name_(text_name(path)), reader_(path, coding), ids_(ids), range_(range) {}

bool LineBatches::next(LineBatch& batch) {
  if (failure_) throw Error(*failure_);
  batch.lines.clear();
  batch.ids.clear();
  skip_lines();
  batch.first_number = read_ + 1;
  std::size_t bytes = 0;
  try {
    while (batch.lines.size() < kBatchLines && bytes < kBatchBytes && (batch.lines.empty() || reader_.ready()) &&
           read_line(batch)) {
      bytes += batch.lines.back().size();
    }
  } catch (const Error& error) {
    if (batch.lines.empty()) throw;
    failure_ = error;
  }
  return !batch.lines.empty();
}

// Ids of lines before the range are remembered, as those within it.
void LineBatches::skip_lines() {
  LineBatch skipped;
  while (read_ < range_.first && read_line(skipped)) skipped = {};
}

bool LineBatches::read_line(LineBatch& batch) {
  std::string line;
  if (ended_ || read_ >= range_.last || !reader_.next(line)) {
    ended_ = true;
    return false;
  }
  ++read_;
  if (ids_ == LineIds::kFirstField) take_id(line, batch);
  batch.lines.push_back(std::move(line));
  return true;
}

void LineBatches::take_id(std::string& line, LineBatch& batch) {
  const std::size_t first = line.find_first_not_of(kBlanks);
  const std::size_t end = std::min(line.find_first_of(" \t\r", first), line.size());
  if (first == std::string::npos || first == end) {
    throw Error(ErrorCode::kInput, fmt::format("{}, line {}: there is no id: each line begins with one (lines without "
                                               "ids: --ids number)",
                                               name_, read_));
  }
  std::string id = line.substr(first, end - first);
  if (seen_.size() < kRememberedIds ? !seen_.insert(id).second : seen_.count(id) > 0) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}, line {}, column {}: the id \"{}\" came before: each line begins with an id of its own "
                            "(lines without ids: --ids number)",
                            name_, read_, first + 1, id));
  }
  batch.ids.push_back(std::move(id));
  line.erase(0, std::min(end + 1, line.size()));
}

}  // namespace unroll
