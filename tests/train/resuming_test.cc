// Which run --resume continues, and which it takes for another one.
#include "train/resuming.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/tensor_file.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/train.h"

namespace unroll {
namespace {

class Resuming : public SmallRun {
 protected:
  // The notes of a run that stops after its first step.
  static std::string notes_of(const TrainOptions& options) {
    std::string notes;
    bool stepped = false;
    train(options, {.on_note = [&](std::string_view note) { notes.append(note) += '\n'; },
                    .on_step = [&](const StepReport&) { stepped = true; },
                    .stop_requested = [&] { return stepped; }});
    return notes;
  }

  static void run_a_step(const TrainOptions& options) { (void)notes_of(options); }

  // Checks that neither a finished run nor one in progress with options `began` goes on as `now`, which `set_up` may
  // prepare by changing files.
  void expect_another_run(
      const TrainOptions& began, TrainOptions now, const std::string& part,
      const std::function<void(bool before)>& set_up = [](bool) {}) {
    now.files.resume = true;
    for (const bool finished : {false, true}) {
      set_up(true);
      TrainOptions first = began;
      first.files.overwrite = true;
      finished ? (void)train(first) : run_a_step(first);
      TrainOptions same = began;
      same.files.resume = true;
      if (finished) {
        EXPECT_TRUE(train(same).already_complete);
      }
      set_up(false);
      EXPECT_TRUE(fails_with(ErrorCode::kUsage, part, [&] { train(now); })) << "finished: " << finished;
    }
  }

  void change_resume_file(const std::string& model,
                          const std::function<void(std::map<std::string, std::string>&)>& edit) {
    const std::string path = model + ".resume";
    TensorFile file(path, {"unroll-resume/1"});
    std::map<std::string, std::string> metadata = file.metadata();
    edit(metadata);
    std::vector<TensorToWrite> tensors;
    for (const StoredTensor& tensor : file.tensors()) {
      tensors.emplace_back(tensor.name, tensor.shape, file.values<float>(tensor.name, tensor.shape));
    }
    write_tensor_file(path, tensors, metadata);
  }
};

TEST_F(Resuming, ATextOfOtherSymbolsWithTheSameIdsIsAnother) {
  const std::string text = some_text();
  std::string capitals = text;
  std::ranges::transform(capitals, capitals.begin(), [](unsigned char c) { return std::toupper(c); });
  std::string misspelt = text;
  for (std::size_t at = 0; (at = misspelt.find("house", at)) != std::string::npos;) misspelt.replace(at, 5, "mouse");
  TrainOptions options = small();
  options.run.steps = 3;
  const auto text_becomes = [&](const std::string& changed) {
    return [&, changed](bool before) { write_bytes(folder_.path("text"), before ? text : changed); };
  };
  expect_another_run(options, options, R"(is "A" now and was "a")", text_becomes(capitals));
  options.tokenizer.kind = TokenizerKind::kWhitespace;
  expect_another_run(options, options, "of the vocabulary is \"", text_becomes(misspelt));
}

TEST_F(Resuming, ATextThatIsShorterIsNamedRatherThanTheBatchThatFitsIt) {
  TrainOptions options = small();
  options.run.steps = 3;
  options.run.batch_size = 500;
  expect_another_run(options, options, "the text is",
                     [&](bool before) { write_bytes(folder_.path("text"), some_text(before ? 60 : 50)); });
}

TEST_F(Resuming, AnotherValidationTextIsAnotherRun) {
  write_bytes(folder_.path("valid"), some_text(10));
  TrainOptions options = small();
  options.run.steps = 3;
  options.text.valid = folder_.path("valid");
  TrainOptions without = options;
  without.text.valid.clear();
  expect_another_run(options, without, "`text.valid` is not set now and was set");
  expect_another_run(without, options, "`text.valid` is set now and was not set");
  expect_another_run(options, options, "the text is",
                     [&](bool before) { write_bytes(folder_.path("valid"), some_text(before ? 10 : 11)); });
}

TEST_F(Resuming, AnotherModelToStartFromIsAnotherRun) {
  TrainOptions start = small("start");
  start.run.steps = 2;
  train(start);
  const std::string first = bytes_of(start.files.save);
  start.run.seed = 2;
  start.files.overwrite = true;
  train(start);
  const std::string second = bytes_of(start.files.save);
  write_bytes(start.files.save, first);
  TrainOptions without = small();
  without.run.steps = 3;
  TrainOptions with = without;
  with.files.from = start.files.save;
  expect_another_run(with, without, "`files.from` is not set now");
  expect_another_run(without, with, "`files.from` is set now");
  expect_another_run(with, with, "the model of `files.from` has the checksum",
                     [&](bool before) { write_bytes(start.files.save, before ? first : second); });
}

TEST_F(Resuming, ARunThatBeganFromAModelBeforeItWasRecordedGoesOn) {
  TrainOptions start = small("start");
  start.run.steps = 2;
  train(start);
  TrainOptions options = small();
  options.files.from = start.files.save;
  const std::string whole = trained(options);
  options.files.overwrite = true;
  run_a_step(options);
  change_resume_file(options.files.save, [](std::map<std::string, std::string>& metadata) {
    std::string& training = metadata.at("training");
    const std::size_t field = training.find(R"("from":")");
    ASSERT_NE(field, std::string::npos);
    training.erase(field, training.find(',', field) + 1 - field);
  });
  const std::string old_file = bytes_of(options.files.save + ".resume");
  TrainOptions without = small();
  without.files.resume = true;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`files.from` is not set now", [&] { train(without); }));
  EXPECT_EQ(bytes_of(options.files.save + ".resume"), old_file);
  options.files.overwrite = false;
  options.files.resume = true;
  EXPECT_FALSE(train(options).interrupted);
}

TEST_F(Resuming, MinutesAfterAFinishedRunOfStepsAreAnsweredByANote) {
  TrainOptions options = small();
  options.run.steps = 3;
  train(options);
  options.files.resume = true;
  EXPECT_EQ(notes_of(options), "");
  options.run.steps.reset();
  options.run.minutes = 60;
  EXPECT_NE(notes_of(options).find("is complete after 3 steps"), std::string::npos);
}

TEST_F(Resuming, MinutesForARunOfStepsInProgressAreAnotherLength) {
  TrainOptions options = small();
  run_a_step(options);
  options.files.resume = true;
  options.run.steps.reset();
  options.run.minutes = 60;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "its length is minutes 60 now", [&] { train(options); }));
}

TEST_F(Resuming, AnotherInstructionSetIsToldAsLongAsItMatters) {
  TrainOptions options = small();
  run_a_step(options);
  options.files.resume = true;
  EXPECT_EQ(notes_of(options).find("rounded in another order"), std::string::npos);
  const std::string present = training_instruction_set();
  change_resume_file(options.files.save,
                     [](std::map<std::string, std::string>& metadata) { metadata.at("instruction_sets") = "other"; });
  EXPECT_NE(notes_of(options).find("\"other\" so far and continues with " + present), std::string::npos);
  EXPECT_NE(notes_of(options).find("\"other; " + present + "\" so far"), std::string::npos);
  change_resume_file(options.files.save,
                     [](std::map<std::string, std::string>& metadata) { metadata.erase("instruction_sets"); });
  EXPECT_EQ(notes_of(options).find("rounded in another order"), std::string::npos);
}

}  // namespace
}  // namespace unroll
