#include "draw/changed_weight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/drawn.h"
#include "draw/picture.h"
#include "support/error_of.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

// The model of tiny_model() with another number in W of its first layer.
Model with_w(Cell cell, std::int64_t row, std::int64_t column, float value) {
  const NetworkConfig config = tiny_config(cell, tiny_characters());
  Parameters parameters = random_parameters(config, 0.7F, 3);
  parameters.layer(0).W(row, column) = value;
  return model_of(config, tiny_characters(), std::move(parameters));
}

TEST(ChangedWeight, IsThatOfAModelThatHasIt) {
  for (const Cell cell : {Cell::kRnnTanh, Cell::kLstm, Cell::kGru}) {
    PictureRequest request = picture_of("unrolled", tiny_model(cell, tiny_characters()), "abcdef");
    request.options.change = "W,3,5,1.75";
    const Picture picture = draw(request);
    const Picture expected = draw(picture_of("unrolled", with_w(cell, 3, 5, 1.75F), "abcdef"));
    EXPECT_EQ(column_of(picture, "share"), column_of(expected, "share"));
    EXPECT_EQ(column_of(picture, "gradient left"), column_of(expected, "gradient left"));
    for (const char* const other : {"step", "softmax"}) {
      request.picture = other;
      PictureRequest same = picture_of(other, with_w(cell, 3, 5, 1.75F), "abcdef");
      EXPECT_EQ(draw(request).svg, draw(same).svg);
    }
  }
}

TEST(ChangedWeight, MovesEveryStateAfterTheFirst) {
  const Model model = tiny_model(Cell::kRnnTanh, tiny_characters());
  PictureRequest request = picture_of("unrolled", model, "abcdef");
  request.options.change = "W,3,5,1.75";
  const Picture picture = draw(request);
  const std::vector<double> moved = column_of(picture, "state moved");
  EXPECT_EQ(moved.front(), 0);  // before the first step the state is zero
  const UnrolledText before(model, {"abcdef\n", "'text'"}, {.threads = 1});
  const UnrolledText after(with_w(Cell::kRnnTanh, 3, 5, 1.75F), {"abcdef\n", "'text'"}, {.threads = 1});
  for (std::int64_t t = 1; t < before.steps(); ++t) {
    double by = 0;
    double all = 0;
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (std::size_t j = 0; j < before.h(layer, t).size(); ++j) {
        by += std::pow(static_cast<double>(after.h(layer, t)[j]) - static_cast<double>(before.h(layer, t)[j]), 2);
        all += std::pow(static_cast<double>(before.h(layer, t)[j]), 2);
      }
    }
    EXPECT_GT(by, 0);
    EXPECT_NEAR(moved[static_cast<std::size_t>(t)], std::sqrt(by / all), 1e-12);
  }
  EXPECT_TRUE(picture.sentence.starts_with("W[3, 5] of layer 0 is 1.75 instead of ")) << picture.sentence;
  EXPECT_NE(picture.sentence.find("6 of 7 states are others"), std::string::npos) << picture.sentence;
  EXPECT_EQ(count_of(picture.svg, "box changed"), 12U);
}

TEST(ChangedWeight, OfOtherMatricesAndLayersIsRead) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const UnrolledText text(model, {"abc", "'text'"}, {.threads = 1});
  for (const auto& [words, place] :
       std::vector<std::pair<std::string, WeightPlace>>{{"U1,2,3,9", {SharedMatrix::kU, 1, 2, 3}},
                                                        {"V,4,1,-2.5e-1", {SharedMatrix::kV, 0, 4, 1}},
                                                        {"W1,27,6,0", {SharedMatrix::kW, 1, 27, 6}}}) {
    const WeightChange change = asked_change({.change = words}).value();
    const UnrolledText changed(model, {"abc", "'text'"}, {.change = change, .threads = 1});
    EXPECT_EQ(changed.weight(place), static_cast<float>(change.value)) << words;
    EXPECT_NE(text.weight(place), changed.weight(place));
  }
}

TEST(ChangedWeight, OfTheOutputMovesPredictionsAlone) {
  PictureRequest request = picture_of("unrolled", tiny_model(Cell::kGru, tiny_characters()), "abc");
  const std::vector<double> before = column_of(draw(request), "share");
  request.options.change = "V,4,1,2.5";
  const Picture picture = draw(request);
  EXPECT_NE(picture.sentence.find("predictions move, and no state does. "), std::string::npos) << picture.sentence;
  EXPECT_NE(column_of(picture, "share"), before);
}

TEST(ChangedWeight, ThatThereIsNotIsRefused) {
  const auto refused = [](Cell cell, const std::string& change, const std::string& why) {
    return fails_with(ErrorCode::kUsage, why, [&] {
      PictureRequest request = picture_of("unrolled", tiny_model(cell, tiny_characters()), "abc");
      request.options.change = change;
      static_cast<void>(draw(request));
    });
  };
  for (const char* const words :
       {"", "W", "W,1,2", "W,1,2,x", "Q,1,2,3", "W,1,2,3,4", "V1,1,2,3", "W1x,1,2,3", "W,1.5,2,3"}) {
    EXPECT_TRUE(refused(Cell::kLstm, words, "expected a matrix")) << words;
  }
  EXPECT_TRUE(refused(Cell::kLstm, "W,28,0,1", "rows 0 to 27 and columns 0 to 6"));
  EXPECT_TRUE(refused(Cell::kLstm, "W,-1,0,1", "rows 0 to 27"));
  EXPECT_TRUE(refused(Cell::kLstm, "W2,0,0,1", "`change` names layer 2"));
  EXPECT_TRUE(refused(Cell::kLstm, "W,0,0,nan", "finite"));
  EXPECT_TRUE(refused(Cell::kLstm, "W,0,0,1e39", "finite"));
  EXPECT_TRUE(refused(Cell::kRnnRelu, "W,0,0,3e38", "makes the network overflow"));
  EXPECT_TRUE(refused(Cell::kMinGru, "W,0,0,1", "this cell does not have"));
}

}  // namespace
}  // namespace unroll
