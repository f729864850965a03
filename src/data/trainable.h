// Whether labels and tags look as if a network can learn them.
#pragma once

#include <cstdint>
#include <string>

#include "unroll/data/columns.h"

namespace unroll {

// "51,105 labels in 60,000 texts: is this the right column?"; empty where their number is no reason to doubt: at most
// 10,000, and at most ten or half as many as texts.
[[nodiscard]] std::string doubt_about_labels(std::int64_t labels, std::int64_t texts);

// The same of tags of words, which name the column; also where all words have the same tag.
[[nodiscard]] std::string doubt_about_tags(const TaggedTexts& texts);

}  // namespace unroll
