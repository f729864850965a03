// The flags of networks before their training.
#pragma once

#include <vector>

#include "cli/flags/flags.h"
#include "unroll/look/untrained.h"

namespace unroll {

// What they say: for each cell a network.
struct UntrainedFlags {
  std::vector<Cell> cells = {};
  UntrainedNetwork like = {};  // all of them but for the cell

  // The networks. A bias of gates is only for cells that have gates, unless none has.
  [[nodiscard]] std::vector<UntrainedNetwork> networks() const;
};

// Adds --untrained, --hidden, --radius, --forget-bias and --seed.
void add_untrained_flags(Flags& flags, UntrainedFlags& untrained);

// Throws Error{kUsage} where the others are given without --untrained.
void expect_untrained(const Flags& flags);

}  // namespace unroll
