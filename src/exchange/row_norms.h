// Embeddings whose rows are shortened when they are looked up: max_norm of PyTorch's nn.Embedding.
#pragma once

#include <cstdint>

#include "checkpoints/value.h"

namespace unroll {

// Scales each row longer than max_norm (in the p-norm; infinity: its largest number) by max_norm / (norm + 1e-7), as
// torch.embedding_renorm_ does. Returns how many were. Requires p > 0.
std::int64_t shorten_rows(MatrixValue& matrix, double max_norm, double p);

}  // namespace unroll
