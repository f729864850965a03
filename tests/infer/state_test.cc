#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <unordered_set>

#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

TEST(State, SavedAndLoadedItGoesOnWithTheSameBits) {
  for (const Cell cell : all_cells()) {
    Scorer scorer(tiny_model(cell, tiny_characters()), {.threads = 1});
    State state = scorer.initial_state();
    for (const std::int32_t token : {3, 4, 1, 7}) (void)scorer.step(state, token);
    const std::string bytes = state.save();
    EXPECT_EQ(bytes.size(), 20 + 4 * (state.h.size() + state.c.size()));
    State loaded = State::load(bytes);
    EXPECT_EQ(loaded, state);
    EXPECT_EQ(loaded.save(), bytes);
    EXPECT_EQ(scorer.step(loaded, 5), scorer.step(state, 5));
    EXPECT_EQ(loaded, state);
  }
}

TEST(State, TheBytesAreThoseOfTheDescription) {
  const State state{.h = {1.0F, -0.5F}, .c = {}, .input = 258};
  const std::string expected("unrollS1\2\0\0\0\0\0\0\0\2\1\0\0\0\0\x80\x3F\0\0\0\xBF", 28);
  EXPECT_EQ(state.save(), expected);
}

TEST(State, BytesThatWereNotSavedAreRefused) {
  const auto refused = [](const std::string& part, const std::string& bytes) {
    return fails_with(ErrorCode::kFormat, part, [&] { (void)State::load(bytes); });
  };
  const State state{.h = {1, 2, 3}, .c = {4, 5, 6}, .input = 7};
  const std::string bytes = state.save();
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_TRUE(refused("saved state", bytes.substr(0, size)));
  EXPECT_TRUE(refused("24 bytes, found 25", bytes + "x"));
  std::string other = bytes;
  other[0] = 'U';
  EXPECT_TRUE(refused("unrollS1", other));
  other = bytes;
  other.replace(8, 8, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(refused("found 24", other));
  EXPECT_TRUE(refused("inf", State{.h = {std::numeric_limits<float>::infinity()}}.save()));
}

TEST(State, EqualStatesHaveEqualHashesAndOthersHardlyEver) {
  const std::hash<State> hash;
  EXPECT_EQ(hash({.h = {0.0F, 1.0F}}), hash({.h = {-0.0F, 1.0F}}));
  EXPECT_NE(hash({.h = {0.0F, 1.0F}}), hash({.h = {1.0F, 0.0F}}));
  EXPECT_NE(hash({.h = {}, .input = 1}), hash({.h = {}, .input = 2}));

  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()), {.threads = 1});
  std::unordered_set<State> states;
  std::unordered_set<std::size_t> hashes;
  for (std::int32_t a = 0; a < 13; ++a) {
    for (std::int32_t b = 0; b < 13; ++b) {
      State state = scorer.initial_state();
      (void)scorer.step(state, a);
      (void)scorer.step(state, b);
      EXPECT_TRUE(states.insert(state).second);
      EXPECT_FALSE(states.insert(state).second);
      hashes.insert(hash(state));
    }
  }
  EXPECT_EQ(hashes.size(), states.size());
}

}  // namespace
}  // namespace unroll
