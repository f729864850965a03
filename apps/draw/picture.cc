#include "draw/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "draw/pictures/pictures.h"
#include "draw/subject.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kMostWhole = 1 << 24;

const std::array<PictureOption, 21> kOptions{{
    {"at",
     "T",
     "the step that is looked at, from 0",
     "the last one; gradient: many; neurons: none",
     {0, kMostWhole},
     &PictureOptions::at},
    {"temperature",
     "X",
     "divides the logits; 0: all to the most probable symbol",
     "1",
     {0, 1e6},
     &PictureOptions::temperature},
    {"top_k", "K", "only the K most probable symbols; 0: all", "0", {0, kMostWhole}, &PictureOptions::top_k},
    {"top_p",
     "P",
     "only the most probable symbols that together reach P; 1: all",
     "1",
     {.least = 0, .most = 1, .with_least = false},
     &PictureOptions::top_p},
    {"min_p",
     "P",
     "only symbols at least P times as probable as the best; 0: all",
     "0",
     {0, 1},
     &PictureOptions::min_p},
    {"second", "TEXT", "another text to draw beside the first", "", {}, &PictureOptions::second},
    {"change",
     "W,ROW,COLUMN,VALUE",
     "another value for one number of U, W or V (of layer 1: U1, W1)",
     "",
     {},
     &PictureOptions::change},
    {"truncate",
     "N",
     "cuts the gradient off as --bptt N does",
     "not at all",
     {1, kMostWhole},
     &PictureOptions::truncate},
    {"from",
     "T",
     "the first step that is shown of a text that does not fit",
     "",
     {0, kMostWhole},
     &PictureOptions::from},
    {"selection",
     "FROM,TO",
     "steps that are marked, the first and the last",
     "none",
     {0, kMostWhole},
     &PictureOptions::selection},
    {"layer", "L", "the layer, from 0", "the last one", {0, kMostWhole}, &PictureOptions::layer},
    {"unit", "J", "the unit, from 0", "one that keeps much", {0, kMostWhole}, &PictureOptions::unit},
    {"units", "J,...", "the units, from 0", "those with the largest numbers", {0, kMostWhole}, &PictureOptions::units},
    {"state", "S", "what is shown of units: h, or c where the cell has it", "h", {}, &PictureOptions::state},
    {"lengths", "N,...", "lengths of truncation", "1, 2, 4, ...", {1, kMostWhole}, &PictureOptions::lengths},
    {"prompt", "TEXT", "the beginning that is continued", "", {}, &PictureOptions::prompt},
    {"length", "N", "symbols to write", "24", {1, 200}, &PictureOptions::length},
    {"count", "N", "texts to write", "10", {1, 64}, &PictureOptions::count},
    {"seed", "N", "the same seed gives the same texts", "1", {0, 9007199254740991.0}, &PictureOptions::seed},
    {"lags", "N", "how many steps back", "100; gates: 40", {1, 1000}, &PictureOptions::lags},
    {"positions", "N", "predictions to look at, evenly spaced", "64", {1, 1000}, &PictureOptions::positions},
}};

}  // namespace

std::span<const PictureOption> picture_options() noexcept { return kOptions; }

const std::vector<PictureKind>& picture_kinds() {
  static const std::vector<PictureKind> kinds{
      {.name = "unrolled",
       .purpose = "one column per symbol, the same U, W and V in each, and how a gradient goes back",
       .options = {"at", "truncate", "from", "change"},
       .draw = draw_unrolled},
      {.name = "onehot", .purpose = "how a symbol becomes numbers", .options = {"at"}, .draw = draw_onehot},
      {.name = "step",
       .purpose = "what units add up at a step, and how it is squashed",
       .options = {"at", "layer", "units", "change"},
       .draw = draw_step},
      {.name = "softmax",
       .purpose = "from logits to the probabilities of the next symbol",
       .options = {"at", "temperature", "change"},
       .draw = draw_softmax},
      {.name = "surprisal",
       .purpose = "what each symbol costs, and what texts or models cost in all",
       .options = {"second"},
       .several_models = true,
       .draw = draw_surprisal},
      {.name = "gradient",
       .purpose = "how much of a gradient is left, by steps back",
       .options = {"lags", "positions", "at"},
       .several_models = true,
       .draw = draw_gradient},
      {.name = "saliency",
       .purpose = "how much one prediction depends on each symbol before it",
       .options = {"at", "from"},
       .draw = draw_saliency},
      {.name = "gates",
       .purpose = "the gates of a unit over a text, and what they keep of a gradient",
       .options = {"at", "layer", "unit", "from", "selection", "lags"},
       .draw = draw_gates},
      {.name = "neurons",
       .purpose = "units over a text",
       .options = {"at", "layer", "units", "state", "from", "selection"},
       .draw = draw_neurons},
      {.name = "truncation",
       .purpose = "what a length of truncated backpropagation cuts off",
       .options = {"lengths", "truncate"},
       .draw = draw_truncation},
      {.name = "dice",
       .purpose = "how a symbol is drawn",
       .options = {"prompt", "seed", "temperature", "top_k", "top_p", "min_p", "at"},
       .reads_text = false,
       .draw = draw_dice},
      {.name = "tree",
       .purpose = "continuations that share their beginnings",
       .options = {"prompt", "count", "length", "temperature", "top_k", "top_p", "min_p", "seed"},
       .reads_text = false,
       .draw = draw_tree},
      {.name = "answers",
       .purpose = "what a classifier or a tagger says after each word, and what moved it",
       .options = {"at"},
       .several_models = true,
       .draw = draw_answers},
  };
  return kinds;
}

const PictureKind& picture_kind(std::string_view name) {
  std::string known;
  for (const PictureKind& kind : picture_kinds()) {
    if (kind.name == name) return kind;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.name);
  }
  throw Error(ErrorCode::kUsage, fmt::format("unknown picture \"{}\": expected one of {}", name, known), "picture");
}

Picture draw(const PictureRequest& request) {
  const PictureKind& kind = picture_kind(request.picture);
  if (request.models.size() > (kind.several_models ? kMostSeries : 1)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the picture {} is of {} models: expected at most {}", kind.name, request.models.size(),
                            kind.several_models ? kMostSeries : 1),
                "beside");
  }
  return kind.draw(request);
}

}  // namespace unroll
