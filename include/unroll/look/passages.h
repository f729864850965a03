// Units that hold a selection of a text together, and other passages where the same units do so.
//
//   const unroll::TextSelection selection{.from = 12, .to = 19};
//   const std::vector<unroll::SelectedUnit> units = unroll::units_of_selection(text, selection, 10);
//   for (const unroll::Passage& passage : unroll::passages_alike(text, selection, units, 5)) show(passage);
//
// After LSTMVis (Strobelt, Gehrmann, Pfister & Rush 2018), which has the reader choose the threshold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/look/unrolled_text.h"

namespace unroll {

// Steps of an unrolled text, both ends included.
struct TextSelection {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// What these steps read: the boundary as a newline, nothing where none begins the text. Requires steps of the text.
[[nodiscard]] std::string read_in(const UnrolledText& text, const TextSelection& selection);

// A unit whose number is on one side of a threshold at each step of a selection, and on the other side at the step
// before it and at the step after it.
struct SelectedUnit {
  std::int64_t layer = 0;
  bool of_cell_state = false;  // a number of c, not of h
  std::int64_t unit = 0;
  bool above = false;    // which side
  double threshold = 0;  // halfway between the two
  double margin = 0;     // how far they are apart, in standard deviations of the unit over the text
};

// The units that are on throughout the selection and off around it, those with the largest margin first, at most
// `count`; of one layer, or of all. None where no unit does so. Throws Error{kUsage} for a selection that the text does
// not have or that leaves nothing beside it, and for a layer that the model does not have.
[[nodiscard]] std::vector<SelectedUnit> units_of_selection(const UnrolledText& text, const TextSelection& selection,
                                                           std::int64_t count, std::optional<std::int64_t> layer = {});

// Whether the two sides are half a standard deviation apart, or more: among many units some are barely on one side
// throughout any selection, and on the other around it.
[[nodiscard]] bool holds_together(const SelectedUnit& unit) noexcept;

// A run of steps at each of which at least `units` units are on.
struct Passage {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t units = 0;
};

// Other passages at which those of the units are on that hold the selection together, apart from the selection and from
// each other, at most `count`: those with more units first, then those whose length is closest to the selection's, then
// the earlier. Passages with fewer than half of them are left out. Throws as units_of_selection().
[[nodiscard]] std::vector<Passage> passages_alike(const UnrolledText& text, const TextSelection& selection,
                                                  const std::vector<SelectedUnit>& units, std::int64_t count);

}  // namespace unroll
