// How many bytes the ranks of a run send each other.
#pragma once

#include <cstdint>

namespace unroll {

// What a rank of P sends in a step with R replicas and `floats` dense gradients, apart from gradients that are rows:
//
//   4 bytes for each float that another rank owns, of each node that the rank has of the tree
//   4 bytes for each float that it owns, to each of the others: updated parameters
//   8 bytes for each tile that it owns, to each of the others: sums of squares of the norm
//   48 bytes for each of its replicas, to each of the others: loss and number of predictions, twice
//
// For P a power of two a rank has one node, and the first two are 2 (1 - 1/P) of the gradients where parts are equal:
// what any exchange has to send that leaves everybody with the sum (Patarasuk & Yuan 2009).
[[nodiscard]] std::int64_t sent_bytes(std::int64_t floats, std::int64_t R, std::int64_t P, std::int64_t rank);

}  // namespace unroll
