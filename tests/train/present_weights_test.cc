// Models of a run in progress.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/small_run.h"
#include "unroll/generator.h"
#include "unroll/train.h"

namespace unroll {
namespace {

std::string text_of(const Model& model) {
  std::string text;
  Generator(model).write("th", 20, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

class PresentWeights : public SmallRun {};

TEST_F(PresentWeights, WriteWhatTheSavedModelWritesAndChangeNoBitOfIt) {
  TrainOptions options = small("alone");
  options.text.valid_split = 0;  // the last weights become the model
  const std::string alone = trained(options);
  options.files.save = folder_.path("shown");
  std::vector<std::int64_t> steps;
  std::string last;
  const std::string shown =
      trained(options, {.on_weights = [&](std::int64_t step, const std::function<Model()>& present) {
                steps.push_back(step);
                last = text_of(present());
              }});
  EXPECT_EQ(shown, alone);
  EXPECT_EQ(last, text_of(Model::load(options.files.save)));
  ASSERT_FALSE(steps.empty());
  for (std::size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], std::int64_t(i));
}

TEST_F(PresentWeights, AreThoseOfTheSameStepsWhenARunIsResumed) {
  TrainOptions options = small("whole");
  std::vector<std::pair<std::int64_t, std::string>> whole;
  const auto keep = [](std::vector<std::pair<std::int64_t, std::string>>& texts) {
    return [&texts](std::int64_t step, const std::function<Model()>& present) {
      texts.emplace_back(step, text_of(present()));
    };
  };
  train(options, {.on_weights = keep(whole)});
  options.files.save = folder_.path("parts");
  std::vector<std::pair<std::int64_t, std::string>> parts;
  train(options, {.on_weights = keep(parts), .stop_requested = [&] { return parts.size() == 5; }});
  ASSERT_EQ(parts.size(), 5U);
  options.files.resume = true;
  std::vector<std::pair<std::int64_t, std::string>> rest;
  train(options, {.on_weights = keep(rest)});
  ASSERT_FALSE(rest.empty());
  EXPECT_EQ(rest.front(), parts.back());  // the weights that the run begins with
  parts.insert(parts.end(), rest.begin() + 1, rest.end());
  EXPECT_EQ(parts, whole);
}

}  // namespace
}  // namespace unroll
