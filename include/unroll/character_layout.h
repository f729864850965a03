// How characters take their place in a line.
#pragma once

#include <cstdint>

#include "unroll/character.h"

namespace unroll {

// The columns that a character takes in a monospaced type: none for a combining mark (general categories Mn and Me) and
// a format character (Cf), two where East Asian Width (Unicode Standard Annex 11) is Wide or Fullwidth, else one.
[[nodiscard]] int character_columns(const Character& character) noexcept;

// The direction in which a character is read by itself.
enum class ReadingDirection : std::uint8_t {
  kNeither,  // that of its neighbours: spaces, punctuation, digits
  kLeftToRight,
  kRightToLeft,
};

// Of bidirectional classes L; R and AL; all others (Unicode Standard Annex 9).
[[nodiscard]] ReadingDirection reading_direction(const Character& character) noexcept;

}  // namespace unroll
