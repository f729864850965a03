#include "text/reading.h"

#include <fmt/format.h>

#include <iterator>

#include "base/names.h"
#include "unroll/error.h"

namespace unroll {
namespace {

static_assert(kNoSymbol == kIgnored);  // it is a target without a prediction

[[noreturn]] void refuse_policy(std::string_view group, std::string_view field, std::string_view value,
                                std::string_view needed) {
  throw Error(ErrorCode::kUsage,
              fmt::format("`{0}{1}` is {2}: the model's vocabulary has no symbol for the end of a line, so its lines "
                          "are read by themselves, from the zero state: expected {3}",
                          group, field, value, needed),
              fmt::format("{}{}", group, field));
}

}  // namespace

Reading reading_of(const Tokenizer& tokenizer, StatePolicy state, BeginPolicy begin, std::string_view group) {
  expect_enumerator(fmt::format("{}state", group), state, state_policy_name(state));
  expect_enumerator(fmt::format("{}begin", group), begin, begin_policy_name(begin));
  if (tokenizer.boundary() == kNoSymbol) {
    if (state == StatePolicy::kCarry) refuse_policy(group, "state", "carry", "reset");
    if (begin == BeginPolicy::kBoundary) refuse_policy(group, "begin", "boundary", "none");
  }
  return {.boundary = tokenizer.boundary(), .state = state, .begin = begin};
}

std::int64_t count_predictions(const Reading& reading, const IdView& ids) {
  if (reading.begin == BeginPolicy::kBoundary && reading.boundary != kNoSymbol) return std::ssize(ids);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) count += reading.predicts(ids, i) ? 1 : 0;
  return count;
}

WindowStep step_of(const Reading& reading, const SequencePlace& place, std::int32_t id) noexcept {
  const bool gives = reading.begin == BeginPolicy::kNone;
  if (place.start && gives) return {.input = reading.idle_input(), .reset = true};
  const bool resets = place.start && reading.state == StatePolicy::kReset;
  return {.input = place.before, .target = id, .reset = resets || (place.after_start && gives)};
}

WindowStep SequenceSteps::next(std::int32_t id) noexcept {
  const WindowStep step = step_of(reading_, place_, id);
  place_ = {.before = id, .start = reading_.starts_after(id), .after_start = place_.start};
  return step;
}

}  // namespace unroll
