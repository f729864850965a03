// Windows of texts that a language model learns given their labels.
#pragma once

#include <cstddef>
#include <span>

#include "label/examples.h"
#include "label/packing.h"
#include "text/window.h"

namespace unroll {

// Sets `out` to a window with a row for each piece of these texts, of kPieceSteps at most, which begins from the state
// of the text's label. The ids of a text end with the boundary, which is also the input before the first one; a later
// piece begins with the id before it. Rows that are shorter than the longest end with steps that predict nothing.
void make_conditional_window(const Examples& examples, std::span<const std::size_t> texts, Window& out);

// The largest window of `texts_per_window` of the texts.
[[nodiscard]] PackedSize largest_conditional_window(const Examples& examples, std::int64_t texts_per_window);

}  // namespace unroll
