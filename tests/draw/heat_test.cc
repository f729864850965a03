#include <string>
#include <utility>
#include <vector>

#include "draw/drawn.h"
#include "support/error_of.h"
#include "unroll/look/untrained.h"

namespace unroll {
namespace {

// So many symbols, each step of which reads the one before.
std::string long_text(std::size_t symbols) {
  std::string text;
  while (text.size() < symbols) text += "abcde abd ";
  return text.substr(0, symbols);
}

PictureRequest heat_of(const std::string& name, std::size_t symbols) {
  PictureRequest request = picture_of(name, tiny_model(Cell::kLstm, tiny_characters()), long_text(symbols));
  request.options.unit = 2;
  request.options.units = {4, 2};
  return request;
}

std::pair<std::int64_t, std::int64_t> shown_by(const PictureRequest& request) {
  const Picture picture = draw(request);
  return {std::get<std::int64_t>(fact_of(picture, "first")), std::get<std::int64_t>(fact_of(picture, "last"))};
}

TEST(HeatPictures, OfALongTextShowTheSameSteps) {
  using Steps = std::pair<std::int64_t, std::int64_t>;
  for (const char* const name : {"neurons", "gates"}) {
    PictureRequest request = heat_of(name, 10'000);
    request.options.at = 7;
    EXPECT_EQ(shown_by(request), Steps(0, 199)) << name;
    request.options.at = 5'000;
    EXPECT_EQ(shown_by(request), Steps(4'801, 5'000)) << name;
    request.options.from = 4'990;
    EXPECT_EQ(shown_by(request), Steps(4'990, 5'189)) << name;
    request.options.from = 99'999;
    request.options.at = 10'000;
    EXPECT_EQ(shown_by(request), Steps(9'801, 10'000)) << name;
    request.options.at = 10'001;
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`at` is 10001: the text has the steps 0 to 10000",
                           [&] { static_cast<void>(draw(request)); }));
  }
  EXPECT_EQ(shown_by(heat_of("neurons", 500)), Steps(0, 199));
}

TEST(HeatPictures, NameTheUnitOfEachRowAndCell) {
  const Picture picture = draw(heat_of("neurons", 20));
  EXPECT_EQ(count_of(picture.svg, "<text x=\"76\" y=\"75\" class=\"small end\" data-unit=\"4\">unit 4</text>"), 1U);
  EXPECT_EQ(count_of(picture.svg, "data-unit=\"4\""), 1U + 21);
  EXPECT_EQ(count_of(picture.svg, "data-unit=\"2\""), 1U + 21);
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "at")), 20);
  EXPECT_EQ(count_of(draw(heat_of("gates", 20)).svg, "data-unit"), 0U);
}

TEST(HeatPictures, FrameTheStepAndMarkTheSelection) {
  for (const char* const name : {"neurons", "gates"}) {
    PictureRequest request = heat_of(name, 20);
    request.options.at = 9;
    request.options.selection = {3, 6};
    const Picture picture = draw(request);
    EXPECT_EQ(count_of(picture.svg, "class=\"step at\" data-t=\"9\""), 1U) << name;
    EXPECT_EQ(count_of(picture.svg, "class=\"selection\""), 4U) << name;
    for (const std::vector<std::int64_t>& none : {std::vector<std::int64_t>{3}, {6, 3}, {1, 2, 3}}) {
      request.options.selection = none;
      EXPECT_TRUE(
          fails_with(ErrorCode::kUsage, "`selection`: expected two steps", [&] { static_cast<void>(draw(request)); }));
    }
  }
}

// The least x of names that end at their place, each letter as wide as the widest in use.
TEST(HeatPictures, LongNamesOfRowsBeginOnThePage) {
  NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  config.hidden = 1'200;
  config.layers = 1;
  Parameters parameters = random_parameters(config, 0.5F, 3);
  PictureRequest request =
      picture_of("neurons", model_of(config, tiny_characters(), std::move(parameters)), long_text(40));
  request.options.units = {1'199};
  request.options.state = "c";
  const std::string svg = draw(request).svg;
  const std::string before = "class=\"small end\" data-unit=\"1199\">";
  const std::size_t at = svg.find(before);
  ASSERT_NE(at, std::string::npos);
  const std::size_t x = svg.rfind("x=\"", at) + 3;
  const std::string name = svg.substr(at + before.size(), svg.find('<', at + 1) - at - before.size());
  EXPECT_GE(std::stod(svg.substr(x)), 8 + 6.5 * static_cast<double>(name.size() - 1)) << name;  // +- is two bytes
}

TEST(HeatPictures, ReachTheEndOfALongText) {
  PictureRequest request = heat_of("neurons", 16'384);
  request.options.from = 16'300;
  const Picture picture = draw(request);
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "unread_steps")), 1);  // the line end that it was given
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "last")), 16'383);
}

TEST(GradientPicture, TellsTheRadiusOfANetworkBeforeItsTraining) {
  PictureRequest request = picture_of("gradient", tiny_model(Cell::kGru, tiny_characters()), long_text(40));
  const Model tanh = untrained_model(tiny_characters(), {.cell = Cell::kRnnTanh, .hidden = 16, .radius = 1.25});
  request.models.push_back({.name = "before", .model = tanh, .untrained = true});
  EXPECT_NEAR(std::get<double>(fact_of(draw(request), "before radius")), 1.25, 0.01);
}

}  // namespace
}  // namespace unroll
