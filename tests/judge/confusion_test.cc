#include "unroll/judge/confusion.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "base/file.h"
#include "judge/random_labels.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

TEST(Confusion, CountsPairs) {
  const std::vector<std::int32_t> right = random_labels(5, 200, 6);
  const std::vector<std::int32_t> answers = random_answers(6, right, 6, 0.5);
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> counted;
  for (std::size_t i = 0; i < right.size(); ++i) ++counted[{right[i], answers[i]}];
  const std::vector<ConfusionCell> cells = confusion(right, answers);
  ASSERT_EQ(cells.size(), counted.size());
  auto expected = counted.begin();
  for (const ConfusionCell& cell : cells) {
    EXPECT_EQ(std::pair(cell.right, cell.answer), expected->first);
    EXPECT_EQ(cell.texts, expected->second);
    ++expected;
  }
  EXPECT_TRUE(confusion({}, {}).empty());
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "confusion of 200", [&] { static_cast<void>(confusion(right, {})); }));
}

TEST(Confusion, IsWrittenWithAllLabelsAndQuotes) {
  const TemporaryFolder folder;
  const std::string path = folder.path("confusion.csv");
  const std::vector<std::string> names = {"a", "b, c", "\"d\""};
  write_confusion(path, confusion(std::vector<std::int32_t>{0, 0, 2}, std::vector<std::int32_t>{0, 2, 0}), names);
  EXPECT_EQ(read_file(path), ",a,\"b, c\",\"\"\"d\"\"\"\na,1,0,1\n\"b, c\",0,0,0\n\"\"\"d\"\"\",1,0,0\n");
  EXPECT_TRUE(
      fails_with(ErrorCode::kFile, "nowhere", [&] { write_confusion(folder.path("nowhere/x.csv"), {}, names); }));
}

}  // namespace
}  // namespace unroll
