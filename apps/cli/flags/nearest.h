// What somebody probably meant to type.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// The candidate nearest to `word` by insertions, deletions and replacements; empty when none is near.
[[nodiscard]] std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace unroll
