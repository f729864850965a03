#include "cli/flags/untrained_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "unroll/error.h"

namespace unroll {
namespace {

bool has_gates(Cell cell) { return gate_count(cell) > 1; }

}  // namespace

std::vector<UntrainedNetwork> UntrainedFlags::networks() const {
  const bool any_gates = std::ranges::any_of(cells, has_gates);
  std::vector<UntrainedNetwork> all;
  for (const Cell cell : cells) {
    UntrainedNetwork network = like;
    network.cell = cell;
    if (any_gates && !has_gates(cell)) network.forget_bias.reset();
    all.push_back(network);
  }
  return all;
}

void add_untrained_flags(Flags& flags, UntrainedFlags& untrained) {
  flags.heading("Untrained networks");
  flags.texts({"--untrained", "CELL",
               "a network of this cell as training begins with it, of one layer; may be given several times, beside a "
               "MODEL or alone",
               ""},
              [&untrained](const std::string& cell) { untrained.cells.push_back(parse_cell(cell)); });
  flags.whole({"--hidden", "N", "its units", "128"}, {1, 4096},
              [&untrained](std::int64_t n) { untrained.like.hidden = n; });
  flags.real({"--radius", "R", "its W is scaled to this spectral radius, in each gate", "as training begins"}, {0, 100},
             [&untrained](double radius) { untrained.like.radius = radius; });
  flags.real({"--forget-bias", "B", "the bias of its gate that keeps the state", "1 in an lstm, else 0"}, {-100, 100},
             [&untrained](double bias) { untrained.like.forget_bias = bias; });
  flags.seed(&untrained.like.seed);
}

void expect_untrained(const Flags& flags) {
  if (flags.given("--untrained")) return;
  for (const char* const flag : {"--hidden", "--radius", "--forget-bias", "--seed"}) {
    if (flags.given(flag)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is about an untrained network: give its cell with --untrained", flag));
    }
  }
}

}  // namespace unroll
