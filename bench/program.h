// The common parts of the programs of bench/compare: arguments, errors, and steps timed on request.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/network.h"

namespace unroll {

// The words from `first` on as V E H L.
inline NetworkConfig sizes_of(const std::vector<std::string>& words, std::size_t first) {
  NetworkConfig config;
  config.vocabulary = std::stoll(words.at(first));
  config.embed = std::stoll(words.at(first + 1));
  config.hidden = std::stoll(words.at(first + 2));
  config.layers = std::stoll(words.at(first + 3));
  return config;
}

// For each number of seconds on standard input calls step(0), step(1), ... for at least that long and `fewest` times,
// and prints "STEPS SECONDS".
template <class Step>
void time_on_request(std::int64_t fewest, const Step& step) {
  using Clock = std::chrono::steady_clock;
  for (std::string line; std::getline(std::cin, line);) {
    const double wanted = std::stod(line);
    const Clock::time_point start = Clock::now();
    std::int64_t made = 0;
    double seconds = 0;
    while (made < fewest || seconds < wanted) {
      step(made++);
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    std::cout << fmt::format("{} {}\n", made, seconds) << std::flush;
  }
}

// Returns the exit status of run(arguments), or 1 with a message if it throws.
template <class Run>
int run_program(std::string_view name, int argc, char** argv, const Run& run) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace unroll
