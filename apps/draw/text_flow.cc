#include "draw/text_flow.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "draw/shown.h"

namespace unroll {
namespace {

constexpr double kColumn = 8.5;  // of the type in which symbols are shown
constexpr double kPadding = 4;

ReadingDirection direction_of(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    const ReadingDirection direction = reading_direction(character);
    if (direction != ReadingDirection::kNeither) return direction;
    text.remove_prefix(character.bytes);
  }
  return ReadingDirection::kNeither;
}

// The direction of each cell of a line: its own, between two of the same theirs, else the line's.
std::vector<ReadingDirection> directions_of(std::span<const SymbolCell> line, ReadingDirection base) {
  std::vector<ReadingDirection> directions;
  for (const SymbolCell& cell : line) directions.push_back(cell.direction);
  ReadingDirection before = base;
  for (std::size_t i = 0; i < directions.size(); ++i) {
    if (directions[i] != ReadingDirection::kNeither) {
      before = directions[i];
      continue;
    }
    const auto after = std::find_if(directions.begin() + static_cast<std::ptrdiff_t>(i), directions.end(),
                                    [](ReadingDirection one) { return one != ReadingDirection::kNeither; });
    directions[i] = after != directions.end() && *after == before ? before : base;
  }
  return directions;
}

// The direction of the paragraph that begins with the first cell: that of its first letter.
ReadingDirection paragraph_direction(std::span<const SymbolCell> cells) {
  for (const SymbolCell& cell : cells) {
    if (cell.direction != ReadingDirection::kNeither) return cell.direction;
    if (cell.ends_line) break;
  }
  return ReadingDirection::kLeftToRight;
}

void place_line(std::span<SymbolCell> line, ReadingDirection base, const TextFlow& flow, double y) {
  const std::vector<ReadingDirection> directions = directions_of(line, base);
  std::vector<std::size_t> order(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) order[i] = i;
  for (std::size_t begin = 0; begin < line.size();) {
    std::size_t end = begin;
    while (end < line.size() && directions[end] == directions[begin]) ++end;
    if (directions[begin] != base) {
      std::reverse(order.begin() + static_cast<std::ptrdiff_t>(begin),
                   order.begin() + static_cast<std::ptrdiff_t>(end));
    }
    begin = end;
  }
  double run = 0;
  for (const std::size_t i : order) {
    SymbolCell& cell = line[i];
    const bool leftward = base == ReadingDirection::kRightToLeft;
    cell.corner = {leftward ? flow.corner.x + flow.width - run - cell.width : flow.corner.x + run, y};
    run += cell.width;
  }
}

}  // namespace

std::vector<SymbolCell> cells_of(const std::vector<std::string>& symbols) {
  std::vector<SymbolCell> cells;
  for (const std::string& symbol : symbols) {
    SymbolCell cell{.shown = shown_symbol(symbol, 24), .direction = direction_of(symbol), .ends_line = symbol == "\n"};
    cell.width = kPadding + kColumn * static_cast<double>(std::max<std::int64_t>(1, columns_of(cell.shown)));
    cells.push_back(std::move(cell));
  }
  return cells;
}

double place(std::vector<SymbolCell>& cells, const TextFlow& flow) {
  double y = flow.corner.y;
  std::size_t begin = 0;
  ReadingDirection base = ReadingDirection::kLeftToRight;
  while (begin < cells.size()) {
    if (begin == 0 || cells[begin - 1].ends_line) base = paragraph_direction(std::span(cells).subspan(begin));
    if (y + flow.line_height > flow.corner.y + flow.most_height) {
      cells.resize(begin);
      break;
    }
    double run = 0;
    std::size_t end = begin;
    while (end < cells.size() && (end == begin || run + cells[end].width <= flow.width)) {
      run += cells[end].width;
      if (cells[end++].ends_line) break;
    }
    place_line(std::span(cells).subspan(begin, end - begin), base, flow, y);
    y += flow.line_height;
    begin = end;
  }
  return y;
}

}  // namespace unroll
