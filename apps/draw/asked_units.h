// Which layer and which units a picture is about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "draw/picture.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// Some steps of a text.
struct StepRange {
  std::int64_t first = 0;
  std::int64_t count = 0;

  [[nodiscard]] std::int64_t last() const noexcept { return first + count - 1; }
};

// Of a text with more than `most` steps those from `from` on, or else those that end with `until`.
[[nodiscard]] StepRange shown_steps(const PictureRequest& request, const UnrolledText& text, std::int64_t most,
                                    std::int64_t until);

// Words for a `from` that the text does not have, to be added to a sentence; else nothing.
[[nodiscard]] std::string beyond_text(const PictureRequest& request, const UnrolledText& text);

// By unit: the sum of squared deviations of h from its mean over the steps; over one step its square.
[[nodiscard]] std::vector<double> spread_of(const UnrolledText& text, std::int64_t layer, const StepRange& steps);

// `layer`, or the last one. Throws Error{kUsage} for one that the network does not have.
[[nodiscard]] std::int64_t asked_layer(const PictureRequest& request, const UnrolledText& text);

// `units`, or else so many whose h varies most over the steps; over one step those with the largest |h|. Increasing.
// Throws Error{kUsage} for a unit that the layer does not have, and for more than 16.
[[nodiscard]] std::vector<std::int64_t> asked_units(const PictureRequest& request, const UnrolledText& text,
                                                    std::int64_t layer, const StepRange& steps, std::int64_t count);

// The name of a field with its value, refused: "`unit` is 200: the layer has the units 0 to 127".
void check_unit(const UnrolledText& text, std::int64_t unit, const char* field);

}  // namespace unroll
