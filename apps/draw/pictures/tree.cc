#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/written.h"

namespace unroll {
namespace {

constexpr std::int64_t kTreeTexts = 10;
constexpr std::int64_t kTreeLength = 24;
constexpr double kTreeLeft = 24;
constexpr double kTreeTop = 30;
constexpr double kTreeRow = 26;
constexpr double kTreeColumn = 8.5;
constexpr double kTreeGap = 14;  // between a branch and what follows it

// Some symbols that several texts share, and what follows them.
struct Branch {
  std::string shown = {};
  std::size_t texts = 0;
  std::vector<Branch> next = {};
};

// The texts that are the same up to symbol `begin`, from there on.
std::vector<Branch> branches_of(const std::vector<const std::vector<SymbolReport>*>& texts, std::size_t begin) {
  std::vector<Branch> branches;
  std::vector<std::int32_t> firsts;
  for (const auto* const text : texts) {
    if (text->size() <= begin) continue;
    if (std::ranges::find(firsts, (*text)[begin].id) == firsts.end()) firsts.push_back((*text)[begin].id);
  }
  for (const std::int32_t first : firsts) {
    std::vector<const std::vector<SymbolReport>*> those;
    for (const auto* const text : texts) {
      if (text->size() > begin && (*text)[begin].id == first) those.push_back(text);
    }
    std::size_t end = begin;
    const auto is_shared = [&] {
      return std::ranges::all_of(
          those, [&](const auto* text) { return text->size() > end && (*text)[end].id == (*those.front())[end].id; });
    };
    Branch branch{.texts = those.size()};
    while (is_shared()) branch.shown += shown_symbol((*those.front())[end++].text);
    branch.next = branches_of(those, end);
    branches.push_back(std::move(branch));
  }
  return branches;
}

double width_of(const std::string& shown) {
  return kTreeColumn * static_cast<double>(std::max<std::int64_t>(1, columns_of(shown))) + 6;
}

// Draws what follows the point; `row` is the next free row. Returns the x of the right end of the rightmost branch.
double draw_branches(Svg& svg, const std::vector<Branch>& branches, Point from, std::size_t& row, std::size_t all) {
  double right = from.x;
  bool first = true;
  for (const Branch& branch : branches) {
    if (!first) ++row;
    const double y = kTreeTop + kTreeRow * static_cast<double>(row);
    const double x = from.x + kTreeGap;
    svg.path(fmt::format("M{} {} C{} {} {} {} {} {}", svg_number(from.x), svg_number(from.y), svg_number(from.x + 7),
                         svg_number(from.y), svg_number(x - 7), svg_number(y), svg_number(x), svg_number(y)),
             "twig");
    const double width = width_of(branch.shown);
    const auto shade = static_cast<int>(5 * (branch.texts - 1) / std::max<std::size_t>(1, all - 1));
    svg.open_group(first && row == 0 ? "branch left" : "branch", {{"data-texts", branch.texts}});
    svg.hint(fmt::format("{} of {} texts", branch.texts, all));
    svg.rect({x, y - 11}, width, 22, fmt::format("heat{}", shade), {{"rx", 4}});
    svg.text({x + 3, y + 5}, fmt::format("symbol on{}", shade), branch.shown);
    svg.close();
    right = std::max(right, draw_branches(svg, branch.next, {x + width, y}, row, all));
    first = false;
  }
  return right;
}

}  // namespace

Picture draw_tree(const PictureRequest& request) {
  const std::int64_t count = request.options.count.value_or(kTreeTexts);
  const std::int64_t length = request.options.length.value_or(kTreeLength);
  const std::vector<std::vector<SymbolReport>> texts = written_texts(request, count, length);
  std::vector<const std::vector<SymbolReport>*> views;
  for (const std::vector<SymbolReport>& text : texts) views.push_back(&text);
  const std::vector<Branch> branches = branches_of(views, 0);

  Picture picture{.title = "Continuations that share their beginnings"};
  picture.table.columns = {"text", "written"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string written;
    for (const SymbolReport& symbol : texts[i]) written += symbol.text;
    picture.table.rows.push_back({static_cast<std::int64_t>(i), written});
  }
  Svg svg;
  const std::string prompt = shown_symbol(request.options.prompt, 40);
  const double start = kTreeLeft + (prompt.empty() ? 0 : width_of(prompt));
  if (!prompt.empty()) {
    svg.rect({kTreeLeft, kTreeTop - 11}, width_of(prompt), 22, "box", {{"rx", 4}});
    svg.text({kTreeLeft + 3, kTreeTop + 5}, "symbol", prompt);
  } else {
    svg.put("circle", {{"cx", kTreeLeft}, {"cy", kTreeTop}, {"r", 4}, {"class", "lit"}});
  }
  std::size_t row = 0;
  const double right = draw_branches(svg, branches, {start, kTreeTop}, row, texts.size());
  picture.sentence = fmt::format(
      "{} of {} at {}: the darker, the more of them share it; the top line is the "
      "text that `unroll generate` writes",
      counted(count, "continuation"), counted(length, "symbol"), sampling_words(request.options));
  picture.facts = {{"count", count},
                   {"length", length},
                   {"branches", std::ssize(branches)},
                   {"seed", request.options.seed.value_or(1)},
                   {"temperature", request.options.temperature}};
  finish(picture, request, svg, right + 24, kTreeTop + kTreeRow * static_cast<double>(row) + 30);
  return picture;
}

}  // namespace unroll
