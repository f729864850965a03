// How much of the prompts is read at once, by how long that took before.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace unroll {

// The most symbols of prompts that are read at once.
inline constexpr std::int64_t kPieceSymbols = 256;

// A piece of several prompts side by side: `steps` symbols of each of `rows`.
struct PromptPiece {
  std::int64_t rows = 0;
  std::int64_t steps = 0;

  friend bool operator==(const PromptPiece&, const PromptPiece&) = default;
};

// Chooses pieces whose time is at most a given one, as far as that can be known. The time of a step of 1, 2, 4, ...
// rows is measured; more rows take at least as long as fewer, and twice as many at most twice as long. What lies
// between measurements is on a line through them, and so is the first number of rows beyond the largest measured one.
class PromptPace {
 public:
  // Never more than `most_rows` side by side.
  explicit PromptPace(std::int64_t most_rows) : most_rows_(most_rows) {}

  // A piece of at most `prompts` (at least 1) that takes at most `seconds`: as many symbols as possible, of as many
  // prompts as possible; one symbol where nothing is known or even that takes longer. Without `seconds` kPieceSymbols.
  [[nodiscard]] PromptPiece choose(std::int64_t prompts, std::optional<double> seconds) const;

  // Takes how long a piece took.
  void note(const PromptPiece& piece, double seconds);

 private:
  struct Measured {
    double seconds = 0;     // of one step
    std::int64_t note = 0;  // the last that counted for it
  };

  struct Point {
    double rows = 0;
    double seconds = 0;
  };

  [[nodiscard]] std::vector<Point> measured_points() const;
  [[nodiscard]] static double on_line(const Point& a, const Point& b, double rows);
  [[nodiscard]] std::vector<double> estimates(std::size_t count) const;

  std::int64_t most_rows_;
  std::int64_t notes_ = 0;
  std::vector<std::optional<Measured>> of_rows_;  // of 2^i rows
};

}  // namespace unroll
