#include "dist/collect.h"

#include <gtest/gtest.h>

#include "support/thread_ranks.h"

namespace unroll {
namespace {

TEST(Collect, EveryRankLearnsAllValuesAndTexts) {
  for (const int P : {1, 2, 3, 5}) {
    const std::vector<std::string> errors = run_ranks(P, [&](Ranks& ranks) {
      const std::vector<int> values = values_of_ranks(ranks, 10 * ranks.rank());
      const std::vector<std::string> texts =
          texts_of_ranks(ranks, std::string(static_cast<std::size_t>(ranks.rank()), 'x'));
      for (int rank = 0; rank < P; ++rank) {
        const auto at = static_cast<std::size_t>(rank);
        EXPECT_EQ(values.at(at), 10 * rank);
        EXPECT_EQ(texts.at(at), std::string(at, 'x'));
      }
      EXPECT_EQ(value_of_first(ranks, ranks.rank() + 7), 7);
      EXPECT_EQ(any_of_ranks(ranks, ranks.rank() == P - 1), true);
      EXPECT_EQ(any_of_ranks(ranks, false), false);
    });
    EXPECT_EQ(errors, std::vector<std::string>(static_cast<std::size_t>(P)));
  }
}

TEST(Collect, AnErrorOfOneRankIsThrownByAll) {
  const std::vector<std::string> errors = run_ranks(3, [](Ranks& ranks) {
    together(ranks, [] {});
    together(ranks, [&] {
      if (ranks.rank() > 0) throw Error(ErrorCode::kFile, "no file " + std::to_string(ranks.rank()), "text.paths");
    });
  });
  EXPECT_EQ(errors, std::vector<std::string>(3, "rank 1 on thread1: no file 1"));
}

TEST(Collect, TheErrorKeepsItsCodeAndField) {
  run_ranks(2, [](Ranks& ranks) {
    try {
      together(ranks, [&] {
        if (ranks.rank() == 0) throw Error(ErrorCode::kFormat, "broken", "run.lr");
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat);
      EXPECT_EQ(error.field(), "run.lr");
      EXPECT_STREQ(error.what(), "broken");
    }
  });
}

}  // namespace
}  // namespace unroll
