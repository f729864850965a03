// The lines of a text in batches, as they arrive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "cli/streams/unit_range.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {

// The id of a line in the output.
enum class LineIds {
  kNumber,      // its number in the text
  kFirstField,  // its first field, which is not part of the line: a Kaldi table
};

struct LineBatch {
  std::vector<std::string> lines;
  std::vector<std::string> ids;   // empty where they are the numbers
  std::int64_t first_number = 1;  // of the first line
};

// Reads enough lines at once to keep the processor busy, few enough for little memory and steady output. A pipe that
// pauses ends a batch, so that what it has sent is answered.
class LineBatches {
 public:
  // Of the text it returns the lines of `range`. Throws what LineReader throws.
  LineBatches(const std::string& path, LineIds ids, TextCoding coding, const UnitRange& range = {});

  // Sets `batch` to the next lines, one at least; false at the end. Throws what LineReader throws and Error{kInput},
  // naming file and line, for a line without an id and for an id that came before (it remembers the first 65,536 ids);
  // but only after all lines before were returned.
  bool next(LineBatch& batch);

  // What messages call it: "'a.txt'", "standard input".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  // Appends a line; false at the end.
  bool read_line(LineBatch& batch);
  void skip_lines();
  void take_id(std::string& line, LineBatch& batch);

  std::string name_;
  LineReader reader_;
  LineIds ids_;
  UnitRange range_;
  std::unordered_set<std::string> seen_;
  std::int64_t read_ = 0;  // lines
  bool ended_ = false;
  std::optional<Error> failure_;  // met after lines that were not returned yet
};

}  // namespace unroll
