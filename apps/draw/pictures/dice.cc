#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "draw/written.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostDrawn = 200;
constexpr double kDicePage = 860;
constexpr double kBarLeft = 30;
constexpr double kBarWidth = 800;
constexpr double kBarHeight = 44;
constexpr double kLeastDrawn = 6;  // wider than the needle, however improbable

double size_of(const SymbolShare& share) { return share.to - share.from; }

void draw_slice(Svg& svg, const Tokenizer& tokenizer, const SymbolShare& slice, double y, bool drawn, bool odd) {
  const double width = std::max(kBarWidth * size_of(slice), drawn ? kLeastDrawn : 0.0);
  const double middle = kBarLeft + kBarWidth * (slice.from + slice.to) / 2;
  const double x = std::clamp(middle - width / 2, kBarLeft, kBarLeft + kBarWidth - width);
  const std::string symbol = shown_symbol(tokenizer, slice.id);
  svg.open_group(drawn ? "slice drawn" : "slice",
                 {{"data-id", slice.id}, {"data-from", fmt::format("{:.9g}", slice.from)}});
  svg.hint(fmt::format("{}: from {:.4f} to {:.4f}, {}", symbol, slice.from, slice.to, percent(size_of(slice))));
  svg.rect({x, y}, width, kBarHeight, drawn ? "chosen" : (odd ? "slice-odd" : "slice-even"));
  if (width >= 3 + 8.5 * static_cast<double>(columns_of(symbol))) {
    svg.text({x + width / 2, y + kBarHeight / 2 + 5}, drawn ? "symbol middle on-chosen" : "symbol middle", symbol);
  }
  svg.close();
}

// Neighbours that are too narrow to be seen are one.
void draw_slices(Svg& svg, const Tokenizer& tokenizer, const std::vector<SymbolShare>& slices, double y) {
  constexpr double kNarrow = 1.5 / kBarWidth;
  bool odd = false;
  for (std::size_t i = 0; i < slices.size();) {
    std::size_t end = i;
    while (end < slices.size() && size_of(slices[end]) < kNarrow) ++end;
    if (end > i + 1) {
      const double x = kBarLeft + kBarWidth * slices[i].from;
      svg.open_group("slice few", {{"data-symbols", end - i}});
      svg.hint(fmt::format("{} symbols from {:.4f} to {:.4f}", with_commas(static_cast<std::int64_t>(end - i)),
                           slices[i].from, slices[end - 1].to));
      svg.rect({x, y}, kBarWidth * (slices[end - 1].to - slices[i].from), kBarHeight, "slice-few");
      svg.close();
      i = end;
      continue;
    }
    odd = !odd;
    draw_slice(svg, tokenizer, slices[i++], y, false, odd);
  }
}

double draw_so_far(Svg& svg, const std::string& prompt, const std::vector<SymbolReport>& written) {
  std::string before = prompt;
  for (std::size_t i = 0; i + 1 < written.size(); ++i) before += written[i].text;
  const std::string last = written.back().text;
  std::vector<std::string> symbols;
  if (!before.empty())
    symbols.push_back(before.size() > 60 ? "\xE2\x80\xA6" + before.substr(before.find(' ', before.size() - 60) + 1)
                                         : before);
  std::string shown = symbols.empty() ? "" : shown_symbol(symbols.front(), 70);
  const double width = 8.5 * static_cast<double>(columns_of(shown));
  if (!shown.empty()) svg.text({kBarLeft, 34}, "symbol", shown);
  const std::string drawn = shown_symbol(last, 20);
  svg.rect({kBarLeft + width + 2, 18}, 8.5 * static_cast<double>(std::max<std::int64_t>(1, columns_of(drawn))) + 6, 23,
           "chosen");
  svg.text({kBarLeft + width + 5, 34}, "symbol on-chosen", drawn);
  return 96;
}

// Who shares the line.
std::string words_of(const std::vector<SymbolShare>& slices, const Tokenizer& tokenizer) {
  if (slices.size() == 1) return "one symbol has all of the line";
  const std::int64_t most = tokenizer.size() - (tokenizer.unknown() < 0 ? 0 : 1);
  const std::string who =
      std::ssize(slices) < most ? fmt::format("each of {} symbols", with_commas(std::ssize(slices))) : "each symbol";
  return who + " has as much of the line as it is probable";
}

}  // namespace

Picture draw_dice(const PictureRequest& request) {
  const std::int64_t at = request.options.at.value_or(0);
  if (at >= kMostDrawn) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`at` is {}: expected a written symbol from 0 to {}", at, kMostDrawn - 1), "at");
  }
  const Model& model = request.models.at(0).model;
  const Tokenizer& tokenizer = model.tokenizer();
  const std::vector<SymbolReport> written = written_texts(request, 1, at + 1).front();
  if (std::ssize(written) <= at) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`at` is {}: the text ended before, after {} symbols", at, written.size()), "at");
  }
  const SymbolReport& report = written.back();
  const std::vector<SymbolShare>& slices = report.shares;
  Picture picture{.title = "How a symbol is drawn"};
  Svg svg;
  const double y = draw_so_far(svg, request.options.prompt, written);
  svg.open_group("bar", {});
  draw_slices(svg, tokenizer, slices, y);
  const auto drawn = std::ranges::find(slices, report.id, &SymbolShare::id);
  draw_slice(svg, tokenizer, *drawn, y, true, false);
  svg.close();
  const double needle = kBarLeft + kBarWidth * report.draw.number;
  svg.open_group("needle", {{"data-number", fmt::format("{:.9g}", report.draw.number)}});
  svg.line({needle, y - 16}, {needle, y + kBarHeight + 8}, "needle");
  svg.text({std::clamp(needle, kBarLeft + 60, kBarLeft + kBarWidth - 60), y - 22}, "middle",
           request.options.temperature == 0 ? std::string("temperature 0: the most probable, whatever is drawn")
                                            : fmt::format("{:.4f} is drawn", report.draw.number));
  svg.close();
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    svg.text({kBarLeft + kBarWidth * tenth / 10.0, y + kBarHeight + 22}, "small middle", three_digits(tenth / 10.0));
  }
  svg.text({kBarLeft, y + kBarHeight + 46}, "small",
           fmt::format("seed {}, symbol {} of the text, {}: {}", request.options.seed.value_or(1), with_commas(at + 1),
                       sampling_words(request.options), words_of(slices, tokenizer)));
  picture.table.columns = {"symbol", "id", "from", "to", "share"};
  for (const SymbolShare& slice : slices) {
    picture.table.rows.push_back(
        {tokenizer.symbol(slice.id), std::int64_t{slice.id}, slice.from, slice.to, size_of(slice)});
  }
  picture.sentence =
      request.options.temperature == 0
          ? fmt::format("At temperature 0 the most probable symbol is written, {}, whatever is drawn",
                        quoted_symbol(tokenizer, report.id))
          : fmt::format("The number {:.4f} falls into the part of {}, from {:.4f} to {:.4f}, so {} is written",
                        report.draw.number, quoted_symbol(tokenizer, report.id), report.draw.from, report.draw.to,
                        quoted_symbol(tokenizer, report.id));
  picture.facts = {{"at", at},
                   {"id", std::int64_t{report.id}},
                   {"symbol", tokenizer.symbol(report.id)},
                   {"number", report.draw.number},
                   {"from", report.draw.from},
                   {"to", report.draw.to},
                   {"symbols", std::ssize(slices)},
                   {"seed", request.options.seed.value_or(1)},
                   {"temperature", request.options.temperature}};
  finish(picture, request, svg, kDicePage, y + kBarHeight + 60);
  return picture;
}

}  // namespace unroll
