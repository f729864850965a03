#include "base/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace unroll {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of Random123's own test (kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryPartOfTheAddressChangesTheWords) {
  const Words here = random_words(7, 3, RandomPurpose::kDropout, 2, 5, 11);
  std::set<Words> others{random_words(8, 3, RandomPurpose::kDropout, 2, 5, 11),
                         random_words(7 | std::uint64_t{1} << 40, 3, RandomPurpose::kDropout, 2, 5, 11),
                         random_words(7, 4, RandomPurpose::kDropout, 2, 5, 11),
                         random_words(7, 3, RandomPurpose::kSampling, 2, 5, 11),
                         random_words(7, 3, RandomPurpose::kDropout, 3, 5, 11),
                         random_words(7, 3, RandomPurpose::kDropout, 2, 6, 11),
                         random_words(7, 3, RandomPurpose::kDropout, 2, 5, 12)};
  EXPECT_EQ(others.size(), 7U);
  EXPECT_FALSE(others.contains(here));
}

TEST(Philox, UniformNumbersLieBelowOne) {
  EXPECT_EQ(uniform_float(0), 0.0F);
  EXPECT_LT(uniform_float(0xffffffff), 1.0F);
  EXPECT_LT(uniform_double(0xffffffff, 0xffffffff), 1.0);
  EXPECT_EQ(uniform_double(0x80000000, 0), 0.5);
}

}  // namespace
}  // namespace unroll
