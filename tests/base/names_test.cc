#include "base/names.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace unroll {
namespace {

enum class Colour { kRed, kGreen, kBlue };

constexpr std::string_view name(Colour colour) noexcept {
  switch (colour) {
    case Colour::kRed:
      return "red";
    case Colour::kGreen:
      return "green";
    case Colour::kBlue:
      return "blue";
  }
  return {};
}

TEST(Names, AllValuesAreThoseInTheSwitch) {
  constexpr auto kAll = kAllValues<Colour, name>;
  static_assert(kAll.size() == 3);
  EXPECT_EQ(kAll[0], Colour::kRed);
  EXPECT_EQ(kAll[2], Colour::kBlue);
  EXPECT_EQ(joined_names<Colour>(kAll, name), "red, green, blue");
}

TEST(Names, ParsingIsTheInverseAndListsTheKnownNames) {
  for (const Colour colour : kAllValues<Colour, name>)
    EXPECT_EQ((parse_name<Colour, name>("colour", name(colour))), colour);
  for (const char* unknown : {"", "Red", "re", "redd"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage,
                           "unknown colour '" + std::string(unknown) + "': expected one of red, green, blue",
                           [&] { (void)parse_name<Colour, name>("colour", unknown); }));
  }
}

}  // namespace
}  // namespace unroll
