// The bytes that a training run plans, as `unroll train` prints and checks them: the section `memory` of bench/compare.
//
//   memory_plan CELL V E H L B T TOKENS   SGD, no validation, a text of TOKENS symbols; prints "BYTES NAME" lines
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "train/plan.h"

namespace unroll {
namespace {

int run(const std::vector<std::string>& arguments) {
  constexpr std::size_t kArguments = 8;
  if (arguments.size() != kArguments) {
    std::cerr << "usage: memory_plan CELL V E H L B T TOKENS\n";
    return 2;
  }
  NetworkConfig config;
  config.cell = parse_cell(arguments[0]);
  config.vocabulary = std::stoll(arguments[1]);
  config.embed = std::stoll(arguments[2]);
  config.hidden = std::stoll(arguments[3]);
  config.layers = std::stoll(arguments[4]);
  check(config);
  TrainOptions options;
  options.optimizer = Optimizer::kSgd;
  options.batch_size = std::stoll(arguments[5]);
  options.bptt = std::stoll(arguments[6]);
  constexpr bool kValidates = false;
  for (const MemoryItem& item : memory_plan(config, options, std::stoll(arguments[7]), kValidates)) {
    std::cout << fmt::format("{} {}\n", item.bytes, item.name);
  }
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  try {
    return unroll::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "memory_plan: " << error.what() << '\n';
    return 1;
  }
}
