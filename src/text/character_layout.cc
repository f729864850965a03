#include "unroll/character_layout.h"

#include <unicode/uchar.h>

namespace unroll {

int character_columns(const Character& character) noexcept {
  if (!character.well_formed) return 1;
  const auto value = static_cast<UChar32>(character.value);
  const auto category = u_charType(value);
  if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR) return 0;
  const int width = u_getIntPropertyValue(value, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

ReadingDirection reading_direction(const Character& character) noexcept {
  if (!character.well_formed) return ReadingDirection::kNeither;
  switch (u_charDirection(static_cast<UChar32>(character.value))) {
    case U_LEFT_TO_RIGHT:
      return ReadingDirection::kLeftToRight;
    case U_RIGHT_TO_LEFT:
    case U_RIGHT_TO_LEFT_ARABIC:
      return ReadingDirection::kRightToLeft;
    default:
      return ReadingDirection::kNeither;
  }
}

}  // namespace unroll
