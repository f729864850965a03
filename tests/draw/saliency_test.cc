#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/drawn.h"
#include "draw/picture.h"
#include "support/error_of.h"
#include "support/label_models.h"
#include "support/tiny_model.h"
#include "unroll/look/state_gradients.h"

namespace unroll {
namespace {

TEST(SaliencyPicture, HasTheGradientOfThePredictionBySymbol) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  PictureRequest request = picture_of("saliency", model, "abcdefgh");
  request.options.at = 5;
  const Picture picture = draw(request);
  const UnrolledText text(model, {"abcdefgh\n", "'text'"}, {.threads = 1});
  StateGradients back(text, {{.step = 5}});
  const std::vector<double> shown = column_of(picture, "gradient of the input");
  ASSERT_EQ(shown.size(), 6U);
  for (std::size_t lag = 0; back.next(); ++lag) {
    double squares = 0;
    for (const float d : back.x(0)) squares += std::pow(std::ldexp(static_cast<double>(d), back.exponent(0)), 2);
    EXPECT_NEAR(shown[5 - lag], std::sqrt(squares), 1e-6 * std::sqrt(squares)) << lag;
  }
  EXPECT_EQ(count_of(picture.svg, "symbol-cell predicted"), 1U);
  EXPECT_NE(picture.svg.find("<g class=\"symbol-cell predicted\" data-t=\"6\">"), std::string::npos);
  EXPECT_EQ(count_of(picture.svg, "data-t="), 10U);  // the end of the line before, eight letters, the end of this one
  EXPECT_TRUE(
      picture.sentence.starts_with("The prediction of \xE2\x80\x9C"
                                   "f\xE2\x80\x9D rests most on "))
      << picture.sentence;
}

TEST(SaliencyPicture, AllSymbolsBeforeCountOrSomeAreTooFar) {
  PictureRequest request = picture_of("saliency", tiny_model(Cell::kLstm, tiny_characters()), random_text(700, 4));
  request.options.at = 1;
  EXPECT_TRUE(draw(request).sentence.ends_with("; all symbols before it count")) << draw(request).sentence;
  request.options.at = 650;
  const Picture picture = draw(request);
  EXPECT_NE(picture.sentence.find("by less than a thousandth of that"), std::string::npos) << picture.sentence;
  EXPECT_GT(picture.table.rows.size(), 300U);  // more than are shown
}

TEST(SaliencyPicture, OfALongTextTheSymbolsAroundThePredictionAreShown) {
  PictureRequest request = picture_of("saliency", tiny_model(Cell::kGru, tiny_characters()), random_text(900, 4));
  request.options.at = 500;
  const Picture picture = draw(request);
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "first")), 221);
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "last")), 520);
  request.options.at = 3;
  request.options.from = 400;
  EXPECT_EQ(count_of(draw(request).svg, "symbol-cell predicted"), 0U);
}

TEST(SaliencyPicture, IsOfLanguageModels) {
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "language model",
                         [&] { static_cast<void>(draw(picture_of("saliency", animals_model(), "the cat"))); }));
}

}  // namespace
}  // namespace unroll
