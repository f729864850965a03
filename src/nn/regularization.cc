#include "unroll/regularization.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "unroll/error.h"

namespace unroll {

void check(const Regularization& regularization) {
  const Regularization& r = regularization;
  for (const auto& [name, p] :
       {std::pair("dropout of words", r.words), std::pair("dropout of the input", r.input),
        std::pair("dropout between layers", r.between), std::pair("dropout of the output", r.output),
        std::pair("weight-drop", r.recurrent), std::pair("label smoothing", r.label_smoothing)}) {
    // Rejects NaN too.
    if (p >= 0 && p < 1) continue;
    throw Error(ErrorCode::kUsage, fmt::format("{} is {}: expected at least 0 and below 1", name, p));
  }
  for (const auto& [name, factor] :
       {std::pair("ar", r.ar), std::pair("tar", r.tar), std::pair("the weight of the language model", r.language)}) {
    if (factor >= 0 && std::isfinite(factor)) continue;
    throw Error(ErrorCode::kUsage, fmt::format("{} is {}: expected at least 0", name, factor));
  }
}

}  // namespace unroll
