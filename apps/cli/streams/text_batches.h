// Texts to be answered, in batches, as they arrive.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/streams/line_batches.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/text.h"

namespace unroll {

// Reads texts without their labels. Lines come one by one, blank ones too; a pipe that pauses ends a batch, so that
// what it has sent is answered. Tables, JSON lines, folders and latin1 are read as a whole first.
class TextBatches {
 public:
  // Of the texts it returns those of `range`. `options` has one path, and no labels are needed; it must outlive this.
  // `coding` is that of lines.
  TextBatches(const LabelledTextOptions& options, TextCoding coding, const UnitRange& range = {});

  // Sets `texts` to the next texts, `most` at most and one at least; false at the end. Throws as LineReader and
  // read_labelled_texts().
  bool next(std::vector<std::string>& texts, std::size_t most);

  // What messages call a text of the last batch: "'a.txt', line 3".
  [[nodiscard]] std::string name(std::size_t index) const;

 private:
  bool next_lines(std::vector<std::string>& texts, std::size_t most);

  const LabelledTextOptions& options_;
  std::optional<LineBatches> lines_;
  LineBatch batch_;
  std::size_t taken_ = 0;  // of the batch, or of the whole set
  LabelledTexts whole_;
  std::size_t end_ = 0;    // of the texts that are returned, of the whole set
  std::size_t first_ = 0;  // of the last batch
};

}  // namespace unroll
