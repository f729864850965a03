#include "draw/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "draw/pictures.h"
#include "draw/subject.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kMostWhole = 1 << 24;

const std::array<PictureOption, 5> kOptions{{
    {"at", "T", "the step that is looked at, from 0", "the last one", {0, kMostWhole}, &PictureOptions::at},
    {"temperature",
     "X",
     "divides the logits; 0: all to the most probable symbol",
     "1",
     {0, 1e6},
     &PictureOptions::temperature},
    {"second", "TEXT", "another text to draw beside the first", "", {}, &PictureOptions::second},
    {"lags", "N", "how many steps back", "100", {1, 1000}, &PictureOptions::lags},
    {"positions", "N", "predictions to look at, evenly spaced", "64", {1, 1000}, &PictureOptions::positions},
}};

}  // namespace

std::span<const PictureOption> picture_options() noexcept { return kOptions; }

const std::vector<PictureKind>& picture_kinds() {
  static const std::vector<PictureKind> kinds{
      {"softmax", "from logits to the probabilities of the next symbol", {"at", "temperature"}, false, draw_softmax},
      {"surprisal", "what each symbol costs, and what texts or models cost in all", {"second"}, true, draw_surprisal},
      {"gradient", "how much of a gradient is left, by steps back", {"lags", "positions"}, true, draw_gradient},
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
