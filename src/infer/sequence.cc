#include "infer/sequence.h"

#include <algorithm>
#include <cstddef>

namespace unroll {

void set_sequence(std::int32_t input, std::span<const std::int32_t> next, Window& window) {
  make_window(std::ssize(next), 1, window, [&](std::int64_t, std::int64_t t) {
    const WindowStep step{.input = input, .target = next[static_cast<std::size_t>(t)]};
    input = step.target;
    return step;
  });
}

void set_sequence(SequenceSteps& steps, std::span<const std::int32_t> next, Window& window) {
  make_window(std::ssize(next), 1, window,
              [&](std::int64_t, std::int64_t t) { return steps.next(next[static_cast<std::size_t>(t)]); });
}

bool SequenceRow::next(Window& window) {
  if (rest_.empty()) return false;
  const auto next = rest_.first(std::min<std::size_t>(rest_.size(), kSequenceSteps));
  set_sequence(input_, next, window);
  input_ = next.back();
  rest_ = rest_.subspan(next.size());
  return true;
}

}  // namespace unroll
