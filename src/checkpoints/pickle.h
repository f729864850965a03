// Reads Python's pickles as data: builds plain values and calls nothing.
//
// A pickle is a program for a stack machine. Here it makes a graph (checkpoints/value.h); where Python would call
// something, an object is made that holds the name of the callee, its arguments and its state, whatever the name is.
// A few names that mean plain data become that: dicts, sets, tensors, arrays (checkpoints/pickle_calls.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "checkpoints/value.h"

namespace unroll {

// The value that a persistent id stands for, which is up to the format around the pickle.
using PersistentIds = std::function<ValueId(ValueId id)>;

struct Pickle {
  ValueId root = kNoValue;
  std::size_t bytes = 0;  // that it takes; others may follow
};

// Reads the pickle at the start of `bytes`, which messages call `name`: protocols 0 to 4, and 5 without buffers.
// Throws Error{kFormat} for what Python would refuse, naming the byte; for persistent ids without `persistent`; for an
// object that is built twice; and beyond the limits of ValueGraph and 64 MB of copies that instructions ask for.
Pickle read_pickle(ValueGraph& graph, std::string_view bytes, const std::string& name,
                   const PersistentIds& persistent = {});

}  // namespace unroll
