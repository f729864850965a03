// Symbols one after another on lines, each in a cell of its own, as a text is read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "draw/svg.h"
#include "unroll/character_layout.h"

namespace unroll {

// A symbol, and where it stands.
struct SymbolCell {
  std::string shown;
  ReadingDirection direction = ReadingDirection::kNeither;  // of the symbol, whatever it is shown as
  bool ends_line = false;
  Point corner = {};  // top left
  double width = 0;
};

struct TextFlow {
  Point corner = {};
  double width = 0;
  double line_height = 24;
  double most_height = 1e9;  // what does not fit is left out
};

// A cell for each symbol, as wide as it is shown.
[[nodiscard]] std::vector<SymbolCell> cells_of(const std::vector<std::string>& symbols);

// Gives each cell its corner and drops those that do not fit; returns the y below the last line. A paragraph whose
// first letter is read from right to left runs so, and letters of the other direction run theirs within its lines, by a
// small part of the rules of Unicode Standard Annex 9: runs of one direction, without levels within them.
double place(std::vector<SymbolCell>& cells, const TextFlow& flow);

}  // namespace unroll
