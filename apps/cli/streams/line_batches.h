// A text's lines in batches, as they come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {

// What a line is called in the output.
enum class LineIds {
  kNumber,      // its number in the text
  kFirstField,  // its first field, which is not part of the line: a Kaldi table
};

struct LineBatch {
  std::vector<std::string> lines;
  std::vector<std::string> ids;   // empty where they are the numbers
  std::int64_t first_number = 1;  // of the first line
};

// Reads enough lines at once to fill the processor, few enough for little memory and for output that comes as it goes.
// A pipe that pauses ends a batch, so that what it has sent is answered.
class LineBatches {
 public:
  // Throws what LineReader throws.
  LineBatches(const std::string& path, LineIds ids);

  // The next lines, one at least; false at the end. Throws what LineReader throws and Error{kInput}, naming file and
  // line, for a line without an id and for an id that came before, as words at the beginnings of lines do (it looks
  // back at the first 65,536 ids); but only when the lines before have been handed out.
  bool next(LineBatch* batch);

  // As messages call it: "'a.txt'", "standard input".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  // Appends a line; false at the end.
  bool read_line(LineBatch* batch);
  void take_id(std::string* line, LineBatch* batch);

  std::string name_;
  LineReader reader_;
  LineIds ids_;
  std::unordered_set<std::string> seen_;
  std::int64_t read_ = 0;  // lines
  bool ended_ = false;
  std::optional<Error> failure_;  // met behind lines that are not handed out yet
};

}  // namespace unroll
