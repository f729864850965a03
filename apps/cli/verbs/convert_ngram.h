// unroll convert MODEL --ngram FILE: n-grams that imitate the model.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Whether these arguments of convert ask for n-grams.
[[nodiscard]] bool asks_for_ngram(const std::vector<std::string>& arguments);

int run_convert_ngram(const std::vector<std::string>& arguments);

}  // namespace unroll
