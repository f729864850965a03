// Which rank has the sum of which gradients, and updates the parameters that they belong to.
#pragma once

#include <array>
#include <cstdint>

#include "dist/shares.h"
#include "network/gradients.h"
#include "network/parameters.h"
#include "unroll/ranks.h"

namespace unroll {

// Each rank owns a part of Gradients::dense(), whole tiles of kGradientTile floats. Gradients that are rows belong to
// nobody: each rank has them all.
class Owners {
 public:
  // `gradients` are any of the network. `ranks` must outlive it.
  Owners(Ranks& ranks, const Gradients& gradients);

  [[nodiscard]] Ranks& ranks() const noexcept { return ranks_; }
  [[nodiscard]] ShareRange part(int rank) const noexcept {
    return owned_by_rank(floats_, kGradientTile, ranks_.size(), rank);
  }
  [[nodiscard]] ShareRange mine() const noexcept { return part(ranks_.rank()); }

  // Sets what other ranks own in `parameters`, or anything else with a float for each of these, to what it is there.
  void gather(const Parameters& parameters) const;

 private:
  Ranks& ranks_;
  std::int64_t floats_;
  std::array<std::int64_t, 2> shifts_;  // from dense() to parameters, before and after a place in dense() ...
  std::int64_t cut_;                    // ... which is this
};

}  // namespace unroll
