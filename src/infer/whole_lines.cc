#include "infer/whole_lines.h"

#include <fmt/format.h>

#include "unroll/error.h"

namespace unroll {

void expect_whole_lines(const Model& model, std::string_view what, std::optional<BeginPolicy> begin) {
  if (model.tokenizer().boundary() < 0) {
    throw Error(ErrorCode::kUsage, fmt::format("{} needs the probability of whole lines, and this model's vocabulary "
                                               "has no symbol for the end of a line",
                                               what));
  }
  if (begin.value_or(model.begin_policy()) == BeginPolicy::kNone) {
    throw Error(ErrorCode::kUsage, fmt::format("{} needs the probability of whole lines, and this model does not "
                                               "predict the first symbol: its begin is none",
                                               what));
  }
}

}  // namespace unroll
