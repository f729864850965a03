#include "text/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace unroll {
namespace {

TEST(Number, ParsesTheWholeFieldOrNothing) {
  EXPECT_EQ(parse_number("-1.5"), -1.5);
  EXPECT_EQ(parse_number("1e-3"), 0.001);
  EXPECT_EQ(parse_number("+1.5"), 1.5);
  EXPECT_EQ(parse_number("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(parse_number("nan").value_or(0)));
  for (const char* field : {"", " 1", "1 ", "+", "+-1", "++1", "+ 1", "1,5", "0x10", "1e", "--1", "one"}) {
    EXPECT_FALSE(parse_number(field)) << field;
  }
}

TEST(Number, TooSmallIsZeroAndTooLargeIsRejected) {
  EXPECT_EQ(parse_number("-1e-330"), 0);
  EXPECT_EQ(parse_number("1E-400"), 0);
  EXPECT_FALSE(parse_number("1e400"));
  EXPECT_FALSE(parse_number(std::string(400, '9') + "e-5"));  // large despite its exponent
}

}  // namespace
}  // namespace unroll
