#include "train/window_cuts.h"

#include <algorithm>
#include <cassert>

#include "base/philox.h"

namespace unroll {

std::int64_t WindowCuts::first(std::int64_t epoch, std::int64_t i) const noexcept {
  assert(i >= 0 && i <= windows() && 2 * J < T);
  if (i == 0) return 0;
  if (i == windows()) return length;
  if (J == 0) return i * T;
  const auto words = random_words(seed, static_cast<std::uint32_t>(epoch), RandomPurpose::kWindowCut, 0,
                                  static_cast<std::uint32_t>(i), 0);
  const auto choices = static_cast<std::uint64_t>(2 * J + 1);
  const auto choice = static_cast<std::int64_t>((words[0] * choices) >> 32);
  return std::min(i * T - J + choice, length - 1);  // the last window may be shorter than J
}

}  // namespace unroll
