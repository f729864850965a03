// What pictures show and say where something grows, is out of sight, or cannot be compared.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "draw/drawn.h"
#include "draw/picture.h"
#include "draw/pictures/gradient.h"
#include "draw/shown.h"
#include "model/model_file.h"
#include "support/error_of.h"
#include "support/linear_model.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

TEST(UnrolledPictureLimits, AStepThatIsNotShownHasNoArrows) {
  PictureRequest request = picture_of("unrolled", tiny_model(Cell::kLstm, tiny_characters()), random_text(90, 2));
  request.options.at = 3;
  request.options.from = 50;
  const Picture before = draw(request);
  EXPECT_EQ(count_of(before.svg, "data-lag"), 0U);
  EXPECT_NE(before.sentence.find("step 3, whose gradient would go back, comes before them"), std::string::npos);
  request.options.at = 80;
  request.options.from = 10;
  const Picture after = draw(request);
  EXPECT_EQ(count_of(after.svg, "data-lag"), 39U);  // between the 40 columns
  EXPECT_EQ(count_of(after.svg, "data-t=\"80\""), 0U);
}

TEST(UnrolledPictureLimits, AGradientThatGrowsIsSaidAndDrawnSo) {
  PictureRequest request = picture_of("unrolled", linear_model(1.5), "abcdef");
  request.options.at = 5;
  const Picture picture = draw(request);
  const std::vector<double> left = column_of(picture, "gradient left");
  EXPECT_GT(left.front(), 1.1);
  EXPECT_GT(count_of(picture.svg, "back grown"), 2U);
  EXPECT_NE(picture.sentence.find(" has grown to " + share_left(left.front()) + " of its size at step 0"),
            std::string::npos)
      << picture.sentence;
  request.options.truncate = 2;
  EXPECT_NE(draw(request).sentence.find("at step 4, where it is cut off"), std::string::npos);
}

// The heights of the first curve of a step, from left to right.
std::vector<double> curve_of(Cell cell) {
  const std::string svg = draw(picture_of("step", tiny_model(cell, tiny_characters()), "abc")).svg;
  const std::size_t begin = svg.find("<polyline");
  const std::string curve = svg.substr(begin, svg.find("/>", begin) - begin);
  std::vector<double> heights;
  for (std::size_t at = curve.find(','); at != std::string::npos; at = curve.find(',', at + 1)) {
    heights.push_back(std::stod(curve.substr(at + 1)));
  }
  return heights;
}

TEST(StepPictureLimits, ACurveWithoutBoundsGoesOn) {
  const std::vector<double> relu = curve_of(Cell::kRnnRelu);
  const std::vector<double> tanh = curve_of(Cell::kRnnTanh);
  ASSERT_GT(relu.size(), 4U);
  EXPECT_LT(relu.back(), relu[relu.size() - 2] - 0.3);
  EXPECT_NEAR(tanh.back(), tanh[tanh.size() - 2], 0.3);
}

TEST(SurprisalPictureLimits, ComparesWhatCanBeCompared) {
  PictureRequest request = picture_of("surprisal", tiny_model(Cell::kGru, tiny_characters()), "the old dog");
  request.models.front().name = "here/m.safetensors";
  request.models.push_back({.name = "there/m.safetensors", .model = tiny_model(Cell::kGru, tiny_words())});
  const Picture picture = draw(request);  // letters that the first does not know
  EXPECT_EQ(std::get<std::string>(fact_of(picture, "comparison")), "these totals of two models are not comparable");
  EXPECT_EQ(std::get<std::string>(fact_of(picture, "1 name")), "here/m.safetensors");
  request.models.pop_back();
  request.options.second = random_text(5000, 1);
  EXPECT_EQ(std::get<std::string>(fact_of(draw(request), "comparison")), "parts of texts are not compared");
}

TEST(SoftmaxPictureLimits, OfTemperatureZeroSaysWhatCannotCome) {
  PictureRequest request = picture_of("softmax", tiny_model(Cell::kLstm, tiny_characters()), "abc");
  request.options.temperature = 0;
  for (std::int64_t at = 0; at < 3; ++at) {
    request.options.at = at;
    EXPECT_EQ(draw(request).sentence.find("inf"), std::string::npos);
  }
}

TEST(TruncationPictureLimits, NeedsAPrediction) {
  const NetworkConfig config = tiny_config(Cell::kGru, tiny_characters());
  const Model model(std::make_shared<const Model::Data>(Model::Data{
      config, tiny_characters(), {}, ModelWeights(random_parameters(config, 0.7F, 3)), BeginPolicy::kNone}));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no symbol is predicted",
                         [&] { static_cast<void>(draw(picture_of("truncation", model, "a"))); }));
}

// A line of a flow whose medians are a function of the lag.
template <class Median>
FlowLine line_of(std::int64_t lags, double per_step, Median median) {
  FlowLine line{.per_step = per_step};
  for (std::int64_t lag = 0; lag <= lags; ++lag) {
    line.lags.push_back({.lag = lag, .count = 1, .median = median(static_cast<double>(lag))});
  }
  return line;
}

TEST(FlowWords, SayWhetherALineIsStraightBentOrGrows) {
  EXPECT_EQ(flow_words(line_of(30, 0.5, [](double lag) { return std::pow(0.5, lag); })),
            "x0.5 per step: half gone after 1.0 steps, 1e-5 after 17");
  EXPECT_EQ(flow_words(line_of(60, 0.95, [](double lag) { return lag < 1 ? 1.0 : 1e-4 * std::pow(0.95, lag); })),
            "x0.95 per step on average: half gone after 0.1 steps, 1e-5 after 45");
  EXPECT_EQ(flow_words(line_of(10, 2, [](double lag) { return std::pow(2, lag); })),
            "x2 per step: grown to 1.02e+03 after 10 steps");
  EXPECT_EQ(flow_words(line_of(1, 0.9, [](double lag) { return std::pow(0.9, lag); })),
            "x0.9 per step: more than half is left after 1 step");
}

TEST(ShownNames, TellPathsApart) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(shown_names({"a/m", "b/n"}), (Names{"m", "n"}));
  EXPECT_EQ(shown_names({"x/a/m", "x/b/m", "n"}), (Names{"a/m", "b/m", "n"}));
  EXPECT_EQ(shown_names({"m", "a/m"}), (Names{"m", "a/m"}));
  EXPECT_EQ(shown_names({"a/m", "a/m"}), (Names{"m", "m"}));
}

}  // namespace
}  // namespace unroll
