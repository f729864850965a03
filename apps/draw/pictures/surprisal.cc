#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "draw/chart.h"
#include "draw/pictures/pictures.h"
#include "draw/shades.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "unroll/error.h"
#include "unroll/scorer.h"
#include "unroll/state.h"
#include "unroll/text.h"
#include "unroll/tokenizer.h"

namespace unroll {
namespace {

constexpr double kSurprisalPage = 760;
constexpr double kSurprisalMargin = 24;
constexpr std::size_t kShownSymbols = 400;
constexpr std::size_t kMostPriced = 4096;
constexpr std::array kShadeBits{0.5, 1.0, 2.0, 4.0, 6.0, 9.0, 13.0};  // where the next shade begins

double bits_of(double nats) { return nats / std::numbers::ln2; }

// A text under a model.
struct PricedText {
  std::string name;
  std::vector<std::string> symbols = {};
  std::vector<double> nats = {};  // of each
  double total = 0;
  std::int64_t bytes = 0;  // of all of it
  std::int64_t unread = 0;
  bool comparable = false;  // as Evaluation has it

  // Of a text that was read to its end.
  [[nodiscard]] double bits_per_byte() const { return bits_of(total) / static_cast<double>(bytes); }
};

// The text with the end of its last line, which is predicted, too.
std::string closed(const Tokenizer& tokenizer, const std::string& text) {
  return tokenizer.boundary() < 0 || text.empty() || text.ends_with('\n') ? text : text + '\n';
}

// Line by line, by the numbers of a Scorer, which reads a model in bf16 or int8 as it is.
PricedText priced(const PictureRequest& request, const DrawnModel& drawn, const std::string& words,
                  const std::string& name) {
  const Tokenizer& tokenizer = drawn.model.tokenizer();
  const auto place = static_cast<std::size_t>(&drawn - request.models.data());
  Scorer scorer(drawn.model, {.threads = request.threads, .label = label_for(request, place)});
  const std::string whole = closed(tokenizer, words);
  const EncodedText encoded = tokenizer.encode({whole, request.text_name});
  const std::size_t read = std::min(encoded.ids.size(), kMostPriced);
  PricedText priced{.name = name, .bytes = encoded.bytes, .unread = std::ssize(encoded.ids)};
  priced.unread -= static_cast<std::int64_t>(read);
  priced.comparable = encoded.lossless && encoded.unknown == 0 && drawn.model.begin_policy() == BeginPolicy::kBoundary;
  State state = scorer.initial_state();
  for (std::size_t i = 0; i < read; ++i) {
    check_wanted(request);
    const std::int32_t id = encoded.ids[i];
    const bool predicted = id >= 0 && state.input >= 0;
    const double nats = id < 0 ? 0 : 0 - scorer.step(state, id);  // no minus zero
    if (id == tokenizer.boundary() || id < 0) state = scorer.initial_state();
    if (!predicted) continue;
    priced.symbols.push_back(tokenizer.symbol(id));
    priced.nats.push_back(nats);
    priced.total += nats;
  }
  if (priced.nats.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: no symbol is predicted in it", request.text_name));
  }
  return priced;
}

std::vector<PricedText> all_priced(const PictureRequest& request) {
  std::vector<PricedText> all;
  const bool two_texts = request.options.second.has_value();
  if (two_texts && request.options.second->empty()) {
    throw Error(ErrorCode::kUsage, "`second` is empty: expected another text", "second");
  }
  if ((two_texts ? 2 : 1) * request.models.size() > kMostSeries) {
    throw Error(ErrorCode::kUsage,
                fmt::format("two texts under {} models are too many: expected at most {} lines", request.models.size(),
                            kMostSeries),
                "second");
  }
  std::vector<std::string> paths;
  for (const DrawnModel& one : request.models) paths.push_back(one.name);
  const std::vector<std::string> models = shown_names(paths, 30);
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string of_model = models.size() > 1 ? ", " + models[i] : "";
    all.push_back(priced(request, request.models[i], request.text, two_texts ? "first text" + of_model : models[i]));
    if (two_texts) {
      all.push_back(priced(request, request.models[i], *request.options.second, "second text" + of_model));
    }
  }
  return all;
}

std::string surprisal_words(const PricedText& one) {
  const std::string symbols = counted(std::ssize(one.nats), "symbol");
  if (one.unread > 0) return fmt::format("{}: {:.2f} nats for the first {}", one.name, one.total, symbols);
  return fmt::format("{}: {:.2f} nats, {:.3f} bits per byte{}, {}", one.name, one.total, one.bits_per_byte(),
                     one.comparable ? "" : " (not comparable)", symbols);
}

double draw_sums(Svg& svg, const std::vector<PricedText>& all) {
  Plane plane{.corner = {64, 36}, .width = kSurprisalPage - 64 - kSurprisalMargin, .height = 220, .right = 1, .top = 0};
  plane.counts = true;
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

// The shades, and from how many bits on.
double draw_bits_scale(Svg& svg, double y) {
  return draw_shade_scale(svg, {kSurprisalMargin, y},
                          {.limits = kShadeBits,
                           .title = "bits of surprise",
                           .lightest = fmt::format("< {}", kShadeBits.front()),
                           .title_width = 100});
}

double draw_priced_symbols(Svg& svg, const PricedText& one, double y) {
  const std::size_t count = std::min(kShownSymbols, one.symbols.size());
  const std::vector<std::string> symbols(one.symbols.begin(), one.symbols.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<SymbolCell> cells = cells_of(symbols);
  const double below = place(cells, {.corner = {kSurprisalMargin, y}, .width = kSurprisalPage - 2 * kSurprisalMargin});
  for (std::size_t t = 0; t < cells.size(); ++t) {
    const SymbolCell& cell = cells[t];
    svg.open_group("symbol-cell", {{"data-t", t}, {"data-nats", fmt::format("{}", one.nats[t])}});
    svg.hint(fmt::format("{}: {:.2f} nats, {:.2f} bits, {}", cell.shown, one.nats[t], bits_of(one.nats[t]),
                         percent(std::exp(-one.nats[t]))));
    draw_symbol_box(svg, cell, shade_of(kShadeBits, bits_of(one.nats[t])));
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
  if (a.unread + b.unread > 0) return "parts of texts are not compared";
  if (of_models && !(a.comparable && b.comparable)) return "these totals of two models are not comparable";
  const double power = (b.total - a.total) / std::numbers::ln10;
  if (power == 0) return "both are equally probable";
  const std::string times = std::abs(power) < 3 ? fmt::format("{:.3g}", std::pow(10, std::abs(power)))
                                                : fmt::format("10^{:.1f}", std::abs(power));
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
    picture.facts.emplace_back(place + "bits_per_byte", one.unread > 0 ? Datum() : Datum(one.bits_per_byte()));
    picture.facts.emplace_back(place + "comparable", one.comparable ? "yes" : "no");
    picture.facts.emplace_back(place + "unread_steps", one.unread);
  }
}

}  // namespace

Picture draw_surprisal(const PictureRequest& request) {
  const std::vector<PricedText> all = all_priced(request);
  Picture picture{.title = "What each symbol costs"};
  fill_surprisal(picture, all);
  Svg svg;
  double y = draw_bits_scale(svg, draw_sums(svg, all) - 14);
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
