// One recurrent layer on random numbers: the common parts of its two sides, recurrent_layer.cc and rnn_primitive.cc.
//
//   SIDE CELL E H B T PRECISION THREADS   CELL is lstm or gru, PRECISION f32 or bf16
//
// Prints about, weights and a fingerprint of each result of the first step, then "ready"; then for each number of
// seconds on standard input makes steps for at least that long and prints "STEPS SECONDS PACKING", PACKING being the
// seconds spent on packing the weights for the products.
//
// A step is the work of a layer between two updates: pack the weights, clear their gradients, forward,
// backward with all gradients.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "nn/recurrent.h"

namespace unroll {

struct RecurrentCase {
  Cell cell = Cell::kLstm;
  RecurrentShape shape;
  Precision precision = Precision::kF32;
  int threads = 1;

  [[nodiscard]] std::int64_t gate_rows() const { return gate_count(cell) * shape.H; }
  [[nodiscard]] std::int64_t weights() const { return gate_rows() * (shape.E + shape.H); }
};

// The inputs of a layer, in the shapes of RecurrentParams and RecurrentTape. The gradient after the window is zero.
struct RecurrentNumbers {
  std::vector<float> U, W, b_input, b_hidden, x, h0, c0, dout;

  explicit RecurrentNumbers(const RecurrentCase& c) {
    const RecurrentShape& s = c.shape;
    std::mt19937 generator(1);
    const auto fill = [&](std::vector<float>& values, std::int64_t size, float bound) {
      values.resize(static_cast<std::size_t>(size));
      for (float& value : values) value = bound * (static_cast<float>(generator() >> 8) * 0x1p-23F - 1.0F);
    };
    const float bound = 1 / std::sqrt(static_cast<float>(s.H));
    fill(U, c.gate_rows() * s.E, bound);
    fill(W, c.gate_rows() * s.H, bound);
    fill(b_input, c.gate_rows(), bound);
    fill(b_hidden, c.gate_rows(), bound);
    fill(x, s.T * s.B * s.E, 1);
    fill(h0, s.B * s.H, 1);
    fill(c0, s.B * s.H, 1);
    fill(dout, s.T * s.B * s.H, 1);
  }
};

// A result of a step, in our layout: "h", "dx", "dh0", "dU", "dW", "db_input", "db_hidden".
using NamedResult = std::pair<std::string, std::vector<float>>;

// A side: one layer that makes steps.
class RecurrentSide {
 public:
  virtual ~RecurrentSide() = default;
  virtual void pack() = 0;                         // packs the weights for the products
  virtual void forward_backward() = 0;             // gradients of the parameters cleared first
  virtual std::vector<NamedResult> results() = 0;  // of the last step
  [[nodiscard]] virtual std::string about() const = 0;
};

// The norm and eight sums with random signs. Two vectors whose difference has the norm d differ by about d in each of
// the sums, wherever the difference is.
inline std::string fingerprint(std::span<const float> values) {
  constexpr std::size_t kSums = 8;
  std::mt19937 generator(2);
  double squares = 0;
  std::vector<double> sums(kSums);
  for (const float value : values) {
    squares += static_cast<double>(value) * value;
    const std::uint_fast32_t signs = generator();
    for (std::size_t i = 0; i < kSums; ++i) sums[i] += (signs >> i & 1U) != 0 ? value : -value;
  }
  return fmt::format("{} {}", std::sqrt(squares), fmt::join(sums, " "));
}

inline void time_on_request(RecurrentSide& side) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  for (std::string line; std::getline(std::cin, line);) {
    const double wanted = std::stod(line);
    const Clock::time_point start = Clock::now();
    std::int64_t steps = 0;
    double packing = 0;
    double seconds = 0;
    while (seconds < wanted) {
      const Clock::time_point before = Clock::now();
      side.pack();
      packing += since(before);
      side.forward_backward();
      ++steps;
      seconds = since(start);
    }
    std::cout << fmt::format("{} {} {}\n", steps, seconds, packing) << std::flush;
  }
}

// The program of one side: `make(case, numbers)` builds it.
template <class Make>
int run_recurrent_side(const std::string& program, const std::vector<std::string>& arguments, const Make& make) {
  try {
    constexpr std::size_t kArguments = 7;
    if (arguments.size() != kArguments) {
      std::cerr << "usage: " << program << " CELL E H B T PRECISION THREADS\n";
      return 2;
    }
    RecurrentCase c;
    c.cell = parse_cell(arguments[0]);
    if (c.cell != Cell::kLstm && c.cell != Cell::kGru) throw std::runtime_error("CELL is neither lstm nor gru");
    c.shape = {.T = std::stoll(arguments[4]),
               .B = std::stoll(arguments[3]),
               .E = std::stoll(arguments[1]),
               .H = std::stoll(arguments[2])};
    c.precision = parse_precision(arguments[5]);
    if (c.precision == Precision::kInt8) throw std::runtime_error("PRECISION is neither f32 nor bf16");
    c.threads = std::stoi(arguments[6]);
    const std::unique_ptr<RecurrentSide> side = make(c, RecurrentNumbers(c));
    side->pack();
    side->forward_backward();
    std::cout << fmt::format("about {}\nweights {}\n", side->about(), c.weights());
    for (const auto& [name, values] : side->results()) std::cout << fmt::format("{} {}\n", name, fingerprint(values));
    std::cout << "ready\n" << std::flush;
    time_on_request(*side);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace unroll
