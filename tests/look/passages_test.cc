#include "unroll/look/passages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

// Unit 2 is on where a, b or c is read, unit 0 of the others by what random weights make of the text.
Model knows_abc() {
  const NetworkConfig config{
      .cell = Cell::kRnnTanh, .vocabulary = tiny_characters().size(), .embed = 4, .hidden = 5, .layers = 2};
  Parameters parameters = random_parameters(config, 0.4F, 9);
  const Tokenizer tokenizer = tiny_characters();
  for (std::int64_t id = 0; id < tokenizer.size(); ++id) {
    const bool is_one = std::string("abc").find(tokenizer.symbol(static_cast<std::int32_t>(id))) != std::string::npos;
    parameters.encoder()(id, 1) = is_one ? 1.0F : -1.0F;
  }
  const RecurrentParams<float>& layer = parameters.layer(0);
  for (std::int64_t j = 0; j < 4; ++j) layer.U(2, j) = j == 1 ? 2.0F : 0.0F;
  for (std::int64_t j = 0; j < 5; ++j) layer.W(2, j) = 0;
  layer.b_input[2] = 0;
  layer.b_hidden[2] = 0;
  return model_of(config, tiny_characters(), std::move(parameters));
}

// Step t reads symbol t - 1.
UnrolledText unrolled_by(const Model& model, const std::string& text) {
  return UnrolledText(model, {text, "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
}

const SelectedUnit* find_planted(const std::vector<SelectedUnit>& units) {
  for (const SelectedUnit& unit : units) {
    if (unit.layer == 0 && unit.unit == 2) return &unit;
  }
  return nullptr;
}

TEST(UnitsOfASelection, AreOnWithinAndOffAroundIt) {
  const UnrolledText text = unrolled_by(knows_abc(), "deabcaedeedbbdeeabccad");
  const TextSelection abca{.from = 3, .to = 6};
  const std::vector<SelectedUnit> units = units_of_selection(text, abca, 100);
  const SelectedUnit* const planted = find_planted(units);
  ASSERT_NE(planted, nullptr);
  EXPECT_TRUE(planted->above);
  EXPECT_NEAR(planted->threshold, 0, 1e-6);
  double before = units.front().margin;
  for (const SelectedUnit& unit : units) {
    EXPECT_GT(unit.margin, 0);
    EXPECT_LE(unit.margin, before);
    before = unit.margin;
    const auto on = [&](std::int64_t t) {
      const double number = static_cast<double>(text.h(unit.layer, t)[static_cast<std::size_t>(unit.unit)]);
      return unit.above ? number > unit.threshold : number < unit.threshold;
    };
    for (std::int64_t t = 3; t <= 6; ++t) EXPECT_TRUE(on(t));
    EXPECT_FALSE(on(2));
    EXPECT_FALSE(on(7));
  }
  // The selection of what is between two such words finds the same unit on its other side.
  const std::vector<SelectedUnit> between = units_of_selection(text, {.from = 7, .to = 11}, 100);
  ASSERT_NE(find_planted(between), nullptr);
  EXPECT_FALSE(find_planted(between)->above);
}

TEST(UnitsOfASelection, AreLimitedByCountAndLayer) {
  const UnrolledText text = unrolled_by(knows_abc(), "deabcaedeedbbdeeabccad");
  EXPECT_EQ(units_of_selection(text, {.from = 3, .to = 6}, 1).size(), 1U);
  EXPECT_TRUE(units_of_selection(text, {.from = 3, .to = 6}, 0).empty());
  for (const SelectedUnit& unit : units_of_selection(text, {.from = 3, .to = 6}, 100, 1)) EXPECT_EQ(unit.layer, 1);
  // At an end of the text there is one step beside it.
  EXPECT_NE(find_planted(units_of_selection(text, {.from = 0, .to = 2}, 100)), nullptr);
}

TEST(PassagesAlike, AreWhereTheSameUnitsAreOn) {
  const UnrolledText text = unrolled_by(knows_abc(), "deabcaedeedbbdeeabccad");
  const TextSelection abca{.from = 3, .to = 6};
  const std::vector<SelectedUnit> planted{*find_planted(units_of_selection(text, abca, 100))};
  const std::vector<Passage> passages = passages_alike(text, abca, planted, 9);
  ASSERT_EQ(passages.size(), 2U);  // "abcca", whose length is closer, then "bb"
  EXPECT_EQ(passages[0].from, 17);
  EXPECT_EQ(passages[0].to, 21);
  EXPECT_EQ(passages[0].units, 1);
  EXPECT_EQ(passages[1].from, 12);
  EXPECT_EQ(passages[1].to, 13);
  EXPECT_EQ(passages_alike(text, abca, planted, 1).size(), 1U);
  EXPECT_TRUE(passages_alike(text, abca, {}, 9).empty());
}

TEST(PassagesAlike, AreThoseOfUnitsThatHoldTheSelectionTogether) {
  EXPECT_TRUE(holds_together({.margin = 0.5}));
  EXPECT_FALSE(holds_together({.margin = 0.49}));
  const UnrolledText text = unrolled_by(knows_abc(), "deabcaedeedbbdeeabccad");
  const TextSelection abca{.from = 3, .to = 6};
  SelectedUnit weak = *find_planted(units_of_selection(text, abca, 100));
  std::vector<SelectedUnit> units{weak};
  weak.above = false;  // on where the other is off
  weak.margin = 0.1;
  units.push_back(weak);
  EXPECT_EQ(passages_alike(text, abca, units, 9).size(), 2U);
  EXPECT_TRUE(passages_alike(text, abca, {weak}, 9).empty());
}

TEST(PassagesAlike, WithMoreUnitsComeFirst) {
  const UnrolledText text = unrolled_by(knows_abc(), "deabcaedeedbbdeeabccadebcaede");
  const TextSelection abca{.from = 3, .to = 6};
  const std::vector<SelectedUnit> units = units_of_selection(text, abca, 6);
  std::int64_t before = std::ssize(units);
  std::vector<char> seen(static_cast<std::size_t>(text.steps()));
  for (const Passage& passage : passages_alike(text, abca, units, 100)) {
    EXPECT_LE(passage.units, before);
    EXPECT_GE(2 * passage.units, std::ranges::count_if(units, holds_together));
    before = passage.units;
    for (std::int64_t t = passage.from; t <= passage.to; ++t) {
      EXPECT_TRUE(t < abca.from || t > abca.to);
      EXPECT_EQ(seen[static_cast<std::size_t>(t)]++, 0);
    }
  }
}

TEST(UnitsOfASelection, AreRefusedForWhatIsNoneOfTheText) {
  const UnrolledText text = unrolled_by(knows_abc(), "abcde");
  const auto refuses = [&](const char* words, TextSelection selection, std::optional<std::int64_t> layer = {}) {
    return fails_with(ErrorCode::kUsage, words, [&] { (void)units_of_selection(text, selection, 3, layer); });
  };
  EXPECT_TRUE(refuses("`from` is -1", {-1, 2}));
  EXPECT_TRUE(refuses("`from` is 5: expected 0 to 4", {5, 5}));
  EXPECT_TRUE(refuses("`to` is 1: expected 2 to 4", {2, 1}));
  EXPECT_TRUE(refuses("`to` is 9", {2, 9}));
  EXPECT_TRUE(refuses("`to` leaves nothing beside", {0, 4}));
  EXPECT_TRUE(refuses("`layer` is 2: expected 0 to 1", {1, 2}, 2));
}

}  // namespace
}  // namespace unroll
