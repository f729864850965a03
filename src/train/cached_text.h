// Runs whose text is an id cache.
#pragma once

#include "unroll/train.h"

namespace unroll {

// The options with tokenizer and split as the cache has them that text.paths names; as they are where it names text.
// Throws Error{kUsage}, naming the field, for a cache that is not the whole text of a language model, and for options
// that contradict it: those of tokenizer and split have their defaults or its values. Throws as read_id_cache().
[[nodiscard]] TrainOptions with_cached_options(TrainOptions options);

}  // namespace unroll
