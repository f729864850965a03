#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/asked_units.h"
#include "draw/pictures/pictures.h"
#include "draw/shades.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "unroll/error.h"
#include "unroll/look/gradient_flow.h"

namespace unroll {
namespace {

constexpr double kSaliencyPage = 760;
constexpr double kSaliencyMargin = 24;
constexpr std::int64_t kSalientSymbols = 300;  // that are shown, at most; all count
// Of the largest gradient, where the next shade begins.
constexpr std::array kSalientShares{1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3};

// How much a prediction moves with each symbol that was read before it.
struct Salience {
  std::int64_t at = 0;
  std::vector<double> left = {};   // by lag: of the gradient with respect to the input, relative to the largest
  std::vector<double> state = {};  // by lag: of that with respect to the state
  double largest = 0;              // its norm

  [[nodiscard]] bool reaches(std::int64_t t) const { return t <= at && at - t < std::ssize(left); }
  [[nodiscard]] double of(std::int64_t t) const { return left[static_cast<std::size_t>(at - t)]; }
};

std::vector<double> medians_of(const FlowLine& line) {
  std::vector<double> medians;
  for (const FlowAtLag& lag : line.lags) medians.push_back(lag.median);
  return medians;
}

Salience salience_of(const PictureRequest& request, const UnrolledText& text, std::int64_t at) {
  GradientFlowRun run(text, {.lags = std::max<std::int64_t>(1, at), .at = at});
  do {
    check_wanted(request);
  } while (run.step());
  const GradientFlow flow = run.flow();
  Salience salience{.at = at, .left = medians_of(flow.lines.back()), .state = medians_of(flow.lines.front())};
  const double most = salience.left.empty() ? 0 : std::ranges::max(salience.left);
  salience.largest = most * flow.lines.back().norm;
  for (double& left : salience.left) left = most > 0 ? left / most : 0;
  return salience;
}

double draw_salient_scale(Svg& svg, double y) {
  return draw_shade_scale(svg, {kSaliencyMargin, y},
                          {.limits = kSalientShares,
                           .title = "share of the largest gradient",
                           .lightest = "less",
                           .title_width = 180,
                           .label_width = 58});
}

// The symbols that were read, and last the one that is predicted.
double draw_salient_text(Svg& svg, const UnrolledText& text, const Salience& salience, const StepRange& steps,
                         double y) {
  std::vector<std::string> symbols;
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) symbols.push_back(text.reads(t));
  const std::int32_t last = text.target(steps.last());
  if (last >= 0) symbols.push_back(text.model().tokenizer().symbol(last));
  std::vector<SymbolCell> cells = cells_of(symbols);
  const double below = place(cells, {.corner = {kSaliencyMargin, y}, .width = kSaliencyPage - 2 * kSaliencyMargin});
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const SymbolCell& cell = cells[i];
    const std::int64_t t = steps.first + static_cast<std::int64_t>(i);
    const bool predicted = t == salience.at + 1;
    const bool counts = salience.reaches(t);
    svg.open_group(predicted ? "symbol-cell predicted" : "symbol-cell", {{"data-t", t}});
    svg.hint(counts ? fmt::format("{}: {} of the largest gradient", cell.shown, three_digits(salience.of(t)))
                    : (predicted ? fmt::format("{}: the prediction", cell.shown) : cell.shown));
    if (predicted) {
      draw_symbol_box(svg, cell, "chosen", "on-chosen");
    } else {
      draw_symbol_box(svg, cell, counts ? shade_of(kSalientShares, salience.of(t)) : 0);
    }
    svg.close();
  }
  return below;
}

// The symbol that moves the prediction most, and how far back the thousandth part reaches.
std::string salience_words(const UnrolledText& text, const Salience& salience) {
  const std::string predicted = quoted_symbol(text.model().tokenizer(), text.target(salience.at));
  if (salience.largest == 0) return fmt::format("No symbol before {} moves its prediction", predicted);
  const auto largest = std::ranges::max_element(salience.left) - salience.left.begin();
  std::int64_t reach = std::ssize(salience.left) - 1;
  while (salience.left[static_cast<std::size_t>(reach)] < 1e-3) --reach;
  const std::string most = fmt::format("The prediction of {} rests most on {}, {} before it", predicted,
                                       quoted_symbol(text.reads(salience.at - largest)), counted(largest + 1, "step"));
  if (reach + 1 == std::ssize(salience.left)) return most + "; all symbols before it count";
  return fmt::format("{}; what is more than {} before moves it by less than a thousandth of that", most,
                     counted(reach + 1, "step"));
}

}  // namespace

Picture draw_saliency(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request);
  const std::int64_t at = asked_step(request, text);
  if (text.target(at) < 0) {
    throw Error(ErrorCode::kUsage, "this picture is of a language model, which predicts each symbol");
  }
  const StepRange steps = shown_steps(request, text, kSalientSymbols, std::min(at + 20, text.steps() - 1));
  const Salience salience = salience_of(request, text, at);
  Picture picture{.title = "What a prediction depends on"};
  Svg svg;
  const double y = draw_salient_text(svg, text, salience, steps, draw_salient_scale(svg, 16));
  picture.table.columns = {"t", "reads", "share of the largest", "gradient of the input",
                           "state, share at the prediction"};
  for (std::int64_t t = std::max<std::int64_t>(0, at + 1 - std::ssize(salience.left)); t <= at; ++t) {
    picture.table.rows.push_back({t, text.reads(t), salience.of(t), salience.of(t) * salience.largest,
                                  salience.state[static_cast<std::size_t>(at - t)]});
  }
  picture.sentence = salience_words(text, salience) + beyond_text(request, text);
  picture.facts = {{"at", at},
                   {"steps", text.steps()},
                   {"first", steps.first},
                   {"last", steps.last()},
                   {"unread_steps", text.unread_steps()}};
  finish(picture, request, svg, kSaliencyPage, y + 8);
  return picture;
}

}  // namespace unroll
