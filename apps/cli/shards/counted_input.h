// How many units an input has, and which bytes: what shards are cut from, and must agree on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/data/columns.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/fnv1a.h"
#include "unroll/nbest/nbest.h"
#include "unroll/text.h"

namespace unroll {

struct CountedInput {
  std::int64_t units = 0;
  std::uint64_t hash = kFnv1aStart;

  // Counts one more unit of these bytes.
  void add(std::string_view bytes);
};

// The lines of files, one file after another. Throws as LineReader.
[[nodiscard]] CountedInput count_lines(const std::vector<std::string>& paths, TextCoding coding);

// The texts that TextBatches returns of the one path in `options`. Throws as that.
[[nodiscard]] CountedInput count_texts(const LabelledTextOptions& options, TextCoding coding);

// The sentences of a file. Throws as ColumnReader.
[[nodiscard]] CountedInput count_sentences(const std::string& path, const ColumnOptions& options);

// The lists of files. Throws as NbestReader.
[[nodiscard]] CountedInput count_lists(const std::vector<std::string>& paths, const NbestFormat& format);

}  // namespace unroll
