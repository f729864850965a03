#include "text/ids.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "text/batcher.h"
#include "text/reading.h"

namespace unroll {
namespace {

// Ids in a file, `width` bytes each, behind 8 bytes of something else.
class StoredIdsTest : public testing::Test {
 protected:
  Ids stored(const std::vector<std::int64_t>& numbers, int width, std::int32_t symbols, bool line_ends = false) {
    std::string bytes = "12345678";
    for (const std::int64_t number : numbers) {
      for (int i = 0; i < width; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
    }
    write_bytes(folder_.path("x"), bytes);
    const StoredIds layout{
        .offset = 8, .count = numbers.size(), .width = width, .symbols = symbols, .line_ends = line_ends};
    return {std::make_shared<const MappedIds>(MappedFile(folder_.path("x")), "'x'", layout), 0, numbers.size()};
  }

  TemporaryFolder folder_;
};

std::vector<std::int32_t> copied(const IdView& ids) {
  std::vector<std::int32_t> room;
  const std::span<const std::int32_t> span = ids.in_memory(room);
  return {span.begin(), span.end()};
}

TEST_F(StoredIdsTest, AreReadInBothWidths) {
  for (const int width : {2, 4}) {
    const Ids ids = stored({0, 300, 65534, 7}, width, 65535);
    EXPECT_EQ(copied(ids.view()), (std::vector<std::int32_t>{0, 300, 65534, 7}));
    EXPECT_EQ(copied(ids.view().first(2)), (std::vector<std::int32_t>{0, 300}));
    ids.forget();
    EXPECT_EQ(ids.view()[2], 65534);
  }
  EXPECT_EQ(stored({70000}, 4, 70001).view()[0], 70000);
}

TEST_F(StoredIdsTest, LineEndsHaveAllBitsSetAndOnlyWhereTheyMayBe) {
  for (const int width : {2, 4}) {
    EXPECT_EQ(stored({1, -1}, width, 5, true).view()[1], kNoSymbol);
    const Ids ids = stored({1, -1}, width, 5);
    EXPECT_TRUE(
        fails_with(ErrorCode::kFormat,
                   "'x': id number 2 is -1: expected one below 5, the size of its vocabulary; the file is damaged",
                   [&] { static_cast<void>(ids.view()[1]); }));
  }
}

TEST_F(StoredIdsTest, ANumberThatIsNoIdIsRefusedWhereItIsRead) {
  const Ids ids = stored({4, 5, 3000000000}, 4, 5);
  EXPECT_EQ(ids.view()[0], 4);
  for (const std::size_t position : {1U, 2U}) {
    EXPECT_TRUE(
        fails_with(ErrorCode::kFormat, "expected one below 5", [&] { static_cast<void>(ids.view()[position]); }));
  }
  std::vector<std::int32_t> room;
  EXPECT_TRUE(
      fails_with(ErrorCode::kFormat, "id number 2 is 5", [&] { static_cast<void>(ids.view().in_memory(room)); }));
}

TEST_F(StoredIdsTest, HaveTheWindowsOfIdsInMemory) {
  const std::vector<std::int64_t> numbers{3, 1, 0, 2, 2, 0, 4, 1, 1, 0, 3};
  const std::vector<std::int32_t> memory(numbers.begin(), numbers.end());
  const Ids file = stored(numbers, 2, 5);
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    for (const BeginPolicy begin : {BeginPolicy::kBoundary, BeginPolicy::kNone}) {
      const Reading reading{.boundary = 0, .state = state, .begin = begin};
      EXPECT_EQ(count_predictions(reading, file.view()), count_predictions(reading, memory));
      const Batcher here(memory, reading, equal_pieces(std::ssize(memory), 3), 2);
      const Batcher there(file.view(), reading, equal_pieces(std::ssize(memory), 3), 2);
      for (std::int64_t i = 0; i < here.windows(); ++i) {
        Window expected;
        Window found;
        here.window(i, expected);
        there.window(i, found);
        EXPECT_EQ(found.inputs, expected.inputs);
        EXPECT_EQ(found.targets, expected.targets);
        EXPECT_EQ(found.reset, expected.reset);
      }
    }
  }
}

TEST(Ids, InMemoryAreViewedWithoutACopy) {
  const Ids ids(std::vector<std::int32_t>{5, 6, 7});
  std::vector<std::int32_t> room;
  const std::span<const std::int32_t> span = ids.view().in_memory(room);
  EXPECT_TRUE(room.empty());
  EXPECT_EQ(span.size(), 3U);
  EXPECT_FALSE(ids.mapped());
  const Ids copy = ids;  // views its own
  EXPECT_NE(copy.view().in_memory(room).data(), span.data());
  EXPECT_EQ(copied(copy.view()), (std::vector<std::int32_t>{5, 6, 7}));
}

TEST(IdHash, DependsOnIdsTheirOrderAndTheCut) {
  const auto hash = [](const std::vector<std::int32_t>& first, const std::vector<std::int32_t>& second) {
    IdHash sum;
    for (const std::int32_t id : first) sum.add(id);
    IdHash rest(sum.end_part());
    for (const std::int32_t id : second) rest.add(id);
    return rest.end_part();
  };
  EXPECT_EQ(hash({1, 2}, {3}), hash({1, 2}, {3}));
  EXPECT_NE(hash({1, 2}, {3}), hash({1}, {2, 3}));
  EXPECT_NE(hash({1, 2}, {3}), hash({2, 1}, {3}));
  EXPECT_NE(hash({1, 2}, {3}), hash({1, 2}, {}));
}

}  // namespace
}  // namespace unroll
