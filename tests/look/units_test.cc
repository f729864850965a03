#include "unroll/look/units.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

Tokenizer bracket_characters() {
  return Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"<unk>", "\n", "a", "b", "(", ")", "\""});
}

// A network that adds: unit 3 holds the number of open brackets, the others what random weights make of the text.
Model bracket_counter() {
  const NetworkConfig config{.cell = Cell::kRnnRelu, .vocabulary = 7, .embed = 4, .hidden = 5, .layers = 1};
  Parameters parameters = random_parameters(config, 0.4F, 9);
  const RecurrentParams<float>& layer = parameters.layer(0);
  for (std::int64_t id = 0; id < 7; ++id) parameters.encoder()(id, 2) = id == 4 ? 1.0F : id == 5 ? -1.0F : 0.0F;
  for (std::int64_t j = 0; j < 4; ++j) layer.U(3, j) = j == 2 ? 1.0F : 0.0F;
  for (std::int64_t j = 0; j < 5; ++j) layer.W(3, j) = j == 3 ? 1.0F : 0.0F;
  layer.b_input[3] = 0;
  layer.b_hidden[3] = 0;
  return model_of(config, bracket_characters(), std::move(parameters));
}

UnrolledText unrolled(const Model& model, const std::string& text) {
  return UnrolledText(model, {text, "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
}

// The values after each step but the first, which reads the boundary.
std::string shown(const TextFeature& feature) {
  std::string digits;
  for (const double value : feature.values) digits += std::isnan(value) ? '.' : static_cast<char>('0' + int(value));
  return digits;
}

TEST(UnitsFollowing, FindsAPlantedBracketCounterFirst) {
  const UnrolledText text = unrolled(bracket_counter(), "ab(a(b)b)aab(ba)ab((a)b)ba(b)aa");
  const std::vector<FollowingUnit> units = units_following(text, brackets_feature(text), 3);
  ASSERT_EQ(units.size(), 3U);
  EXPECT_EQ(units.front().unit, 3);
  EXPECT_EQ(units.front().auc, 1);
  EXPECT_GT(units.front().correlation, 0.8);
  EXPECT_TRUE(follows_well(units.front()));
  EXPECT_LT(units[1].auc, 1);
}

TEST(UnitsFollowing, SaysWhereNoneIsGood) {
  const UnrolledText text = unrolled(bracket_counter(), "ab(a\"b)b\"aab(ba)ab\"(a)b\"ba(b)aa\"a\"bb");
  TextFeature nothing{.name = "noise", .values = {}, .is_claim = true};
  for (std::int64_t t = 0; t < text.steps(); ++t) nothing.values.push_back((t * t * 7 + t / 3) % 5 < 2 ? 1 : 0);
  EXPECT_FALSE(follows_well(units_following(text, nothing, 1).front()));
  EXPECT_TRUE(
      units_following(text, {.name = "always", .values = std::vector<double>(nothing.values.size(), 1)}, 1).empty());
}

TEST(TextFeatures, VaryWhereStepsThatCountDiffer) {
  EXPECT_TRUE(varies({.name = "some", .values = {NAN, 1, 0}}));
  EXPECT_FALSE(varies({.name = "all", .values = {NAN, 1, 1}}));
  EXPECT_FALSE(varies({.name = "none", .values = {NAN}}));
}

TEST(TextFeatures, AreThoseAfterEachSymbol) {
  const auto values = [](const std::string& characters, const auto& feature) {
    return shown(feature(unrolled(bracket_counter(), characters)));
  };
  EXPECT_EQ(values("a(b)a", brackets_feature), ".0110");
  EXPECT_EQ(values("(a\n\nab", brackets_feature), ".11100");
  EXPECT_EQ(values("a\"b\"a", quotes_feature), ".0110");
  EXPECT_EQ(values("a\"\nb\n\na", quotes_feature), ".011110");
  EXPECT_EQ(values("ab\nabb", line_position_feature), ".12012");
  EXPECT_EQ(values("abbaab", [](const UnrolledText& text) { return match_feature(text, "b+a"); }), ".01110");
  const std::vector<std::pair<std::string, std::string>> refused{
      {"(", "are not pairs"}, {"*a", "nothing before it"}, {"[b-a]", "ends before it begins"},
      {"[a", "has no ]"},     {"a{2,1}", "no count"},      {"\\", "at its end"},
      {"(a)\\2", "a group"},  {"[[:x:]]", "no such name"}, {"", "it is empty"}};
  for (const auto& [expression, why] : refused) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "\"" + expression + "\" is no regular expression",
                           [&] { (void)match_feature(unrolled(bracket_counter(), "ab"), expression); }));
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, why, [&] {
      (void)match_feature(unrolled(bracket_counter(), "ab"), expression);
    })) << expression;
  }
}

TEST(UnitsFollowing, AreThoseOfALayer) {
  const UnrolledText text = unrolled(tiny_model(Cell::kLstm, tiny_characters()), "abcabdabcbad");
  const std::vector<FollowingUnit> all = units_following(text, line_position_feature(text), 100);
  const std::vector<FollowingUnit> above = units_following(text, line_position_feature(text), 100, 1);
  EXPECT_EQ(all.size(), 2 * above.size());
  for (const FollowingUnit& unit : above) EXPECT_EQ(unit.layer, 1);
}

TEST(TextFeatures, MatchOnlyWhatIsSearchedInReasonableTimeAndSpace) {
  std::string letters(1500, 'a');
  letters[700] = 'b';
  const UnrolledText text = unrolled(bracket_counter(), letters);
  const auto refuses = [&](const std::string& expression, const char* words) {
    return fails_with(ErrorCode::kUsage, words, [&] { (void)match_feature(text, expression); });
  };
  EXPECT_TRUE(refuses("(a+)+\\(", "takes too many steps"));
  EXPECT_TRUE(refuses("(a|a)*\\(", "takes too many steps"));
  EXPECT_TRUE(refuses(std::string(90, '(') + "a" + std::string(90, ')') + "*", "takes too many steps"));
  EXPECT_TRUE(refuses("((a?){11}){11}", "repetitions {} come to more than 100"));
  EXPECT_TRUE(refuses("a{99999999999999999999}", "come to more than 100"));
  EXPECT_TRUE(refuses(std::string(201, 'a'), "longer than 200 bytes"));
  EXPECT_EQ(match_feature(text, "ab").values[701], 1);
  EXPECT_EQ(match_feature(text, "(a{2,9}){9}").values[701], 0);
}

TEST(TextFeatures, KnowQuotationMarksThatBytesCut) {
  const UnrolledText text = unrolled(tiny_model(Cell::kGru, all_bytes()),
                                     "a\xE2\x80\x9C"
                                     "b\xE2\x80\x9D"
                                     "c.");
  EXPECT_EQ(shown(quotes_feature(text)), ".000111100");
}

TEST(UnitsFollowing, CountsTheCellStateToo) {
  const UnrolledText text = unrolled(tiny_model(Cell::kLstm, tiny_characters()), random_text(60, 3));
  std::int64_t of_cell_state = 0;
  for (const FollowingUnit& unit : units_following(text, line_position_feature(text), 1000)) {
    of_cell_state += unit.of_cell_state ? 1 : 0;
    EXPECT_TRUE(std::isnan(unit.auc));
  }
  EXPECT_EQ(of_cell_state, 14);
}

}  // namespace
}  // namespace unroll
