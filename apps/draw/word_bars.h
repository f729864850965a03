// Words of a text with a coloured bar under each.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "draw/svg.h"

namespace unroll {

// A number for each of some words.
struct WordBars {
  std::string group;  // the class of a word's group, which has its number as data-value
  std::string title;
  std::pair<std::string, std::string> ends = {};  // words at the ends of the scale
  double least = 0;                               // below zero: numbers have a sign; otherwise they are shares
  double most = 1;
  std::vector<double> values = {};
};

// The bounds so that no number is outside, and zero is in the middle.
void set_signed_scale(WordBars& bars);

// Draws from `corner` down, so wide; returns the y below. `marked`: the word that is framed; -1: none.
double draw_word_bars(Svg& svg, const std::vector<std::string>& words, const WordBars& bars, Point corner, double width,
                      std::int64_t marked = -1);

}  // namespace unroll
