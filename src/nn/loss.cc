#include "unroll/loss.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name_of_loss(Loss loss) noexcept {
  switch (loss) {
    case Loss::kSoftmax:
      return "softmax";
    case Loss::kSigmoid:
      return "sigmoid";
    case Loss::kCrf:
      return "crf";
    case Loss::kSquared:
      return "squared";
  }
  return {};
}

}  // namespace

std::string_view loss_name(Loss loss) noexcept { return name_of_loss(loss); }
Loss parse_loss(std::string_view text) { return parse_name<Loss, name_of_loss>("loss", text); }

}  // namespace unroll
