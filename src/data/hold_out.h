// Parts of labelled texts for training and for validation, stratified by label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "unroll/data/columns.h"
#include "unroll/data/dense.h"
#include "unroll/data/labelled_texts.h"

namespace unroll {

// Places in LabelledTexts::texts, each in one of the two, ascending.
struct TextSplit {
  std::vector<std::size_t> train;
  std::vector<std::size_t> valid;
};

// Holds out round(share * n) of n texts, or a few less. Each label gives its share, up to rounding; a text with several
// counts for the rarest of them, one without label for none. What rounding leaves over goes to the labels with the
// largest remainders.
//
// Equal texts stay together, so that no text is validated on that was trained on, whatever its label. Of the texts that
// count for a label, one stays. The choice depends on the seed and on which texts there are, not on their order:
// whether a text is held out before another of its label is decided by Philox at the hash of the text.
//
// Throws Error{kUsage} unless 0 <= share < 1 (`share`), Error{kInput} where that holds out no text although share > 0.
[[nodiscard]] TextSplit hold_out(const LabelledTexts& texts, double share, std::uint64_t seed);

// The same of sentences, as texts that all have one label: those of equal words are equal.
[[nodiscard]] TextSplit hold_out(const TaggedTexts& texts, double share, std::uint64_t seed);

// The same of sequences of numbers: places are those of sequences, equal ones have the same numbers, and those with
// targets other than a label of their own are of one label.
[[nodiscard]] TextSplit hold_out(const DenseData& data, double share, std::uint64_t seed);

// Fold `fold` (from 0) of `folds` for cross-validation: the folds hold each text once, and as nearly as can be the same
// number of texts and of each label. Equal texts stay together; the folds depend on the seed, not on the texts' order.
// Throws Error{kUsage} unless 2 <= folds and 0 <= fold < folds, Error{kInput} if there are fewer different texts.
[[nodiscard]] TextSplit split_fold(const LabelledTexts& texts, std::int64_t fold, std::int64_t folds,
                                   std::uint64_t seed);
[[nodiscard]] TextSplit split_fold(const DenseData& data, std::int64_t fold, std::int64_t folds, std::uint64_t seed);

}  // namespace unroll
