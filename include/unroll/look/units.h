// Units that follow a feature of the text: which numbers of the state know what.
//
//   const unroll::UnrolledText text(model, {bytes, "'test.txt'"});
//   const unroll::TextFeature quotes = unroll::quotes_feature(text);
//   for (const unroll::FollowingUnit& unit : unroll::units_following(text, quotes, 3)) std::cout << unit.auc << '\n';
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/look/unrolled_text.h"

namespace unroll {

// A number for what has been read after each step of an unrolled text.
struct TextFeature {
  std::string name;
  std::vector<double> values = {};  // one per step; NaN: the step does not count
  bool is_claim = false;            // values are 1, it holds, and 0
};

// Whether a quotation is open: an odd number of " since the last empty line, or an opening quotation mark (U+201C,
// U+00AB) that was not closed (U+201D, U+00BB).
[[nodiscard]] TextFeature quotes_feature(const UnrolledText& text);

// Whether a bracket is open: more ( [ { than ) ] } since the last empty line.
[[nodiscard]] TextFeature brackets_feature(const UnrolledText& text);

// The bytes of the line so far.
[[nodiscard]] TextFeature line_position_feature(const UnrolledText& text);

// Whether the last byte that was read is part of a match of a regular expression (ECMAScript's) in its line; of lines
// longer than 1,024 bytes each piece of as many bytes is a line. Throws Error{kUsage} for what is no regular expression
// or longer than 200 bytes, for repetitions {n} that together come to more than 100, and for one that takes more than
// 1,000 steps for each byte, or a megabyte of the stack.
[[nodiscard]] TextFeature match_feature(const UnrolledText& text, const std::string& expression);

// Whether the feature is another at some steps that count than at others. One that is the same at all of them is
// followed by every unit and by none.
[[nodiscard]] bool varies(const TextFeature& feature);

// How a unit follows a feature.
struct FollowingUnit {
  std::int64_t layer = 0;
  bool of_cell_state = false;  // a number of c, not of h
  std::int64_t unit = 0;
  double correlation = 0;  // Pearson's, with its sign
  // Of a claim: the probability that the unit's number is higher where the claim holds than where it does not (ties
  // count half), or lower, if that is more; from 0.5, and 1 where a threshold tells them apart. Else NaN.
  double auc = 0;
};

// The units that follow a feature best, at most `count`, of one layer or of all: by AUC and then by the magnitude of
// the correlation, or by this alone. None where the feature, or all units, are the same at every step that counts.
[[nodiscard]] std::vector<FollowingUnit> units_following(const UnrolledText& text, const TextFeature& feature,
                                                         std::int64_t count, std::optional<std::int64_t> layer = {});

// Whether a unit follows its feature well enough to be called its detector: an AUC of 0.9 or a correlation of 0.7.
[[nodiscard]] bool follows_well(const FollowingUnit& unit) noexcept;

}  // namespace unroll
