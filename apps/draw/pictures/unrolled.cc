#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "draw/arrows.h"
#include "draw/asked_units.h"
#include "draw/changed_weight.h"
#include "draw/chart.h"
#include "draw/network_numbers.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "unroll/cell.h"
#include "unroll/look/state_gradients.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostColumns = 40;
constexpr std::int64_t kStateBars = 10;
constexpr double kLoopCentre = 118;
constexpr double kFirstColumn = 268;  // its left side
constexpr double kCameY = 38;
constexpr double kOutputY = 54;
constexpr double kOutputHeight = 54;
constexpr double kBoxHeight = 46;
constexpr double kGap = 44;  // between boxes, for the arrows
constexpr double kHotHeight = 12;
constexpr double kThick = 15;     // a gradient as large as at the prediction
constexpr double kThickest = 22;  // ten times as large and more

// What is shown, and where.
struct UnrolledView {
  const UnrolledText& text;
  const PictureRequest& request;
  std::int64_t first = 0;  // steps
  std::int64_t count = 0;
  std::int64_t at = 0;                   // whose gradient goes back
  double column = 0;                     // width
  std::vector<std::int64_t> units = {};  // that stand for the state
  std::vector<double> left = {};         // of the gradient, by lag
  std::vector<double> changes = {};      // of the states, by step, where a weight is another

  [[nodiscard]] std::int64_t layers() const { return text.model().config().layers; }
  [[nodiscard]] double centre(std::int64_t t) const {
    return kFirstColumn + column * (static_cast<double>(t - first) + 0.5);
  }
  [[nodiscard]] double half_box() const { return column / 2 - 19; }
  [[nodiscard]] double box_top(std::int64_t layer) const {
    return kOutputY + kOutputHeight + kGap + static_cast<double>(layers() - 1 - layer) * (kBoxHeight + kGap);
  }
  [[nodiscard]] double hot_top() const { return box_top(0) + kBoxHeight + kGap; }
  [[nodiscard]] double bottom() const { return hot_top() + kHotHeight + (changes.empty() ? 50 : 66); }
  [[nodiscard]] std::int64_t last() const { return first + count - 1; }
};

// ||dL_at/ds_{at-k}|| / ||dL_at/ds_at|| by lag k, for the steps that are shown.
std::vector<double> left_by_lag(const UnrolledView& view) {
  std::vector<double> left;
  StateGradients back(view.text, {{.step = view.at}});
  double ln_first = 0;
  while (view.at - static_cast<std::int64_t>(left.size()) >= view.first && back.next() && back.has(0)) {
    check_wanted(view.request);
    if (left.empty()) ln_first = back.ln_carried_norm(0);
    left.push_back(std::exp(back.ln_carried_norm(0) - ln_first));
  }
  return left;
}

// The window around the step that is asked for.
UnrolledView view_of(const PictureRequest& request, const UnrolledText& text) {
  UnrolledView view{.text = text, .request = request, .at = asked_step(request, text)};
  const StepRange steps = shown_steps(request, text, kMostColumns, view.at);
  view.first = steps.first;
  view.count = steps.count;
  std::int64_t widest = 1;
  for (std::int64_t t = view.first; t <= view.last(); ++t) {
    widest = std::max(widest, columns_of(shown_symbol(text.model().tokenizer(), text.input(t), 11)));
  }
  view.column = std::max(view.count <= 8 ? 92.0 : 76.0, 8.5 * static_cast<double>(widest) + 16);
  view.units = asked_units(request, text, view.layers() - 1, {view.first, view.count}, kStateBars);
  view.left = left_by_lag(view);
  return view;
}

std::string symbol_at(const UnrolledView& view, std::int32_t id) {
  return shown_symbol(view.text.model().tokenizer(), id, 11);
}

// The state as a row of bars, up or down from the middle.
void draw_state(Svg& svg, const UnrolledView& view, std::int64_t layer, std::int64_t t) {
  const double x = view.centre(t);
  const double top = view.box_top(layer);
  const std::span<const float> h = view.text.h(layer, t);
  double norm = 0;
  for (const float one : h) norm += static_cast<double>(one) * one;
  svg.open_group("state", {{"data-layer", layer}, {"data-norm", fmt::format("{:.6g}", std::sqrt(norm))}});
  svg.hint(
      fmt::format("state of layer {} after step {}: {} numbers, norm {:.3g}", layer, t, h.size(), std::sqrt(norm)));
  const bool changed = !view.changes.empty() && view.changes[static_cast<std::size_t>(t)] > 0;
  svg.rect({x - view.half_box(), top}, 2 * view.half_box(), kBoxHeight, changed ? "box changed" : "box", {{"rx", 8}});
  const double inner = 2 * view.half_box() - 10;
  const double apart = inner / static_cast<double>(view.units.size());
  const double middle = top + kBoxHeight / 2;
  svg.line({x - inner / 2, middle}, {x + inner / 2, middle}, "grid");
  for (std::size_t i = 0; i < view.units.size(); ++i) {
    const double value = std::clamp(static_cast<double>(h[static_cast<std::size_t>(view.units[i])]), -1.0, 1.0);
    const double height = std::abs(value) * (kBoxHeight / 2 - 5);
    svg.rect({x - inner / 2 + apart * (static_cast<double>(i) + 0.15), value > 0 ? middle - height : middle},
             apart * 0.7, height, value > 0 ? "up" : "down");
  }
  svg.close();
}

void draw_input(Svg& svg, const UnrolledView& view, std::int64_t t) {
  const double x = view.centre(t);
  const std::int64_t V = view.text.model().config().vocabulary;
  const double width = 2 * view.half_box();
  svg.open_group("onehot", {{"data-id", view.text.input(t)}});
  svg.hint(fmt::format("one-hot: 1 at symbol {} of {}, else 0", view.text.input(t), with_commas(V)));
  svg.rect({x - width / 2, view.hot_top()}, width, kHotHeight, "cells", {{"rx", 2}});
  const double lit = std::max(3.0, width / static_cast<double>(V));
  const double place =
      (width - lit) * (static_cast<double>(view.text.input(t)) / static_cast<double>(std::max<std::int64_t>(1, V - 1)));
  svg.rect({x - width / 2 + place, view.hot_top()}, lit, kHotHeight, "lit");
  svg.close();
  svg.text({x, view.hot_top() + kHotHeight + 21}, "symbol big middle input", symbol_at(view, view.text.input(t)));
  svg.text({x, view.hot_top() + kHotHeight + 40}, "small middle", std::to_string(t));
  if (view.changes.empty()) return;
  const std::string by = percent(view.changes[static_cast<std::size_t>(t)]);
  svg.open_group("state-change", {{"data-by", fmt::format("{:.6g}", view.changes[static_cast<std::size_t>(t)])}});
  svg.hint(fmt::format("the state after step {} has moved by {} of its length", t, by));
  svg.text({x, view.hot_top() + kHotHeight + 57}, "tiny middle moved", "\xC2\xB1" + by);
  svg.close();
}

void draw_output(Svg& svg, const UnrolledView& view, std::int64_t t) {
  const double x = view.centre(t);
  const double half = view.half_box() + 8;
  const LikelySymbol best = view.text.likely(t, 1).front();
  const double share = std::exp(best.log_prob);
  const bool right = best.id == view.text.target(t);
  svg.open_group(right ? "output right" : "output",
                 {{"data-id", best.id}, {"data-share", fmt::format("{:.6g}", share)}});
  if (view.text.target(t) >= 0) {
    const double came = std::exp(view.text.log_probs()[static_cast<std::size_t>(t)]);
    svg.hint(fmt::format("predicts {} with {}; {} comes, which had {}", symbol_at(view, best.id), percent(share),
                         symbol_at(view, view.text.target(t)), percent(came)));
    svg.text({x, kCameY}, right ? "symbol middle came" : "symbol middle", symbol_at(view, view.text.target(t)));
  }
  svg.rect({x - half, kOutputY}, 2 * half, kOutputHeight, "box", {{"rx", 8}});
  const auto fits = static_cast<std::int64_t>((2 * half - 8) / 8.5);
  svg.text({x, kOutputY + 19}, "symbol middle", shown_symbol(view.text.model().tokenizer(), best.id, fits));
  svg.rect({x - half + 8, kOutputY + 27}, 2 * half - 16, 4, "track");
  svg.rect({x - half + 8, kOutputY + 27}, (2 * half - 16) * share, 4, "share");
  svg.text({x, kOutputY + 42}, "tiny middle", percent(share));
  svg.close();
}

void draw_column(Svg& svg, const UnrolledView& view, std::int64_t t) {
  const double x = view.centre(t);
  svg.open_group(t == view.at ? "column at" : "column", {{"data-t", t}});
  draw_output(svg, view, t);
  const std::int64_t top = view.layers() - 1;
  arrow(svg, {x, view.box_top(top)}, {x, kOutputY + kOutputHeight}, "V");
  for (std::int64_t layer = 0; layer <= top; ++layer) {
    const double below = layer == 0 ? view.hot_top() : view.box_top(layer - 1);
    arrow(svg, {x, below}, {x, view.box_top(layer) + kBoxHeight}, "U", {{"data-layer", layer}});
    const double y = view.box_top(layer) + kBoxHeight / 2 - 9;
    const double before = t == view.first ? x - view.half_box() - 26 : view.centre(t - 1) + view.half_box();
    const bool begins = view.text.begins(t);
    if (begins) {
      svg.text({x - view.half_box() - 12, y + 4}, "small middle zero", "0");
    } else {
      arrow(svg, {before, y}, {x - view.half_box(), y}, "W", {{"data-layer", layer}});
    }
    draw_state(svg, view, layer, t);
  }
  draw_input(svg, view, t);
  svg.close();
}

// Of an arrow: in proportion, and above 1 by powers of ten.
double thickness(double left) {
  if (left <= 1) return std::max(kThick * left, 0.7);
  return std::min(kThick + (kThickest - kThick) * std::log10(left), kThickest);
}

// What is left of the gradient at each step back, as thick as it is.
void draw_back(Svg& svg, const UnrolledView& view) {
  const std::int64_t cut = view.request.options.truncate.value_or(view.text.steps() + 1);
  svg.open_group("back", {{"data-at", view.at}});
  for (std::size_t k = 0; k < view.left.size(); ++k) {
    const auto lag = static_cast<std::int64_t>(k);
    const std::int64_t t = view.at - lag;
    if (t > view.last() || (lag > 0 && t == view.last())) continue;
    const double thick = thickness(view.left[k]);
    const std::string classes = lag >= cut ? "back lost" : (view.left[k] > 1.005 ? "back grown" : "back");
    const std::string left = fmt::format("{:.6g}", view.left[k]);
    const std::string words = fmt::format("{} of the gradient is left after {} back{}", share_left(view.left[k]),
                                          counted(lag, "step"), lag >= cut ? ", if it were not cut off" : "");
    if (lag == 0) {
      const double x = view.centre(t) + std::min(20.0, view.half_box() - 6);
      thick_arrow(svg, {x, kOutputY + kOutputHeight + 2}, {x, view.box_top(view.layers() - 1) - 1}, thick, classes,
                  {{"data-t", t}, {"data-lag", lag}, {"data-left", left}}, words);
      continue;
    }
    const double y = view.box_top(view.layers() - 1) + kBoxHeight - 9;
    thick_arrow(svg, {view.centre(t + 1) - view.half_box(), y}, {view.centre(t) + view.half_box() + 1, y}, thick,
                classes, {{"data-t", t}, {"data-lag", lag}, {"data-left", left}}, words);
    const double middle = (view.centre(t) + view.centre(t + 1)) / 2;
    svg.text({middle, y + 22}, lag >= cut ? "tiny middle lost" : "tiny middle back-number", share_left(view.left[k]));
    if (lag == cut) {
      svg.line({middle, view.box_top(view.layers() - 1) - 14}, {middle, view.box_top(0) + kBoxHeight + 30}, "scissors");
      svg.text({middle, view.box_top(view.layers() - 1) - 19}, "tiny middle", fmt::format("--bptt {}", cut));
    }
  }
  svg.close();
}

// The network as a loop.
void draw_loop(Svg& svg, const UnrolledView& view) {
  const double x = kLoopCentre;
  const double half = 36;
  const NetworkConfig& config = view.text.model().config();
  svg.open_group("loop", {});
  svg.rect({x - half - 8, kOutputY}, 2 * (half + 8), kOutputHeight, "box", {{"rx", 8}});
  svg.text({x, kOutputY + 24}, "middle", "output");
  svg.text({x, kOutputY + 40}, "tiny middle", fmt::format("{} shares", with_commas(config.vocabulary)));
  const std::int64_t top = view.layers() - 1;
  arrow(svg, {x, view.box_top(top)}, {x, kOutputY + kOutputHeight}, "V");
  svg.text({x + 10, kOutputY + kOutputHeight + kGap / 2 + 5}, "letter V", "V");
  for (std::int64_t layer = 0; layer <= top; ++layer) {
    const double y = view.box_top(layer);
    const double below = layer == 0 ? view.hot_top() : view.box_top(layer - 1);
    arrow(svg, {x, below}, {x, y + kBoxHeight}, "U", {{"data-layer", layer}});
    svg.text({x + 10, y + kBoxHeight + kGap / 2 + 5}, "letter U", "U");
    svg.rect({x - half, y}, 2 * half, kBoxHeight, "box", {{"rx", 8}});
    svg.text({x, y + 20}, "middle", "state");
    svg.text({x, y + 36}, "tiny middle", fmt::format("{} units", config.hidden));
    if (has_recurrent_weights(config.cell)) {
      loop_arrow(svg, {x + half, y + kBoxHeight / 2}, 42, "W", {{"data-layer", layer}});
      svg.text({x + half + 40, y + kBoxHeight / 2 + 5}, "letter W", "W");
    }
  }
  svg.rect({x - half, view.hot_top()}, 2 * half, kHotHeight, "cells", {{"rx", 2}});
  svg.rect({x - half + 20, view.hot_top()}, 4, kHotHeight, "lit");
  svg.text({x, view.hot_top() + kHotHeight + 21}, "middle", "symbol");
  svg.text({x, view.hot_top() + kHotHeight + 40}, "small middle", "step");
  svg.text({kFirstColumn - 40, view.box_top(top) + kBoxHeight / 2 + 9}, "equals middle", "=");
  svg.close();
  svg.text({x, kCameY}, "small middle", "what comes");
}

struct LegendLine {
  std::string classes;
  std::string words;
};

// What U, W and V are, and how many numbers; returns the y below.
double draw_numbers(Svg& svg, const UnrolledView& view, const NetworkNumbers& numbers) {
  const std::int64_t steps = view.text.steps();
  std::vector<LegendLine> lines{{"U", fmt::format("U, from input to state: {} numbers", with_commas(numbers.U))}};
  if (numbers.W > 0) {
    lines.push_back({"W", fmt::format("W, from state to state: {} numbers", with_commas(numbers.W))});
  }
  lines.push_back({"V", fmt::format("V, from state to output: {} numbers", with_commas(numbers.V))});
  double y = view.bottom() + 12;
  for (const LegendLine& line : lines) {
    svg.open_group("legend", {{"data-of", line.classes}});
    arrow(svg, {28, y - 4}, {62, y - 4}, line.classes);
    svg.text({74, y}, "", fmt::format("{}, used {} {}", line.words, with_commas(steps), steps == 1 ? "time" : "times"));
    svg.close();
    y += 20;
  }
  svg.text({28, y}, "small",
           fmt::format("{} parameters in all, with embedding and biases, however long the text is",
                       with_commas(numbers.parameters)));
  y += 18;
  if (view.count < steps) {
    svg.text({28, y}, "small", fmt::format("steps {} to {} of {}", view.first, view.last(), with_commas(steps)));
    y += 18;
  }
  return y;
}

// Where a change shows.
void add_largest(Picture& picture, const std::string& letter, const UnrolledText& text, SharedMatrix matrix) {
  const WeightPlace place = text.largest_weight(matrix);
  picture.facts.emplace_back(letter + " largest row", place.row);
  picture.facts.emplace_back(letter + " largest column", place.column);
  picture.facts.emplace_back(letter + " largest", static_cast<double>(text.weight(place)));
}

void fill_unrolled(Picture& picture, const UnrolledView& view, const NetworkNumbers& numbers) {
  const Tokenizer& tokenizer = view.text.model().tokenizer();
  picture.table.columns = {"t", "reads", "comes", "share", "predicts", "share of that", "gradient left"};
  if (!view.changes.empty()) picture.table.columns.push_back("state moved");
  for (std::int64_t t = view.first; t <= view.last(); ++t) {
    const std::int32_t target = view.text.target(t);
    const LikelySymbol best = view.text.likely(t, 1).front();
    const std::int64_t lag = view.at - t;
    const bool reached = lag >= 0 && lag < std::ssize(view.left);
    picture.table.rows.push_back(
        {t, tokenizer.symbol(view.text.input(t)), target < 0 ? Datum() : Datum(tokenizer.symbol(target)),
         target < 0 ? Datum() : Datum(std::exp(view.text.log_probs()[static_cast<std::size_t>(t)])),
         tokenizer.symbol(best.id), std::exp(best.log_prob),
         reached ? Datum(view.left[static_cast<std::size_t>(lag)]) : Datum()});
    if (!view.changes.empty()) picture.table.rows.back().emplace_back(view.changes[static_cast<std::size_t>(t)]);
  }
  picture.facts = {{"at", view.at},
                   {"steps", view.text.steps()},
                   {"unread_steps", view.text.unread_steps()},
                   {"first", view.first},
                   {"last", view.last()},
                   {"U", numbers.U},
                   {"W", numbers.W},
                   {"V", numbers.V},
                   {"embedding", numbers.embedding},
                   {"biases", numbers.biases},
                   {"parameters", numbers.parameters}};
  const MatrixShapes shapes = matrix_shapes(view.text.model());
  picture.facts.insert(picture.facts.end(), {{"U shape", shapes.U}, {"W shape", shapes.W}, {"V shape", shapes.V}});
  add_largest(picture, "U", view.text, SharedMatrix::kU);
  if (numbers.W > 0) add_largest(picture, "W", view.text, SharedMatrix::kW);
  add_largest(picture, "V", view.text, SharedMatrix::kV);
}

// How far the gradient goes back, and what is left of it there.
std::string back_words(const UnrolledView& view) {
  if (view.left.empty()) return fmt::format("step {}, whose gradient would go back, comes before them", view.at);
  const std::int64_t cut = view.request.options.truncate.value_or(view.text.steps() + 1);
  const std::int64_t reached = std::min(std::ssize(view.left), cut);
  const double left = view.left[static_cast<std::size_t>(reached - 1)];
  const std::string at = fmt::format("at step {}{}", view.at + 1 - reached,
                                     reached < std::ssize(view.left) ? ", where it is cut off" : "");
  const std::string of = fmt::format("the gradient of the prediction at step {}", view.at);
  return left > 1.005 ? fmt::format("{} has grown to {} of its size {}", of, share_left(left), at)
                      : fmt::format("of {}, {} is left {}", of, share_left(left), at);
}

// The same text in the network as it was trained.
UnrolledText unchanged(const PictureRequest& request) {
  PictureRequest as_trained = request;
  as_trained.options.change.reset();
  return unrolled_with_end(as_trained);
}

std::string change_words(const WeightChange& change, float before, const UnrolledView& view) {
  const auto moved = std::ranges::count_if(view.changes, [](double by) { return by > 0; });
  const std::string is = fmt::format("{} is {} instead of {}: ", place_words(change.place, view.layers()),
                                     three_digits(change.value), three_digits(before));
  const std::string moves = change.place.matrix == SharedMatrix::kV && moved == 0
                                ? "predictions move, and no state does"
                                : fmt::format("{} of {} states are others, by up to {}", moved, view.changes.size(),
                                              percent(std::ranges::max(view.changes)));
  const bool rounded = view.text.model().precision() != Precision::kF32;
  return is + moves + (rounded ? " (the rounded model is run in f32 for it). " : ". ");
}

}  // namespace

Picture draw_unrolled(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request);
  UnrolledView view = view_of(request, text);
  std::string changed;
  if (const std::optional<WeightChange> change = asked_change(request.options)) {
    const UnrolledText as_trained = unchanged(request);
    view.changes = state_changes(as_trained, text);
    changed = change_words(*change, as_trained.weight(change->place), view);
  }
  const NetworkNumbers numbers = network_numbers(text.model());
  Picture picture{.title = "The network, unrolled over a text"};
  Svg svg;
  draw_loop(svg, view);
  svg.open_group("columns", {});
  for (std::int64_t t = view.first; t <= view.last(); ++t) draw_column(svg, view, t);
  svg.close();
  draw_back(svg, view);
  const double below = draw_numbers(svg, view, numbers);
  fill_unrolled(picture, view, numbers);
  picture.sentence =
      changed + fmt::format("The same {} numbers at each of {}{}: the loop on the left is the row on the right; {}",
                            with_commas(numbers.U + numbers.W + numbers.V), text.unread_steps() > 0 ? "the first " : "",
                            counted(text.steps(), "step"), back_words(view));
  if (text.unread_steps() > 0) {
    picture.sentence += fmt::format("; {} of the text were not read", counted(text.unread_steps(), "more symbol"));
  }
  picture.sentence += beyond_text(request, text);
  const double width = std::max(560.0, kFirstColumn + view.column * static_cast<double>(view.count) + 16);
  finish(picture, request, svg, width, below);
  return picture;
}

}  // namespace unroll
