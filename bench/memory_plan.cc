// The bytes that a training run plans, as `unroll train` prints and checks them: the section `memory` of bench/compare.
//
//   memory_plan CELL V E H L B T TOKENS   SGD, no validation, a text of TOKENS symbols; prints "BYTES NAME" lines
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "program.h"
#include "train/memory_plan.h"

namespace unroll {
namespace {

int run(const std::vector<std::string>& arguments) {
  constexpr std::size_t kArguments = 8;
  if (arguments.size() != kArguments) {
    std::cerr << "usage: memory_plan CELL V E H L B T TOKENS\n";
    return 2;
  }
  NetworkConfig config = sizes_of(arguments, 1);
  config.cell = parse_cell(arguments[0]);
  check(config);
  const RunPlan plan{.config = config,
                     .batch_size = std::stoll(arguments[5]),
                     .bptt = std::stoll(arguments[6]),
                     .update = {.optimizer = Optimizer::kSgd},
                     .epoch = {.train_tokens = std::stoll(arguments[7])}};
  for (const MemoryItem& item : memory_plan(plan)) {
    std::cout << fmt::format("{} {}\n", item.bytes, item.name);
  }
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) { return unroll::run_program("memory_plan", argc, argv, unroll::run); }
