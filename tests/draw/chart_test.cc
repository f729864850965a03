#include "draw/chart.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "draw/pictures/curves.h"
#include "draw/run_curves.h"

namespace unroll {
namespace {

// What stands at the left of a picture's lines across.
std::vector<std::string> numbers_at_the_left(const std::string& svg) {
  std::vector<std::string> numbers;
  const std::string begin = "class=\"small end\">";
  for (std::size_t at = svg.find(begin); at != std::string::npos; at = svg.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    numbers.push_back(svg.substr(from, svg.find('<', from) - from));
  }
  return numbers;
}

TEST(Chart, NoTwoTicksHaveTheSameNumber) {
  const std::vector<std::pair<double, double>> ranges{{1.0901, 1.0905}, {0, 1}, {99999, 100001}, {3, 3.0001}};
  for (const auto& [from, to] : ranges) {
    const Plane plane{.width = 100, .height = 100, .bottom = from, .top = to};
    Svg svg;
    draw_grid(svg, plane, "x", "y");
    const std::vector<std::string> numbers = numbers_at_the_left(svg.body());
    EXPECT_GE(numbers.size(), 3U);
    EXPECT_EQ(std::set<std::string>(numbers.begin(), numbers.end()).size(), numbers.size()) << from;
  }
}

TEST(Chart, TicksThatDifferEarlyHaveFewDigits) {
  const auto shown = [](double number, int digits) {
    return std::to_string(number).substr(0, static_cast<std::size_t>(digits));
  };
  EXPECT_EQ(tick_labels({1.25, 2.5}, shown), (std::vector<std::string>{"1.2", "2.5"}));
  EXPECT_EQ(tick_labels({1.251, 1.252}, shown), (std::vector<std::string>{"1.251", "1.252"}));
  EXPECT_EQ(tick_labels({2, 2}, shown).front().substr(0, 2), "2.");
}

TEST(Chart, CurvesThatHardlyFallHaveLabelsThatDiffer) {
  RunCurves curves;
  for (int step = 1; step <= 20; ++step) {
    curves.add({.step = step, .tokens = 1000 * step, .nats_per_token = 1.0903 - 1e-5 * step, .lr = 0.004});
  }
  for (const Picture& panel : curve_panels({{.name = "run", .curves = &curves}}, false)) {
    std::vector<std::string> numbers = numbers_at_the_left(panel.svg);
    std::erase(numbers, panel.title);
    EXPECT_EQ(std::set<std::string>(numbers.begin(), numbers.end()).size(), numbers.size()) << panel.title;
  }
}

}  // namespace
}  // namespace unroll
