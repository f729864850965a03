#include "server/api/unrolled_request.h"

#include <algorithm>
#include <cstdint>

namespace unroll {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;  // of an unrolled text

}  // namespace

TextToUnroll text_to_unroll(RequestFields& fields) {
  return {.text = fields.filled_text("text"), .label = fields.text("label").value_or("")};
}

UnrolledText unrolled(const Model& model, const TextToUnroll& text, std::int64_t longest) {
  const std::int64_t fit = kMostBytes / unrolled_step_bytes(model.config());
  const std::int64_t most_steps = std::clamp<std::int64_t>(fit, 1, longest);
  return {model, {text.text, "the text"}, {.label = text.label, .most_steps = most_steps, .threads = 1}};
}

}  // namespace unroll
