// The course of training runs: kept in bounded memory, read from logs, drawn.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "draw/pictures/curves.h"
#include "draw/run_curves.h"
#include "draw/run_log.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

StepReport step(std::int64_t number, double nats) {
  return {.step = number, .tokens = 10 * number, .nats_per_token = nats, .lr = 0.1, .grad_norm = 2, .tokens_per_s = 50};
}

TEST(RunCurves, KeepsAllOfALongRunInBoundedMemory) {
  constexpr std::int64_t kSteps = 5000;
  RunCurves curves;
  double sum = 0;
  for (std::int64_t i = 1; i <= kSteps; ++i) {
    StepReport report = step(i, i == 4321 ? 9.0 : 1 + static_cast<double>(i % 7));
    if (i % 2 == 0) report.valid_nats_per_token = i == 3000 ? 0.5 : 2.0;
    sum += report.nats_per_token;
    curves.add(report);
  }
  EXPECT_LE(curves.bins().size(), 512U);
  EXPECT_GT(curves.bins().size(), 256U);
  EXPECT_LE(curves.validations().size(), 512U);
  double nats = 0;
  double tokens = 0;
  double seconds = 0;
  double most = 0;
  std::int64_t next = 1;
  for (const StepBin& bin : curves.bins()) {
    EXPECT_EQ(bin.first, next);
    EXPECT_EQ(bin.count, bin.last - bin.first + 1);
    next = bin.last + 1;
    nats += bin.nats_sum;
    tokens += bin.tokens;
    seconds += bin.seconds;
    most = std::max(most, bin.most_nats);
  }
  EXPECT_EQ(next, kSteps + 1);
  EXPECT_DOUBLE_EQ(nats, sum);
  EXPECT_DOUBLE_EQ(tokens, 10.0 * kSteps);
  EXPECT_NEAR(tokens / seconds, 50, 1e-9);
  EXPECT_EQ(most, 9);
  const auto best = std::ranges::min_element(curves.validations(), {}, &ValidationPoint::nats);
  EXPECT_EQ(best->step, 3000);
}

TEST(RunCurves, SmoothingKeepsAStraightLineUpToItsEnd) {
  RunCurves curves;
  for (std::int64_t i = 1; i <= 400; ++i) curves.add(step(i, 0.5 * static_cast<double>(i)));
  const std::vector<SmoothStep> smooth = smoothed(curves.bins());
  ASSERT_EQ(smooth.size(), 400U);
  EXPECT_NEAR(smooth.back().nats, 0.5 * (400 - 2.5), 1e-9);
  for (std::size_t i = 0; i < 395; ++i) EXPECT_NEAR(smooth[i].nats, 0.5 * static_cast<double>(i + 1), 1e-9);
}

TEST(RunLog, IsReadAsFarAsItsLinesAreWhole) {
  const TemporaryFolder folder;
  const std::string path = folder.path("book.jsonl");
  write_bytes(path, R"({"step":1,"tokens":8,"nats_per_token":4.5,"lr":0.1,"grad_norm":2,"tokens_per_s":null})"
                    "\n"
                    R"({"step":2,"tokens":16,"nats_per_token":4,"lr":0.1,"grad_norm":2,"tokens_per_s":9,)"
                    R"("valid_nats_per_token":3,"average_valid_nats_per_token":2.5})"
                    "\n"
                    R"({"step":2,"sample":"a \"b\"\n"})"
                    "\n"
                    R"({"step":3,"tok)");
  const LoggedRun run = read_run_log(path);
  EXPECT_EQ(run.name, "book");
  ASSERT_EQ(run.curves.bins().size(), 2U);
  EXPECT_EQ(run.curves.bins()[0].seconds, 0);
  EXPECT_EQ(run.curves.bins()[1].nats(), 4);
  ASSERT_EQ(run.curves.validations().size(), 1U);
  EXPECT_EQ(run.curves.validations()[0].nats, 2.5);
  ASSERT_EQ(run.samples.size(), 1U);
  EXPECT_EQ(run.samples[0].text, "a \"b\"\n");
}

TEST(RunLog, NamesTheFirstLineThatIsNoLogs) {
  const TemporaryFolder folder;
  const std::string path = folder.path("log");
  for (const char* const line : {"dear diary", "{}", "[1]", R"({"step":"1"})", R"({"step":1,"sample":2})"}) {
    write_bytes(path, std::string(line) + "\n");
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 1", [&] { static_cast<void>(read_run_log(path)); })) << line;
  }
  write_bytes(path, "");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no step", [&] { static_cast<void>(read_run_log(path)); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kFile, "nowhere", [&] { static_cast<void>(read_run_log(folder.path("nowhere"))); }));
}

TEST(Curves, ShowEachRunInEachPanelThatItHasNumbersFor) {
  RunCurves with_validation;
  RunCurves without;
  for (std::int64_t i = 1; i <= 20; ++i) {
    StepReport report = step(i, 3 - 0.1 * static_cast<double>(i));
    without.add(report);
    if (i % 10 == 0) report.valid_nats_per_token = 1.5;
    with_validation.add(report);
  }
  const std::vector<NamedRun> runs{{.name = "<img onerror=x>", .curves = &with_validation},
                                   {.name = "other", .curves = &without}};
  const Picture picture = curves_picture(runs, false);
  for (const char* const title : {"Training loss", "Held-out loss", "Learning rate", "Gradient norm", "Speed"}) {
    EXPECT_NE(picture.svg.find(title), std::string::npos) << title;
  }
  EXPECT_EQ(picture.svg.find("accuracy"), std::string::npos);
  EXPECT_EQ(picture.svg.find("<img"), std::string::npos);
  EXPECT_EQ(picture.svg.find("style"), std::string::npos);
  EXPECT_NE(picture.sentence.find("best held-out loss 1.5000 at step 10 of 20"), std::string::npos) << picture.sentence;
  EXPECT_EQ(picture.table.rows.size(), 40U);
  EXPECT_EQ(curve_panels(runs, false).size(), 5U);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "7 runs",
                         [&] { static_cast<void>(curves_picture(std::vector<NamedRun>(7, runs.front()), false)); }));
  const RunCurves nothing;
  EXPECT_NE(curves_picture({{.name = "new", .curves = &nothing}}, true).svg.find("no step yet"), std::string::npos);
}

}  // namespace
}  // namespace unroll
