// `unroll tokenize --to ids`: writes a text as an id cache.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Whether --to is given.
[[nodiscard]] bool asks_for_cache(const std::vector<std::string>& arguments);

int run_tokenize_ids(const std::vector<std::string>& arguments);

}  // namespace unroll
