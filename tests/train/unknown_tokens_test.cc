// How many tokens of its texts the vocabulary of a run lacks.
#include <gtest/gtest.h>

#include <string>

#include "support/small_run.h"
#include "unroll/evaluate.h"

namespace unroll {
namespace {

class UnknownTokens : public SmallRun {
 protected:
  struct Report {
    TrainPlan plan;
    TrainResult result;
    std::string notes;
  };

  Report report(TrainOptions options) {
    Report found;
    options.run.steps = 2;
    options.files.overwrite = true;
    found.result = train(options, {.on_note = [&](std::string_view note) { found.notes.append(note) += '\n'; },
                                   .on_plan = [&](const TrainPlan& plan) { found.plan = plan; }});
    return found;
  }
};

TEST_F(UnknownTokens, AreCountedAndManyOfThemAreWarnedOf) {
  write_bytes(folder_.path("valid"), "zebra okapi\nzebra the\n");
  TrainOptions options = small();
  options.tokenizer.kind = TokenizerKind::kWhitespace;
  options.text.valid = folder_.path("valid");
  const Report found = report(options);
  EXPECT_EQ(found.plan.train_unknown_tokens, 0);
  EXPECT_EQ(found.plan.valid_tokens, 6);
  EXPECT_EQ(found.plan.valid_unknown_tokens, 3);
  EXPECT_EQ(found.result.valid_unknown_tokens, 3);
  EXPECT_NE(found.notes.find("WARNING: 50.0% of the text to validate on is unknown"), std::string::npos) << found.notes;
  EXPECT_NE(found.notes.find("(3 of 6 tokens)"), std::string::npos) << found.notes;
  const Evaluation evaluation = evaluate(Model::load(options.files.save), {bytes_of(options.text.valid), "valid"});
  EXPECT_EQ(found.plan.valid_unknown_tokens, evaluation.unknown_tokens);

  options.run.steps = 2;
  options.files.resume = true;
  EXPECT_EQ(train(options).valid_unknown_tokens, 3) << "of a finished run";
}

TEST_F(UnknownTokens, OfTheTextToTrainOnAreThoseThatTheVocabularyLeavesOut) {
  TrainOptions options = small();
  options.tokenizer.kind = TokenizerKind::kWhitespace;
  options.tokenizer.vocab_size = 4;
  const Report found = report(options);
  EXPECT_GT(found.plan.train_unknown_tokens, found.plan.train_tokens / 2);
  EXPECT_EQ(found.result.train_unknown_tokens, found.plan.train_unknown_tokens);
  EXPECT_NE(found.notes.find("of the text to train on is unknown"), std::string::npos) << found.notes;
}

TEST_F(UnknownTokens, AFewAreNotWarnedOf) {
  write_bytes(folder_.path("valid"), some_text(40) + "z\n");
  TrainOptions options = small();
  options.text.valid = folder_.path("valid");
  const Report found = report(options);
  EXPECT_EQ(found.plan.valid_unknown_tokens, 1);
  EXPECT_EQ(found.notes.find("WARNING"), std::string::npos) << found.notes;
}

}  // namespace
}  // namespace unroll
