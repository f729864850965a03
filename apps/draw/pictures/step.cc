#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/asked_units.h"
#include "draw/chart.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "unroll/cell.h"

namespace unroll {
namespace {

constexpr std::int64_t kPlainUnits = 12;
constexpr std::int64_t kGatedUnits = 4;
constexpr double kStepRow = 27;
constexpr double kStepTop = 62;
constexpr double kPartsLeft = 128;
constexpr double kPartWidth = 96;
constexpr double kPartApart = 118;
constexpr double kCurveLeft = 620;
constexpr double kCurveWidth = 130;
constexpr double kStepPage = 850;

// The nonlinearity of a gate; letter 0: of a cell without gates.
double squashed(Cell cell, char letter, double a) {
  if (letter == 0) return cell == Cell::kRnnRelu ? std::max(a, 0.0) : std::tanh(a);
  const bool minimal = cell == Cell::kMinGru || cell == Cell::kMinLstm;
  if (letter == 'n' && minimal) return a >= 0 ? a + 0.5 : 1 / (1 + std::exp(-a));
  if (letter == 'g' || letter == 'n') return std::tanh(a);
  return 1 / (1 + std::exp(-a));
}

std::string_view squash_name(Cell cell, char letter) {
  if (letter == 0) return cell == Cell::kRnnRelu ? "relu" : "tanh";
  const bool minimal = cell == Cell::kMinGru || cell == Cell::kMinLstm;
  if (letter == 'n' && minimal) return "g";
  return letter == 'g' || letter == 'n' ? "tanh" : "\xCF\x83";
}

// One sum of a step and what becomes of it.
struct SquashedSum {
  std::int64_t unit = 0;
  char letter = 0;
  double input = 0;
  double recurrent = 0;
  double bias = 0;

  [[nodiscard]] double sum() const { return input + recurrent + bias; }
};

std::vector<SquashedSum> sums_of(const UnrolledText& text, std::int64_t layer, std::int64_t t,
                                 const std::vector<std::int64_t>& units) {
  const std::string_view letters = gate_letters(text.model().config().cell);
  const SumParts parts = text.parts(layer, t);
  std::vector<SquashedSum> sums;
  for (const std::int64_t unit : units) {
    for (std::size_t g = 0; g < std::max<std::size_t>(1, letters.size()); ++g) {
      const std::size_t at =
          g * static_cast<std::size_t>(text.model().config().hidden) + static_cast<std::size_t>(unit);
      sums.push_back({.unit = unit,
                      .letter = letters.empty() ? char{0} : letters[g],
                      .input = parts.input[at],
                      .recurrent = parts.recurrent[at],
                      .bias = parts.bias[at]});
    }
  }
  return sums;
}

// A bar from the middle of its column to the left or right, and its number.
void draw_part(Svg& svg, double value, double largest, std::size_t column, double y, std::string_view classes) {
  const double middle = kPartsLeft + kPartApart * static_cast<double>(column) + kPartWidth / 2;
  const double length = std::abs(value) / largest * (kPartWidth / 2 - 2);
  svg.rect({value > 0 ? middle : middle - length, y - 13}, length, 11, classes);
  svg.text({middle, y + 8}, "tiny middle", fmt::format("{:.3f}", value));
}

void draw_curve(Svg& svg, Cell cell, const SquashedSum& one, double y) {
  constexpr double kReach = 5;
  const std::string_view name = squash_name(cell, one.letter);
  const bool unbounded = name == "relu" || name == "g";
  const Plane plane{.corner = {kCurveLeft, y - 15},
                    .width = kCurveWidth,
                    .height = 22,
                    .left = -kReach,
                    .right = kReach,
                    .bottom = name == "tanh" ? -1.0 : 0.0,
                    .top = unbounded ? kReach : 1.0};
  svg.line(plane.at(-kReach, 0), plane.at(kReach, 0), "grid");
  svg.line(plane.at(0, plane.bottom), plane.at(0, plane.top), "grid");
  std::vector<Point> points;
  for (int i = 0; i <= 40; ++i) {
    const double a = kReach * (i - 20) / 20.0;
    points.push_back(plane.at(a, squashed(cell, one.letter, a)));
  }
  draw_line(svg, points, "curve");
  const Point at = plane.at(one.sum(), squashed(cell, one.letter, one.sum()));
  svg.put("circle", {{"cx", at.x}, {"cy", at.y}, {"r", 3.5}, {"class", "point"}});
  svg.text({kCurveLeft + kCurveWidth + 10, y - 1}, "",
           fmt::format("{} = {:.3f}", one.letter == 0 ? 'h' : one.letter, squashed(cell, one.letter, one.sum())));
}

// The second number of a product, which needs brackets with a minus.
std::string factor(double number) {
  const std::string digits = fmt::format("{:.3f}", number);
  return digits.starts_with('-') ? "(" + digits + ")" : digits;
}

// How the state follows from the gates, with numbers.
std::string state_words(const UnrolledText& text, std::int64_t layer, std::int64_t t, std::int64_t unit) {
  const NetworkConfig& config = text.model().config();
  const std::vector<float> gates = text.gates(layer, t);
  const auto j = static_cast<std::size_t>(unit);
  const auto gate = [&](char letter) {
    return static_cast<double>(
        gates[gate_letters(config.cell).find(letter) * static_cast<std::size_t>(config.hidden) + j]);
  };
  const bool begins = text.begins(t) && config.conditions == 0;
  const double before = begins ? 0 : static_cast<double>(text.h(layer, t - 1)[j]);
  const double h = text.h(layer, t)[j];
  switch (config.cell) {
    case Cell::kLstm: {
      const double c_before = begins ? 0 : static_cast<double>(text.c(layer, t - 1)[j]);
      return fmt::format(
          "c = f\xC2\xB7"
          "c\xE2\x82\x8B\xE2\x82\x81 + i\xC2\xB7g = {:.3f}\xC2\xB7{} + {:.3f}\xC2\xB7{} = {:.3f};   "
          "h = o\xC2\xB7tanh({}c) = {:.3f}",
          gate('f'), factor(c_before), gate('i'), factor(gate('g')), text.c(layer, t)[j],
          config.layer_norm ? "normalised " : "", h);
    }
    case Cell::kGru:
    case Cell::kGruResetBefore:
      return fmt::format(
          "h = (1 \xE2\x88\x92 z)\xC2\xB7n + z\xC2\xB7h\xE2\x82\x8B\xE2\x82\x81 = {:.3f}\xC2\xB7{} + "
          "{:.3f}\xC2\xB7{} = {:.3f}",
          1 - gate('z'), factor(gate('n')), gate('z'), factor(before), h);
    case Cell::kMinGru:
      return fmt::format(
          "h = (1 \xE2\x88\x92 z)\xC2\xB7h\xE2\x82\x8B\xE2\x82\x81 + z\xC2\xB7n = {:.3f}\xC2\xB7{} + "
          "{:.3f}\xC2\xB7{} = {:.3f}",
          1 - gate('z'), factor(before), gate('z'), factor(gate('n')), h);
    case Cell::kMinLstm:
      return fmt::format(
          "h = f/(f+i)\xC2\xB7h\xE2\x82\x8B\xE2\x82\x81 + i/(f+i)\xC2\xB7n = {:.3f}\xC2\xB7{} + "
          "{:.3f}\xC2\xB7{} = {:.3f}",
          gate('f') / (gate('f') + gate('i')), factor(before), gate('i') / (gate('f') + gate('i')), factor(gate('n')),
          h);
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      break;
  }
  return {};
}

std::string recurrent_head(Cell cell) {
  if (!has_recurrent_weights(cell)) return "(no W)";
  const std::string product = "W h\xE2\x82\x8B\xE2\x82\x81";
  return cell == Cell::kGru ? "+ " + product + " (n: r\xC2\xB7(" + product + " + b\xE2\x80\xB2))" : "+ " + product;
}

void draw_step_heads(Svg& svg, Cell cell, double bottom) {
  const std::string heads[] = {"U x", recurrent_head(cell), "+ bias", "= sum"};
  for (std::size_t i = 0; i < 4; ++i) {
    const double middle = kPartsLeft + kPartApart * static_cast<double>(i) + kPartWidth / 2;
    svg.text({middle, kStepTop - 32}, "middle", heads[i]);
    svg.line({middle, kStepTop - 20}, {middle, bottom}, "grid");
  }
  svg.text({kCurveLeft + kCurveWidth / 2, kStepTop - 32}, "middle", "squashed");
}

// What a sum is of.
std::string parts_words(const UnrolledText& text, std::int64_t layer) {
  const NetworkConfig& config = text.model().config();
  const std::string input = layer >= directions(config) ? "what the layer below brings"
                            : text.predicts()           ? "what the symbol brings"
                                                        : "what the word brings";
  return has_recurrent_weights(config.cell) ? input + ", what the state before brings, and a bias"
                                            : input + " and a bias";
}

}  // namespace

Picture draw_step(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request);
  const Cell cell = text.model().config().cell;
  const std::int64_t at = asked_step(request, text);
  const std::int64_t layer = asked_layer(request, text);
  const bool gated = !gate_letters(cell).empty();
  const std::vector<std::int64_t> units =
      asked_units(request, text, layer, {.first = at, .count = 1}, gated ? kGatedUnits : kPlainUnits);
  const std::vector<SquashedSum> sums = sums_of(text, layer, at, units);
  double largest = 1e-6;
  for (const SquashedSum& one : sums) {
    for (const double value : {one.input, one.recurrent, one.bias, one.sum()})
      largest = std::max(largest, std::abs(value));
  }

  Picture picture{.title = fmt::format("Step {} in numbers", at)};
  picture.table.columns = {"unit", "of", "U x", "W h", "bias", "sum", "squashed", "h"};
  Svg svg;
  svg.open_group("rows", {});
  double y = kStepTop + 4;
  const double per_unit = gated ? static_cast<double>(gate_letters(cell).size() + 1) : 1;
  const double bottom = y + kStepRow * per_unit * static_cast<double>(units.size()) - 12;
  draw_step_heads(svg, cell, bottom);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const SquashedSum& one = sums[i];
    const double h = text.h(layer, at)[static_cast<std::size_t>(one.unit)];
    const bool first = i == 0 || sums[i - 1].unit != one.unit;
    svg.open_group("unit", {{"data-unit", one.unit}, {"data-sum", fmt::format("{:.9g}", one.sum())}});
    if (first) svg.text({14, y}, "", fmt::format("unit {}", one.unit));
    svg.text({kPartsLeft - 8, y}, "small end", fmt::format("{}", squash_name(cell, one.letter)));
    if (one.letter != 0) svg.text({kPartsLeft - 46, y}, "letter end", std::string(1, one.letter));
    draw_part(svg, one.input, largest, 0, y, "U bar");
    draw_part(svg, one.recurrent, largest, 1, y, "W bar");
    draw_part(svg, one.bias, largest, 2, y, "logit");
    draw_part(svg, one.sum(), largest, 3, y, "up");
    draw_curve(svg, cell, one, y);
    svg.close();
    picture.table.rows.push_back({one.unit, one.letter == 0 ? std::string("h") : std::string(1, one.letter), one.input,
                                  one.recurrent, one.bias, one.sum(), squashed(cell, one.letter, one.sum()), h});
    y += kStepRow;
    const bool last = i + 1 == sums.size() || sums[i + 1].unit != one.unit;
    if (gated && last) {
      svg.text({kPartsLeft, y - 2}, "small", state_words(text, layer, at, one.unit));
      y += kStepRow;
    }
  }
  svg.close();
  picture.sentence =
      fmt::format("Reading {}, each unit of layer {} adds {}, and squashes the sum", quoted_symbol(text.reads(at)),
                  layer_name(text.model().config(), layer), parts_words(text, layer));
  picture.facts = {{"at", at}, {"layer", layer}, {"steps", text.steps()}};
  finish(picture, request, svg, kStepPage, y);
  return picture;
}

}  // namespace unroll
