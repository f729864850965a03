#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/arrows.h"
#include "draw/heat_rows.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"

namespace unroll {
namespace {

constexpr std::int64_t kHotCells = 40;
constexpr std::int64_t kTableRows = 9;
constexpr std::int64_t kTableColumns = 24;
constexpr double kHotCell = 18;
constexpr double kHotLeft = 100;
constexpr double kHotPage = 850;
constexpr std::int64_t kGapId = -1;

// Ids from 0 to V - 1 of which so many are shown: the first, those around the one, and the last; -1 for each gap.
std::vector<std::int64_t> folded(std::int64_t V, std::int64_t id, std::int64_t most) {
  std::vector<std::int64_t> ids;
  const std::int64_t around = most / 3;
  std::int64_t before = -1;
  for (std::int64_t i = 0; i < V; ++i) {
    const bool shown = V <= most || i < around || i >= V - around || std::abs(i - id) <= around / 2 - 1;
    if (!shown) continue;
    if (i != before + 1) ids.push_back(kGapId);
    ids.push_back(i);
    before = i;
  }
  return ids;
}

void draw_strip(Svg& svg, const Tokenizer& tokenizer, std::int64_t id, double y) {
  svg.open_group("onehot", {{"data-id", id}, {"data-cells", tokenizer.size()}});
  svg.text({kHotLeft - 12, y + 14}, "end", "one-hot");
  double x = kHotLeft;
  for (const std::int64_t one : folded(tokenizer.size(), id, kHotCells)) {
    if (one == kGapId) {
      svg.text({x + kHotCell / 2, y + 14}, "small middle", "\xE2\x80\xA6");
    } else {
      svg.open("g", {});
      svg.hint(fmt::format("symbol {}: {}", one, shown_symbol(tokenizer, static_cast<std::int32_t>(one))));
      svg.rect({x, y}, kHotCell - 1, 19, one == id ? "lit" : "cells");
      svg.text({x + (kHotCell - 1) / 2, y + 14}, one == id ? "small middle on-lit" : "small middle",
               one == id ? "1" : "0");
      svg.text({x + (kHotCell - 1) / 2, y + 33}, one == id ? "tiny middle" : "tiny middle faint",
               shown_symbol(tokenizer, static_cast<std::int32_t>(one), 2));
      svg.close();
    }
    x += kHotCell;
  }
  svg.close();
}

}  // namespace

Picture draw_onehot(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request);
  const Tokenizer& tokenizer = text.model().tokenizer();
  const std::int64_t at = request.options.at ? asked_step(request, text) : std::min<std::int64_t>(1, text.steps() - 1);
  const std::int32_t id = text.input(at);
  const std::span<const float> row = text.embedding(id);
  const std::int64_t E = std::ssize(row);
  const std::int64_t columns = std::min(E, kTableColumns);
  double largest = 1e-6;
  const std::vector<std::int64_t> ids = folded(tokenizer.size(), id, kTableRows);
  for (const std::int64_t one : ids) {
    if (one == kGapId) continue;
    for (const float value : text.embedding(static_cast<std::int32_t>(one)).first(static_cast<std::size_t>(columns))) {
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
  }

  Picture picture{.title = "Multiplying by a one-hot is looking up a row"};
  Svg svg;
  svg.text({kHotLeft - 12, 36}, "end", "symbol");
  svg.text({kHotLeft, 37}, "symbol big", shown_symbol(tokenizer, id, 40));
  draw_strip(svg, tokenizer, id, 54);
  double y = 122;
  svg.text({kHotLeft, y - 10}, "small",
           fmt::format("the table: {} rows of {} numbers{}", with_commas(tokenizer.size()), E,
                       columns < E ? fmt::format(", of which {} are shown", columns) : ""));
  double lit_y = y;
  svg.open_group("table", {});
  for (const std::int64_t one : ids) {
    if (one == kGapId) {
      svg.text({kHotLeft + 20, y + 12}, "small", "\xE2\x8B\xAE");
      y += kHotCell;
      continue;
    }
    if (one == id) lit_y = y;
    svg.open_group(one == id ? "row lit-row" : "row", {{"data-id", one}});
    svg.text({kHotLeft - 12, y + 13}, "symbol end", shown_symbol(tokenizer, static_cast<std::int32_t>(one), 8));
    const std::span<const float> numbers = text.embedding(static_cast<std::int32_t>(one));
    for (std::int64_t j = 0; j < columns; ++j) {
      const double value = numbers[static_cast<std::size_t>(j)];
      svg.rect({kHotLeft + kHotCell * static_cast<double>(j), y}, kHotCell - 1, kHotCell - 1,
               scale_class(value, -largest, largest) + (one == id ? "" : " faint"));
    }
    if (one == id) {
      svg.rect({kHotLeft - 2, y - 2}, kHotCell * static_cast<double>(columns) + 3, kHotCell + 3, "frame");
    }
    svg.close();
    y += kHotCell;
  }
  svg.close();
  const double right = kHotLeft + kHotCell * static_cast<double>(columns) + 14;
  arrow(svg, {right, lit_y + 9}, {right + 44, lit_y + 9}, "U");
  svg.text({right + 52, lit_y + 13}, "", "x = one-hot \xC2\xB7 table");
  std::string start;
  for (std::int64_t j = 0; j < std::min<std::int64_t>(3, E); ++j) {
    start += fmt::format("{}{:.3f}", j == 0 ? "" : ", ", row[static_cast<std::size_t>(j)]);
  }
  svg.text({right + 52, lit_y + 32}, "small", fmt::format("= ({}{})", start, E > 3 ? ", \xE2\x80\xA6" : ""));
  draw_scale(svg, {kHotLeft + 40, y + 14}, three_digits(-largest), three_digits(largest));

  picture.table.columns = {"number", "x"};
  for (std::int64_t j = 0; j < E; ++j) {
    picture.table.rows.push_back({j, static_cast<double>(row[static_cast<std::size_t>(j)])});
  }
  picture.sentence = fmt::format(
      "{} is number {} of the symbols 0 to {}: all of {} products but one are with 0, so that what enters the network "
      "is "
      "row {} of its table",
      quoted_symbol(tokenizer, id), id, with_commas(tokenizer.size() - 1), with_commas(tokenizer.size()), id);
  picture.facts = {{"at", at}, {"id", std::int64_t{id}}, {"V", tokenizer.size()}, {"E", E}};
  finish(picture, request, svg, kHotPage, y + 44);
  return picture;
}

}  // namespace unroll
