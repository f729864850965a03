// `unroll score --words`: a table of words, whatever the model's tokens are.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Whether the arguments of `score` ask for it.
[[nodiscard]] bool asks_for_words(const std::vector<std::string>& arguments);

int run_score_words(const std::vector<std::string>& arguments);

}  // namespace unroll
