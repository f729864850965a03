#include "text/reading.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "support/error_of.h"
#include "text/batcher.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::int32_t kLineEnd = 9;

// What a network has read since its state was zero, before each id that it predicts: the meaning of a sequence of
// steps, whatever the steps that predict nothing read.
struct Predictions {
  std::vector<Ids> read;
  Ids targets;

  friend bool operator==(const Predictions&, const Predictions&) = default;
};

class Listener {
 public:
  void hear(const WindowStep& step) {
    if (step.reset) read_.clear();
    read_.push_back(step.input);
    if (step.target == kIgnored) return;
    heard.read.push_back(read_);
    heard.targets.push_back(step.target);
  }

  Predictions heard;

 private:
  Ids read_;
};

Predictions predictions_of(const Reading& reading, const Ids& ids) {
  SequenceSteps steps(reading);
  Listener listener;
  for (const std::int32_t id : ids) listener.hear(steps.next(id));
  return listener.heard;
}

TEST(Reading, BeginsWithTheBoundaryOrWithNothing) {
  const Ids ids = {1, 2, kLineEnd, 3, kLineEnd, kLineEnd};
  const auto carry = StatePolicy::kCarry;
  const auto reset = StatePolicy::kReset;
  EXPECT_EQ(predictions_of({kLineEnd, reset, BeginPolicy::kBoundary}, ids),
            (Predictions{{{9}, {9, 1}, {9, 1, 2}, {9}, {9, 3}, {9}}, ids}));
  EXPECT_EQ(predictions_of({kLineEnd, reset, BeginPolicy::kNone}, ids),
            (Predictions{{{1}, {1, 2}, {3}}, {2, kLineEnd, kLineEnd}}));
  EXPECT_EQ(
      predictions_of({kLineEnd, carry, BeginPolicy::kNone}, ids),
      (Predictions{{{1}, {1, 2}, {1, 2, 9}, {1, 2, 9, 3}, {1, 2, 9, 3, 9}}, {2, kLineEnd, 3, kLineEnd, kLineEnd}}));
}

TEST(Reading, WithoutABoundaryLineEndsSeparateAndNothingElse) {
  const Reading reading{kNoSymbol, StatePolicy::kReset, BeginPolicy::kNone};
  EXPECT_EQ(predictions_of(reading, {1, 2, 3, kNoSymbol, kNoSymbol, 4, kNoSymbol, 5, 6}),
            (Predictions{{{1}, {1, 2}, {5}}, {2, 3, 6}}));
}

TEST(Reading, OfOneSymbolOrNonePredictsNothing) {
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    const Reading reading{kLineEnd, state, BeginPolicy::kNone};
    EXPECT_EQ(predictions_of(reading, {}), Predictions());
    EXPECT_EQ(predictions_of(reading, {4}), Predictions());
    EXPECT_EQ(count_predictions(reading, Ids{}), 0);
    EXPECT_EQ(count_predictions(reading, Ids{4}), 0);
    EXPECT_EQ(count_predictions(reading, Ids{4, 5}), 1);
  }
}

// The steps of a batcher's rows mean what those of the whole sequence mean, but for what stands before a row.
TEST(Reading, IsTheSameInABatchersWindows) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 60; ++trial) {
    const std::int32_t boundary = trial % 3 == 0 ? kNoSymbol : kLineEnd;
    Ids ids(std::uniform_int_distribution<std::size_t>(1, 300)(random));
    for (std::int32_t& id : ids) id = random() % 4 == 0 ? boundary : static_cast<std::int32_t>(random() % 9);
    const Reading reading{boundary, StatePolicy::kReset, BeginPolicy::kNone};
    const std::vector<Piece> pieces = line_pieces(ids, boundary, 1 + trial % 5);
    const Batcher batcher(ids, reading, pieces, 1 + trial % 7);
    std::vector<Listener> rows(pieces.size());
    Window window;
    std::int64_t predictions = 0;
    for (std::int64_t i = 0; i < batcher.windows(); ++i) {
      batcher.window(i, window);
      predictions += window.predictions;
      for (std::size_t entry = 0; entry < window.inputs.size(); ++entry) {
        const bool resets = !window.reset.empty() && window.reset[entry] != 0;
        rows[entry % rows.size()].hear({window.inputs[entry], window.targets[entry], resets});
      }
    }
    Predictions all;
    for (const Listener& row : rows) {
      all.read.insert(all.read.end(), row.heard.read.begin(), row.heard.read.end());
      all.targets.insert(all.targets.end(), row.heard.targets.begin(), row.heard.targets.end());
    }
    EXPECT_EQ(all, predictions_of(reading, ids));
    EXPECT_EQ(predictions, count_predictions(reading, ids));
  }
}

TEST(Reading, WithoutABoundaryLinesCannotFollowOneAnother) {
  const Tokenizer tokenizer = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"a", "b"});
  EXPECT_EQ(reading_of(tokenizer, StatePolicy::kReset, BeginPolicy::kNone).boundary, kNoSymbol);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`text.state` is carry",
                         [&] { (void)reading_of(tokenizer, StatePolicy::kCarry, BeginPolicy::kNone, "text."); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`begin` is boundary",
                         [&] { (void)reading_of(tokenizer, StatePolicy::kReset, BeginPolicy::kBoundary); }));
}

}  // namespace
}  // namespace unroll
