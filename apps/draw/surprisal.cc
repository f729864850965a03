#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "draw/chart.h"
#include "draw/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kSurprisalPage = 760;
constexpr double kSurprisalMargin = 24;
constexpr std::size_t kShownSymbols = 400;
constexpr int kShades = 8;

// A text under a model.
struct PricedText {
  std::string name;
  std::vector<std::string> symbols = {};
  std::vector<double> nats = {};  // of each
  double total = 0;
  std::int64_t bytes = 0;
  std::int64_t unread = 0;
  std::int64_t vocabulary = 0;

  [[nodiscard]] double bits_per_byte() const { return total / std::numbers::ln2 / static_cast<double>(bytes); }
};

PricedText priced(const PictureRequest& request, const DrawnModel& drawn, const std::string& words,
                  const std::string& name) {
  const std::string read = with_line_end(drawn.model, words);
  const UnrolledText text = unrolled(request, drawn.model, read, StatePolicy::kReset);  // as `score`
  PricedText priced{.name = name, .unread = text.unread_steps(), .vocabulary = drawn.model.config().vocabulary};
  priced.bytes = std::ssize(read);
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    if (text.target(t) < 0) continue;
    priced.symbols.push_back(drawn.model.tokenizer().symbol(text.target(t)));
    priced.nats.push_back(-text.log_probs()[static_cast<std::size_t>(t)]);
    priced.total += priced.nats.back();
  }
  if (priced.nats.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: no symbol is predicted in it", request.text_name));
  }
  return priced;
}

std::vector<PricedText> all_priced(const PictureRequest& request) {
  std::vector<PricedText> all;
  const bool two_texts = !request.options.second.empty();
  if ((two_texts ? 2 : 1) * request.models.size() > kMostSeries) {
    throw Error(ErrorCode::kUsage,
                fmt::format("two texts under {} models are too many: expected at most {} lines", request.models.size(),
                            kMostSeries),
                "second");
  }
  for (const DrawnModel& one : request.models) {
    const std::string model = shown_name(one.name, 30);
    const std::string of_model = request.models.size() > 1 ? ", " + model : "";
    all.push_back(priced(request, one, request.text, two_texts ? "first text" + of_model : model));
    if (two_texts) all.push_back(priced(request, one, request.options.second, "second text" + of_model));
  }
  return all;
}

std::string surprisal_words(const PricedText& one) {
  return fmt::format("{}: {:.2f} nats, {:.3f} bits per byte, {} symbols", one.name, one.total, one.bits_per_byte(),
                     with_commas(std::ssize(one.nats)));
}

double draw_sums(Svg& svg, const std::vector<PricedText>& all) {
  Plane plane{.corner = {64, 36}, .width = kSurprisalPage - 64 - kSurprisalMargin, .height = 220, .right = 1, .top = 0};
  for (const PricedText& one : all) {
    plane.right = std::max(plane.right, static_cast<double>(one.nats.size()));
    plane.top = std::max(plane.top, one.total);
  }
  draw_grid(svg, plane, "symbols", "nats so far");
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<Point> points{plane.at(0, 0)};
    double sum = 0;
    for (std::size_t t = 0; t < all[i].nats.size(); ++t) {
      points.push_back(plane.at(static_cast<double>(t + 1), sum += all[i].nats[t]));
    }
    svg.open_group("sum", {{"data-series", i}, {"data-total", fmt::format("{}", all[i].total)}});
    draw_line(svg, points, line_class(i));
    svg.close();
  }
  return plane.edge_bottom() + 64;
}

// How dark a symbol's cell is: 0 for what was certain, the darkest from twice ln V on.
int shade_of(double nats, std::int64_t vocabulary) {
  const double share = nats / (1.5 * std::log(static_cast<double>(std::max<std::int64_t>(vocabulary, 2))));
  return std::clamp(static_cast<int>(share * kShades), 0, kShades - 1);
}

double draw_priced_symbols(Svg& svg, const PricedText& one, double y) {
  const std::size_t count = std::min(kShownSymbols, one.symbols.size());
  const std::vector<std::string> symbols(one.symbols.begin(), one.symbols.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<SymbolCell> cells = cells_of(symbols);
  const double below = place(cells, {.corner = {kSurprisalMargin, y}, .width = kSurprisalPage - 2 * kSurprisalMargin});
  for (std::size_t t = 0; t < cells.size(); ++t) {
    const SymbolCell& cell = cells[t];
    const int shade = shade_of(one.nats[t], one.vocabulary);
    svg.open_group("symbol-cell", {{"data-t", t}, {"data-nats", fmt::format("{}", one.nats[t])}});
    svg.hint(fmt::format("{}: {:.2f} nats, {}", cell.shown, one.nats[t], percent(std::exp(-one.nats[t]))));
    svg.rect(cell.corner, cell.width - 1, 21, fmt::format("heat{}", shade));
    svg.text({cell.corner.x + (cell.width - 1) / 2, cell.corner.y + 15}, fmt::format("symbol middle on{}", shade),
             cell.shown);
    svg.close();
  }
  if (cells.size() < one.symbols.size()) {
    svg.text({kSurprisalMargin, below + 14}, "small",
             fmt::format("the first {} of {} symbols", cells.size(), with_commas(std::ssize(one.symbols))));
    return below + 24;
  }
  return below;
}

std::string comparison_of(const PricedText& a, const PricedText& b, bool of_models) {
  const double power = (b.total - a.total) / std::numbers::ln10;
  if (power == 0) return "both are equally probable";
  const std::string times =
      std::abs(power) < 3 ? fmt::format("{:.3g}", std::pow(10, std::abs(power))) : power_of_ten(std::abs(power));
  const PricedText& likely = power > 0 ? a : b;
  const PricedText& other = power > 0 ? b : a;
  return of_models
             ? fmt::format("the text is {} times as probable under {} as under {}", times, likely.name, other.name)
             : fmt::format("the {} is {} times as probable as the {}", likely.name, times, other.name);
}

void fill_surprisal(Picture& picture, const std::vector<PricedText>& all) {
  picture.table.columns = {"series", "t", "symbol", "nats", "nats so far"};
  for (const PricedText& one : all) {
    double sum = 0;
    for (std::size_t t = 0; t < one.nats.size(); ++t) {
      picture.table.rows.push_back(
          {one.name, static_cast<std::int64_t>(t), one.symbols[t], one.nats[t], sum += one.nats[t]});
    }
    const std::string place = fmt::format("{} ", &one - all.data() + 1);
    picture.facts.emplace_back(place + "name", one.name);
    picture.facts.emplace_back(place + "nats", one.total);
    picture.facts.emplace_back(place + "symbols", std::ssize(one.nats));
    picture.facts.emplace_back(place + "bits_per_byte", one.bits_per_byte());
    picture.facts.emplace_back(place + "unread_steps", one.unread);
  }
}

}  // namespace

Picture draw_surprisal(const PictureRequest& request) {
  const std::vector<PricedText> all = all_priced(request);
  Picture picture{.title = "What each symbol costs"};
  fill_surprisal(picture, all);
  Svg svg;
  double y = draw_sums(svg, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    draw_legend(svg, {kSurprisalMargin, y}, i, surprisal_words(all[i]));
    y = draw_priced_symbols(svg, all[i], y + 12) + 24;
    picture.sentence += (i == 0 ? "" : "; ") + surprisal_words(all[i]);
  }
  if (all.size() == 2) {
    const std::string comparison = comparison_of(all[0], all[1], request.models.size() > 1);
    picture.sentence += ": " + comparison;
    picture.facts.emplace_back("comparison", comparison);
    svg.text({kSurprisalMargin, y}, "headline", comparison);
    y += 24;
  }
  finish(picture, request, svg, kSurprisalPage, y);
  return picture;
}

}  // namespace unroll
