#include "base/warn.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unroll/warning.h"

namespace unroll {
namespace {

TEST(Warn, ReachesTheHandlerThatIsSetAndNothingWithoutOne) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  EXPECT_FALSE(set_warning_handler([&](const std::string& message) { first.push_back(message); }));
  warn("one");
  const WarningHandler before = set_warning_handler([&](const std::string& message) { second.push_back(message); });
  warn("two");
  before("three");
  set_warning_handler({});
  warn("four");
  EXPECT_EQ(first, (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(second, (std::vector<std::string>{"two"}));
}

}  // namespace
}  // namespace unroll
