// The files of a run: which it refuses to touch, and what is left of one that is stopped at an awkward moment.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_claim.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/train.h"

namespace unroll {
namespace {

class TrainFiles : public SmallRun {
 protected:
  // Trains, but stops when the count of the observer's calls during validation reaches `calls`.
  TrainResult stopped_in_validation(const TrainOptions& options, int calls, std::vector<StepReport>* reports) {
    int seen = 0;
    return train(options, {.on_plan = [&](const TrainPlan& plan) { EXPECT_EQ(plan.first_step, std::ssize(*reports)); },
                           .on_step = [&](const StepReport& report) { reports->push_back(report); },
                           .on_validation = [&](std::int64_t, std::int64_t) { ++seen; },
                           .stop_requested = [&] { return seen == calls; }});
  }

  static void expect_same(const StepReport& a, const StepReport& b) {
    EXPECT_EQ(a.step, b.step);
    EXPECT_EQ(a.tokens, b.tokens);
    EXPECT_EQ(a.nats_per_token, b.nats_per_token);
    EXPECT_EQ(a.lr, b.lr);
    EXPECT_EQ(a.grad_norm, b.grad_norm);
    EXPECT_EQ(a.valid_nats_per_token, b.valid_nats_per_token);
    EXPECT_EQ(a.average_valid_nats_per_token, b.average_valid_nats_per_token);
  }

  void expect_refused(const TrainOptions& options, const std::string& path) {
    const std::string before = bytes_of(path);
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, path, [&] { train(options); }));
    EXPECT_EQ(bytes_of(path), before);
  }
};

TEST_F(TrainFiles, ARunThatIsStoppedDuringValidationValidatesWhenItIsResumed) {
  TrainOptions options = small("whole");
  options.run.average = Average::kEma;
  options.run.schedule = Schedule::kPlateau;
  options.run.validate_every = 8;
  options.files.overwrite = true;
  std::vector<StepReport> whole_reports;
  const std::string whole =
      trained(options, {.on_step = [&](const StepReport& report) { whole_reports.push_back(report); }});
  options.files.save = folder_.path("parts");
  std::vector<StepReport> reports;
  TrainResult result;
  int stops = 0;
  // The second call is that of the averaged weights.
  for (int calls : {1, 2, 3, 2, 1, 1}) {
    result = stopped_in_validation(options, calls, &reports);
    stops += result.interrupted ? 1 : 0;
    options.files.overwrite = false;
    options.files.resume = true;
    EXPECT_TRUE(!result.interrupted || result.steps % 8 == 0) << result.steps;
  }
  EXPECT_GE(stops, 4);
  if (result.interrupted) result = stopped_in_validation(options, -1, &reports);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(bytes_of(options.files.save), whole);
  ASSERT_EQ(reports.size(), whole_reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) expect_same(reports[i], whole_reports[i]);
}

TEST_F(TrainFiles, ARunThatIsStoppedWhileItMeasuresLeavesNothing) {
  TrainOptions options = small("m");
  for (const int wanted : {1, 2, 3}) {
    int calls = 0;
    const TrainResult result = train(options, {.stop_requested = [&] { return ++calls == wanted; }});
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.steps, 0);
    EXPECT_FALSE(std::filesystem::exists(options.files.save));
    EXPECT_FALSE(std::filesystem::exists(options.files.save + ".resume"));
  }
  EXPECT_FALSE(train(options).interrupted);
}

TEST_F(TrainFiles, WhatARunReadsIsNeverReplaced) {
  TrainOptions options = small("m");
  options.files.overwrite = true;
  const std::string text = options.text.paths.at(0);
  options.files.save = text;
  expect_refused(options, text);
  std::filesystem::create_hard_link(text, folder_.path("hard"));
  std::filesystem::create_symlink(text, folder_.path("link"));
  for (const char* name : {"hard", "link"}) {
    options.files.save = folder_.path(name);
    expect_refused(options, text);
  }
  std::filesystem::copy(text, folder_.path("m.resume"));
  options = small("m");
  options.files.overwrite = true;
  options.text.paths = {folder_.path("m.resume")};
  expect_refused(options, folder_.path("m.resume"));
  options.text.paths = {text};
  options.text.valid = folder_.path("m.resume");
  expect_refused(options, folder_.path("m.resume"));
  std::filesystem::remove(folder_.path("m.resume"));
  options.text.valid.clear();
  trained(options);
  options.files.from = options.files.save;
  expect_refused(options, options.files.save);
}

TEST_F(TrainFiles, AFileThatOnlyHasTheNameOfAResumeFileIsKept) {
  TrainOptions options = small("m");
  options.files.overwrite = true;
  const std::string path = folder_.path("m.resume");
  for (const char* content : {"my career so far", ""}) {
    write_bytes(path, content);
    expect_refused(options, path);
  }
  std::filesystem::remove(path);
  bool stepped = false;
  train(options, {.on_step = [&](const StepReport&) { stepped = true; }, .stop_requested = [&] { return stepped; }});
  // One of its own is replaced, even if it is damaged.
  const std::string saved = bytes_of(path);
  write_bytes(path, saved.substr(0, saved.size() / 2));
  EXPECT_FALSE(train(options).interrupted);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TrainFiles, ANameThatIsTooLongIsRefusedBeforeTheTextIsRead) {
  TrainOptions options = small(std::string(245, 'n'));
  options.text.paths = {folder_.path("missing")};
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "File name too long", [&] { train(options); }));
  options.files.save = folder_.path("absent/m");
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "absent/m", [&] { train(options); }));
}

TEST_F(TrainFiles, OneRunAtATimeWritesToTheEndOfLinks) {
  TrainOptions options = small("m");
  std::filesystem::create_symlink("m", folder_.path("link"));
  options.files.save = folder_.path("link");
  const FileClaim claim(folder_.path("m"));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "another process", [&] { train(options); }));
}

}  // namespace
}  // namespace unroll
