#include "serve/prompt_cache.h"

#include <gtest/gtest.h>

#include <vector>

namespace unroll {
namespace {

using Ids = std::vector<std::int32_t>;
using Row = std::vector<float>;

Ids ids_from(std::int32_t first, std::size_t count) {
  Ids ids;
  while (ids.size() < count) ids.push_back(first++);
  return ids;
}

// The number of ids that are known, and of their row the first number; -1 if none are.
std::pair<std::int64_t, float> found(PromptCache& cache, const Ids& ids, std::optional<std::int32_t> condition = {}) {
  const std::optional<PromptCache::Found> result = cache.find(condition, ids);
  return result ? std::pair(result->length, result->row.front()) : std::pair(std::int64_t{-1}, 0.0F);
}

TEST(PromptCache, FindsTheLongestBeginning) {
  PromptCache cache(1 << 20);
  EXPECT_EQ(found(cache, {1, 2, 3}).first, -1);
  cache.keep({}, Ids{1, 2}, Row{2});
  cache.keep({}, Ids{1, 2, 3, 4}, Row{4});
  cache.keep({}, Ids{1, 3, 3}, Row{3});
  EXPECT_EQ(found(cache, {1}), std::pair(std::int64_t{-1}, 0.0F));
  EXPECT_EQ(found(cache, {1, 2}), std::pair(std::int64_t{2}, 2.0F));
  EXPECT_EQ(found(cache, {1, 2, 3}), std::pair(std::int64_t{2}, 2.0F));
  EXPECT_EQ(found(cache, {1, 2, 3, 4, 5}), std::pair(std::int64_t{4}, 4.0F));
  EXPECT_EQ(found(cache, {1, 3, 3, 9}), std::pair(std::int64_t{3}, 3.0F));
  EXPECT_EQ(found(cache, {2, 2, 3}).first, -1);
}

TEST(PromptCache, StatesOfLabelsAreApart) {
  PromptCache cache(1 << 20);
  cache.keep({}, Ids{5}, Row{1});
  cache.keep(0, Ids{5}, Row{2});
  cache.keep(1, Ids{5}, Row{3});
  EXPECT_EQ(found(cache, {5}).second, 1);
  EXPECT_EQ(found(cache, {5}, 0).second, 2);
  EXPECT_EQ(found(cache, {5}, 1).second, 3);
  EXPECT_EQ(found(cache, {5}, 2).first, -1);
}

TEST(PromptCache, KeepsWhatWasUsedLastWithinItsMemory) {
  constexpr std::int64_t kBytes = 20000;
  PromptCache cache(kBytes);
  const auto prompt = [](std::int32_t i) { return ids_from(1000 * i, 100); };
  for (std::int32_t i = 0; i < 200; ++i) {
    cache.keep({}, prompt(i), Row(50, static_cast<float>(i)));
    EXPECT_EQ(found(cache, prompt(0)), std::pair(std::int64_t{100}, 0.0F)) << i;  // used each time
    EXPECT_LE(cache.bytes(), kBytes);
  }
  EXPECT_GT(cache.states(), 5);
  EXPECT_LT(cache.states(), 30);
  EXPECT_EQ(found(cache, prompt(199)).second, 199);
  EXPECT_EQ(found(cache, prompt(1)).first, -1);
}

TEST(PromptCache, KeepsAStateOnceAndNoneThatIsTooLarge) {
  PromptCache cache(8000);
  for (int i = 0; i < 5; ++i) cache.keep({}, Ids{1, 2}, Row{7});
  EXPECT_EQ(cache.states(), 1);
  const std::int64_t bytes = cache.bytes();
  cache.keep({}, ids_from(0, 600), Row{7});
  EXPECT_EQ(cache.bytes(), bytes);
  PromptCache none(0);
  none.keep({}, Ids{1, 2}, Row{7});
  EXPECT_EQ(none.states(), 0);
  EXPECT_EQ(none.bytes(), 0);
}

}  // namespace
}  // namespace unroll
