// Suggestions for misspelt names.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// The candidate nearest to `word` in edit distance; empty if none is near.
[[nodiscard]] std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace unroll
