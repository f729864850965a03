// The few functions whose calls in pickles mean plain data.
#pragma once

#include <cstdint>
#include <string>

#include "checkpoints/byte_reader.h"
#include "checkpoints/value.h"

namespace unroll {

// What a pickle may have copied. A list that is held once may be copied any number of times by short instructions.
class CopyBudget {
 public:
  // Throws Error{kFormat} beyond 64 MB in all.
  void take(std::size_t bytes, const ByteReader& reader);

 private:
  std::size_t left_ = std::size_t{64} << 20;
};

// What a call is, if it is plain data: OrderedDict, dict, set, a tensor of PyTorch, a number of NumPy; else an object
// with that callee and these arguments (a tuple). Throws Error{kFormat} for a tensor that is not what it says.
ValueId called(ValueGraph& graph, const std::string& callee, ValueId arguments, CopyBudget& budget,
               const ByteReader& reader);

// Gives `value` its state. An array of NumPy becomes a tensor; dicts and tensors ignore it.
void build(ValueGraph& graph, ValueId value, ValueId state, const ByteReader& reader);

}  // namespace unroll
