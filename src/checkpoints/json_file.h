// Reads JSON of any content and size as plain values.
#pragma once

#include <string>
#include <string_view>

#include "checkpoints/value.h"

namespace unroll {

// The value of a text in JSON, which messages call `name`. Objects become dicts with string keys, null none. Throws
// Error{kFormat} for text that is not JSON or not UTF-8, an object with a key twice, and nesting below kDeepestNesting.
ValueId read_json(ValueGraph& graph, std::string_view text, const std::string& name);

}  // namespace unroll
