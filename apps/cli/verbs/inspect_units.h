// `unroll inspect --units`: the units of a network that follow features of a text.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Whether --units is given.
[[nodiscard]] bool asks_for_units(const std::vector<std::string>& arguments);

int run_inspect_units(const std::vector<std::string>& arguments);

}  // namespace unroll
