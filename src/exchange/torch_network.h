// Finds a language model of PyTorch in a file: an embedding, recurrent layers, a linear output layer, by their names,
// classes and shapes.
#pragma once

#include "checkpoints/foreign_file.h"
#include "exchange/found_network.h"

namespace unroll {

// Returns the network of the file's first group of tensors (exchange/tensor_groups.h) that has recurrent layers; notes
// name the others. Throws Error{kFormat} with the reason where there is no such network, or one with more than such a
// network has: tensors that have no place in it, both directions, projections, attention, other modules between.
[[nodiscard]] FoundNetwork find_torch_network(const ForeignFile& checkpoint);

}  // namespace unroll
