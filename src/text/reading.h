// How a network goes through a sequence of ids: one step for each id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/ids.h"
#include "text/window.h"
#include "unroll/begin_policy.h"
#include "unroll/state_policy.h"
#include "unroll/tokenizer.h"

namespace unroll {

// What stands for a line end in the ids of a vocabulary without a boundary, and for the boundary of such a vocabulary.
inline constexpr std::int32_t kNoSymbol = -1;

// The policies under which ids are read, and the boundary symbol that they are about.
//
// A start is the first id of a sequence and, with StatePolicy::kReset, each id after a boundary: the state is zero
// there. With BeginPolicy::kNone the id at a start is given. Its step predicts nothing, and what that step reads does
// not matter, because the next one starts from zero again and reads the given id. An id that is kNoSymbol is neither
// read nor predicted.
struct Reading {
  std::int32_t boundary = 0;  // kNoSymbol: the vocabulary has none; then state is kReset and begin is kNone
  StatePolicy state = StatePolicy::kCarry;
  BeginPolicy begin = BeginPolicy::kBoundary;

  // Whether a start follows `id`.
  [[nodiscard]] bool starts_after(std::int32_t id) const noexcept {
    return state == StatePolicy::kReset && id == boundary;
  }

  // Whether ids[position] is a start; ids are an IdView or a range.
  template <class Range>
  [[nodiscard]] bool is_start(const Range& ids, std::size_t position) const {
    return position == 0 || starts_after(ids[position - 1]);
  }

  // Whether ids[position] is predicted.
  template <class Range>
  [[nodiscard]] bool predicts(const Range& ids, std::size_t position) const {
    return ids[position] != kNoSymbol && (begin == BeginPolicy::kBoundary || !is_start(ids, position));
  }

  // What a step reads that does not matter: the boundary, for n-grams read it too.
  [[nodiscard]] std::int32_t idle_input() const noexcept { return boundary == kNoSymbol ? 0 : boundary; }
};

// The reading of texts of a vocabulary. Throws Error{kUsage} where it has no boundary and `state` is kCarry or `begin`
// is kBoundary; the message calls them `state` and `begin`, after `group`: "text.".
[[nodiscard]] Reading reading_of(const Tokenizer& tokenizer, StatePolicy state, BeginPolicy begin,
                                 std::string_view group = "");

// How many of the ids are predicted. Reads them only where that depends on them: with BeginPolicy::kNone, or without a
// boundary.
[[nodiscard]] std::int64_t count_predictions(const Reading& reading, const IdView& ids);

// An id of a sequence, and what its step depends on.
struct SequencePlace {
  std::int32_t before = 0;   // the id before it; the boundary where there is none
  bool start = false;        // it is a start
  bool after_start = false;  // the id before it is one
};

// The step of `id`.
[[nodiscard]] WindowStep step_of(const Reading& reading, const SequencePlace& place, std::int32_t id) noexcept;

// Makes the steps of a sequence, in order.
class SequenceSteps {
 public:
  explicit SequenceSteps(const Reading& reading) noexcept
      : reading_(reading), place_{.before = reading.boundary, .start = true} {}

  // The step of the next id.
  WindowStep next(std::int32_t id) noexcept;

 private:
  Reading reading_;
  SequencePlace place_;  // of the next id
};

}  // namespace unroll
